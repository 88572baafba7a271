//! What is compared of a launch: configuration, effective network, effective permissions, image and log, in launch order.
//!
//! Each aspect is read from one case alone and knows at which stages it bites. An aspect may also say what it comes to in
//! effect: two configurations that come to the same explain nothing.

use std::collections::BTreeSet;

use launchpath_iam::{Decision, Layer};
use launchpath_model::{EvidenceId, Known, service};
use serde_json::Value;

use crate::case::Case;
use crate::chain::{Stage, fatal_traceback, short_digest};
use crate::faults::image_config;
use crate::permissions;

/// The aspect that says what runs.
pub(super) const IMAGE: &str = "image";

/// How an aspect that is not configured is shown; on both sides it is not worth a word.
pub(super) const NONE: &str = "none";

/// One aspect of one launch.
pub(super) struct Aspect {
    /// What it is.
    pub(super) what: &'static str,
    /// What is seen of it.
    pub(super) seen: Seen,
    /// What it comes to, where that can be told.
    pub(super) effect: Option<String>,
    /// The first stage at which only the effect counts.
    pub(super) effect_from: Stage,
    /// The stages it bears on, in launch order.
    pub(super) bites: &'static [Stage],
    /// What a difference means, for the reader.
    pub(super) meaning: &'static str,
    /// The calls that show it.
    pub(super) evidence: Vec<EvidenceId>,
}

/// What is seen of an aspect.
pub(super) enum Seen {
    /// This.
    Value(String),
    /// These; only those that the other side does not have are shown.
    Set(BTreeSet<String>),
    /// It has none, and needs none.
    NotThere,
    /// It was not seen.
    Unknown(String),
}

impl Seen {
    fn of(value: Option<String>, why: &str) -> Self {
        value.map_or_else(|| Self::Unknown(why.to_owned()), Self::Value)
    }
}

const CREATION: &[Stage] =
    &[Stage::RequestValidation, Stage::VpcValidation, Stage::EniDryRun, Stage::NetworkAttach];
const ATTACH_AND_PATHS: &[Stage] = &[
    Stage::VpcValidation,
    Stage::EniDryRun,
    Stage::NetworkAttach,
    Stage::ArtifactFetch,
    Stage::FileSystemMount,
    Stage::ProcessStart,
    Stage::Request,
];
const PATHS: &[Stage] = &[Stage::ArtifactFetch, Stage::FileSystemMount, Stage::ProcessStart, Stage::Request];
const RUN: &[Stage] = &[
    Stage::RequestValidation,
    Stage::ArtifactFetch,
    Stage::ProcessStart,
    Stage::Health,
    Stage::SessionHealth,
    Stage::Request,
    Stage::Response,
];
const PROCESS: &[Stage] =
    &[Stage::ProcessStart, Stage::Health, Stage::SessionHealth, Stage::Request, Stage::Response];
const PROBE: &[Stage] = &[Stage::Health, Stage::SessionHealth, Stage::Request];
const ROLE: &[Stage] =
    &[Stage::RequestValidation, Stage::SessionPlacement, Stage::ArtifactFetch, Stage::Request];
const PULL: &[Stage] = &[Stage::RequestValidation, Stage::ArtifactFetch];
const ADMISSION: &[Stage] = &[Stage::InvokeAdmission];

/// Every aspect of a launch; the same ones in the same order for any launch.
pub(super) fn all(case: &Case) -> Vec<Aspect> {
    let mut all = vec![image(case), start(case), packages(case)];
    all.extend(role(case));
    all.extend(network(case));
    all.extend(settings(case));
    all.push(log(case));
    all
}

fn image(case: &Case) -> Aspect {
    let runtime = case.runtime();
    let mut evidence = case.runtime_evidence();
    let value = match (runtime.and_then(|r| r.container_uri()), runtime.and_then(|r| r.code())) {
        (Some(uri), _) => Some(match case.image() {
            Known::Known(fact) => {
                evidence.extend(fact.evidence);
                let digest = short_digest(&fact.value.image_digest);
                let pushed =
                    fact.value.image_pushed_at.map(|at| format!(", pushed {at}")).unwrap_or_default();
                format!("{uri} ({digest}{pushed})")
            }
            Known::Absent(_) | Known::Unknown(_) => uri.to_owned(),
        }),
        (None, Some(code)) => {
            let s3 = code.code.as_ref().and_then(|code| code.s3.clone()).unwrap_or_default();
            let version = s3.version_id.map(|id| format!(" version {id}")).unwrap_or_default();
            Some(format!(
                "s3://{}/{}{version}, {}",
                s3.bucket.unwrap_or_default(),
                s3.prefix.unwrap_or_default(),
                code.runtime.as_deref().unwrap_or("no runtime named")
            ))
        }
        (None, None) => None,
    };
    Aspect {
        what: IMAGE,
        seen: Seen::of(value, "the runtime was not described"),
        effect: case.image().value().map(|image| image.image_digest.clone()),
        effect_from: Stage::ArtifactAvailable,
        bites: RUN,
        meaning: "what runs differs: the image and application faults stay suspect",
        evidence,
    }
}

/// How the image is started: its config blob.
fn start(case: &Case) -> Aspect {
    let config = image_config(case);
    let value = config.as_ref().map(|(config, _)| {
        let process = config.config.clone().unwrap_or_default();
        let words = |words: Option<Vec<String>>| words.unwrap_or_default().join(" ");
        let ports: Vec<String> = process.exposed_ports.unwrap_or_default().into_keys().collect();
        let variables = process.env.unwrap_or_default();
        let mut names: Vec<&str> =
            variables.iter().map(|entry| entry.split('=').next().unwrap_or_default()).collect();
        names.sort_unstable();
        let parts = [
            ("architecture", config.architecture.clone().unwrap_or_default()),
            ("entry point", words(process.entrypoint)),
            ("command", words(process.cmd)),
            ("user", process.user.unwrap_or_default()),
            ("folder", process.working_dir.unwrap_or_default()),
            ("ports", ports.join(" ")),
            ("variables", names.join(" ")),
        ];
        let shown: Vec<String> = parts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        shown.join("; ")
    });
    Aspect {
        what: "how the image starts",
        seen: Seen::of(value, "the image's config was not read"),
        effect: None,
        effect_from: Stage::ArtifactAvailable,
        bites: PROCESS,
        meaning: "the process is started in another way",
        evidence: config.map(|(_, evidence)| evidence).unwrap_or_default(),
    }
}

/// What is installed in the image, as an inspection or a rehearsal of its digest lists it.
fn packages(case: &Case) -> Aspect {
    let digest = case.image().value().map(|image| image.image_digest.clone());
    let of_this = |other: &Option<String>| digest.is_some() && *other == digest;
    let inspected = case.world.inspections.iter().filter(|i| of_this(&i.identity.digest));
    let inspected = inspected.map(|i| (&i.evidence, &i.distributions));
    let rehearsed = case.world.rehearsals.iter().filter(|r| of_this(&r.identity.digest));
    let listed = inspected.chain(rehearsed.map(|r| (&r.evidence, &r.distributions)));
    let mut packages = BTreeSet::new();
    let mut evidence = Vec::new();
    for (id, distributions) in listed.filter(|(_, distributions)| !distributions.is_empty()) {
        packages.extend(distributions.iter().map(|(name, version)| format!("{name} {version}")));
        evidence.push(id.clone());
    }
    Aspect {
        what: "installed packages",
        seen: if packages.is_empty() {
            Seen::Unknown("no inspection or rehearsal of this very image lists them".to_owned())
        } else {
            Seen::Set(packages)
        },
        effect: None,
        effect_from: Stage::ArtifactAvailable,
        bites: PROCESS,
        meaning: "the code runs with other versions: app.dependency_drift stays suspect",
        evidence,
    }
}

fn role(case: &Case) -> Vec<Aspect> {
    let name = Aspect {
        what: "execution role",
        seen: Seen::of(case.runtime().and_then(|r| r.role_arn.clone()), "the runtime was not described"),
        effect: None,
        effect_from: Stage::ArtifactAvailable,
        bites: ROLE,
        meaning: "its rights differ",
        evidence: case.runtime_evidence(),
    };
    vec![name, trust(case), pull_rights(case), log_rights(case)]
}

fn trust(case: &Case) -> Aspect {
    let role = case.execution_role_name().and_then(|name| case.role(&name).value().map(|role| (name, *role)));
    let evidence = || {
        let row = role.as_ref().and_then(|(name, _)| case.world.roles.seen(name));
        row.map(|row| row.evidence.clone()).unwrap_or_default()
    };
    let answer = role.as_ref().and_then(|(_, role)| permissions::trusts(case, role, evidence()));
    let decision = answer.as_ref().map(|answer| decided(answer.outcome.decision));
    Aspect {
        what: "whether the service may assume the role",
        seen: match decision {
            Some(Ok(word)) => Seen::Value(word.to_owned()),
            _ => Seen::Unknown("the trust policy was not seen or does not decide".to_owned()),
        },
        effect: None,
        effect_from: Stage::ArtifactAvailable,
        bites: ROLE,
        meaning: "without the role nothing is fetched",
        evidence: evidence(),
    }
}

/// What the role may do, action by action; unknown as soon as one action is.
fn rights(case: &Case, questions: &[(&str, String)], repository: &Layer) -> (Seen, Vec<EvidenceId>) {
    let mut evidence = Vec::new();
    let mut shown = Vec::new();
    for (action, resource) in questions {
        let layer = if action.starts_with("ecr:Batch") || action.starts_with("ecr:GetDownload") {
            repository
        } else {
            &Layer::NotApplicable
        };
        let Some(answer) = permissions::role_may(case, action, resource, layer) else {
            return (Seen::Unknown("the runtime names no role".to_owned()), evidence);
        };
        evidence.extend(answer.evidence.clone());
        let Ok(word) = decided(answer.outcome.decision) else {
            let why = answer.gaps.first().map_or_else(|| answer.why(), |gap| gap.what.clone());
            return (Seen::Unknown(format!("{action}: {why}")), evidence);
        };
        shown.push(format!("{action} {word}"));
    }
    evidence.sort();
    evidence.dedup();
    (Seen::Value(shown.join(", ")), evidence)
}

fn decided(decision: Decision) -> Result<&'static str, ()> {
    match decision {
        Decision::Allowed => Ok("allowed"),
        Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => Ok("denied"),
        Decision::Unknown => Err(()),
    }
}

fn pull_rights(case: &Case) -> Aspect {
    let uri = case.image_uri();
    let ecr = uri.as_ref().and_then(|uri| Some((uri.repository.clone(), uri.ecr()?)));
    let (seen, evidence) = match &ecr {
        None => (Seen::NotThere, Vec::new()),
        Some((repository, ecr)) => {
            let partition = case.world.partition.as_deref().unwrap_or("aws");
            let arn = format!("arn:{partition}:ecr:{}:{}:repository/{repository}", ecr.region, ecr.account);
            let questions = [
                ("ecr:GetAuthorizationToken", "*".to_owned()),
                ("ecr:BatchGetImage", arn.clone()),
                ("ecr:GetDownloadUrlForLayer", arn),
            ];
            rights(case, &questions, &permissions::repository_policy(case, repository))
        }
    };
    Aspect {
        what: "rights to pull the image",
        seen,
        effect: None,
        effect_from: Stage::ArtifactAvailable,
        bites: PULL,
        meaning: "the image can be pulled on one side only",
        evidence,
    }
}

fn log_rights(case: &Case) -> Aspect {
    let group = case.log_group();
    let place = group.and_then(|group| {
        let (region, account) = (case.world.region.as_ref()?, case.world.account.as_ref()?);
        let partition = case.world.partition.as_deref().unwrap_or("aws");
        Some(format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:runtime-logs"))
    });
    let (seen, evidence) = match place {
        None => (Seen::Unknown("the log group's ARN is not known".to_owned()), Vec::new()),
        Some(arn) => {
            let questions = [("logs:CreateLogStream", arn.clone()), ("logs:PutLogEvents", arn)];
            rights(case, &questions, &Layer::NotApplicable)
        }
    };
    Aspect {
        what: "rights to write the log",
        seen,
        effect: None,
        effect_from: Stage::ArtifactAvailable,
        bites: &[Stage::LogDelivery],
        meaning: "the log is written on one side only",
        evidence,
    }
}

fn network(case: &Case) -> Vec<Aspect> {
    let runtime = case.runtime();
    let evidence = case.runtime_evidence();
    let config = case.vpc_config();
    let ways = case.paths().ways(case);
    // What the network comes to: the same ways open on both sides make its parts indifferent.
    let in_effect = ways.iter().map(|way| Some(format!("{} {}", way.service, way.state?)));
    let in_effect: Option<BTreeSet<String>> =
        in_effect.collect::<Option<_>>().filter(|ways: &BTreeSet<_>| !ways.is_empty());
    let through = ways.iter().filter(|way| !way.through.is_empty()).map(|way| {
        let through: Vec<&str> = way.through.iter().copied().collect();
        format!("{} by {}", way.service, through.join(" or "))
    });
    let through: BTreeSet<String> = through.collect();
    let walked = {
        let mut all: Vec<EvidenceId> = ways.iter().flat_map(|way| way.evidence.clone()).collect();
        all.sort();
        all.dedup();
        all
    };
    let is_public = runtime.is_some() && config.is_none();
    // AWS: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html (PUBLIC leaves by the service's
    // own network).
    let all_open = |ways: &BTreeSet<String>| ways.iter().all(|way| way.ends_with(" open"));
    let effect = match &in_effect {
        _ if is_public => Some("every way open".to_owned()),
        Some(ways) if all_open(ways) => Some("every way open".to_owned()),
        Some(ways) => Some(ways.iter().cloned().collect::<Vec<_>>().join(", ")),
        None => None,
    };
    let list = |mut items: Vec<String>| {
        items.sort();
        if items.is_empty() { NONE.to_owned() } else { items.join(", ") }
    };
    let mode = runtime.and_then(|r| r.network_mode()).map(ToString::to_string);
    let subnets = config.map(|config| {
        let named = |id: &launchpath_model::ids::SubnetId| {
            let zone = case.subnet(id).value().and_then(|subnet| subnet.availability_zone_id.clone());
            zone.map_or_else(|| id.to_string(), |zone| format!("{id} ({zone})"))
        };
        list(config.subnets.iter().map(named).collect())
    });
    let groups = config.map(|config| list(config.security_groups.iter().map(ToString::to_string).collect()));
    let none = || is_public.then(|| NONE.to_owned());
    vec![
        Aspect {
            what: "network mode",
            seen: Seen::of(mode, "the runtime was not described"),
            effect: effect.clone(),
            effect_from: Stage::ArtifactFetch,
            bites: ATTACH_AND_PATHS,
            meaning: "the paths to ECR, S3 and CloudWatch Logs differ",
            evidence: evidence.clone(),
        },
        Aspect {
            what: "subnets",
            seen: Seen::of(subnets.or_else(none), "the runtime was not described"),
            effect: effect.clone(),
            effect_from: Stage::ArtifactFetch,
            bites: ATTACH_AND_PATHS,
            meaning: "zones, routes and network ACLs may differ",
            evidence: evidence.clone(),
        },
        Aspect {
            what: "security groups",
            seen: Seen::of(groups.or_else(none), "the runtime was not described"),
            effect: effect.clone(),
            effect_from: Stage::ArtifactFetch,
            bites: PATHS,
            meaning: "what may leave may differ",
            evidence: evidence.clone(),
        },
        Aspect {
            what: "what the traffic leaves by",
            seen: match (is_public, &in_effect) {
                (true, _) => Seen::NotThere,
                (false, Some(_)) => Seen::Set(through),
                (false, None) => Seen::Unknown("not every path is decided".to_owned()),
            },
            effect,
            effect_from: Stage::ArtifactFetch,
            bites: PATHS,
            meaning: "other gateways or endpoints carry it",
            evidence: walked.clone(),
        },
        Aspect {
            what: "ways open to what the launch needs",
            seen: match (is_public, in_effect) {
                (true, _) => Seen::NotThere,
                (false, Some(ways)) => Seen::Set(ways),
                (false, None) => Seen::Unknown("not every path is decided".to_owned()),
            },
            effect: None,
            effect_from: Stage::ArtifactAvailable,
            bites: PATHS,
            meaning: "a path of the launch is open on one side only",
            evidence: walked,
        },
        Aspect {
            what: "service-managed S3 gateway",
            seen: managed_s3(case),
            effect: None,
            effect_from: Stage::ArtifactAvailable,
            bites: &[Stage::ArtifactFetch],
            meaning: "image layers come through the service's own S3 gateway on one side only (rule of the creation date)",
            evidence,
        },
    ]
}

/// Which rule of the day holds for the path to S3.
fn managed_s3(case: &Case) -> Seen {
    if case.vpc_config().is_none() {
        return Seen::NotThere;
    }
    let (ends, _) = service::date("managed_s3_gateway_ends");
    let (gone, _) = service::date("managed_s3_gateway_gone");
    let opted_out = case.vpc_config().and_then(|config| config.require_service_s3_endpoint) == Some(false);
    match case.created_at() {
        _ if opted_out => Seen::Value("no: given up by requireServiceS3Endpoint".to_owned()),
        Some(created) if created < ends => Seen::Value(format!("yes: created before {}", ends.date())),
        Some(created) if created >= gone => Seen::Value(format!("no: created after {}", gone.date())),
        Some(_) => Seen::Unknown("created while the change was rolled out".to_owned()),
        None => Seen::Unknown("the creation date is not known".to_owned()),
    }
}

fn settings(case: &Case) -> Vec<Aspect> {
    let runtime = case.runtime();
    let of = |value: Option<String>| Seen::of(value, "the runtime was not described");
    let json = |value: &Option<Value>| value.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string);
    let protocol = runtime.map(|runtime| {
        let configured = runtime.protocol_configuration.as_ref();
        let port = configured.and_then(|p| p.port).map(|port| format!(", port {port}")).unwrap_or_default();
        format!("{}{port}", runtime.protocol())
    });
    let variables = runtime.map(|runtime| {
        let names: Vec<String> =
            runtime.environment_variables.iter().flatten().map(|(name, _)| name.clone()).collect();
        if names.is_empty() { NONE.to_owned() } else { names.join(", ") }
    });
    let platform =
        runtime.map(|r| r.platform_version.as_ref().map_or("not stated".to_owned(), ToString::to_string));
    let metadata = runtime.map(|r| {
        let required = r.metadata_configuration.as_ref().and_then(|m| m.require_mmdsv2);
        required.map_or("not stated", |yes| if yes { "required" } else { "not required" }).to_owned()
    });
    let mounts = runtime.map(|r| {
        r.filesystem_configurations
            .as_ref()
            .map_or_else(|| NONE.to_owned(), |m| Value::from(m.clone()).to_string())
    });
    let capacity = runtime.map(|r| json(&r.capacity_provider_configuration));
    let authorizer = runtime.map(|r| json(&r.authorizer_configuration));
    let headers = runtime.map(|r| json(&r.request_header_configuration));
    let lifecycle = runtime.map(|r| json(&r.lifecycle_configuration));
    let rows: [(&'static str, Option<String>, &'static [Stage], &'static str); 9] = [
        ("capacity provider", capacity, CREATION, "another network and other machines carry it"),
        (
            "platform version",
            platform,
            RUN,
            "V2 restores a snapshot that was built at creation, V1 boots for each session",
        ),
        ("metadata service version 2", metadata, ADMISSION, "calls are refused without it"),
        ("authorizer", authorizer, ADMISSION, "another kind of caller is admitted"),
        ("file systems", mounts, &[Stage::FileSystemMount], "what is mounted differs"),
        ("environment variables", variables, PROCESS, "the process sees another environment"),
        ("protocol", protocol, PROBE, "the probe differs"),
        ("request headers", headers, &[Stage::Request], "other headers reach the process"),
        ("session time-outs", lifecycle, &[], ""),
    ];
    rows.into_iter()
        .map(|(what, value, bites, meaning)| Aspect {
            what,
            seen: of(value),
            effect: None,
            effect_from: Stage::ArtifactAvailable,
            bites,
            meaning,
            evidence: case.runtime_evidence(),
        })
        .collect()
}

/// What the log shows: an outcome, never a cause.
fn log(case: &Case) -> Aspect {
    let seen = match (fatal_traceback(case), case.log_lines()) {
        (Some(crash), _) => {
            (Seen::Value(format!("the process died: {}", crash.traceback.headline())), vec![crash.evidence])
        }
        (None, Known::Known(lines)) => {
            (Seen::Value("the process printed and lived".to_owned()), lines.evidence)
        }
        (None, Known::Absent(absence)) => (Seen::Value("silent".to_owned()), absence.evidence().to_vec()),
        (None, Known::Unknown(gap)) => (Seen::Unknown(gap.reason_text()), gap.evidence),
    };
    Aspect {
        what: "what the log shows",
        seen: seen.0,
        effect: None,
        effect_from: Stage::ArtifactAvailable,
        bites: &[],
        meaning: "",
        evidence: seen.1,
    }
}
