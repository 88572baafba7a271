//! Next probes: the one observation or experiment that splits the remaining probability best, with its exact command.
//!
//! Each probe parts the suspects into classes that its outcome tells apart; its gain is the entropy of those classes in bits.

use std::collections::{BTreeMap, BTreeSet};

use launchpath_model::command;
use launchpath_model::world::DEFAULT_ENDPOINT;

use crate::case::{ArtifactKind, Case, Mode, Platform};
use crate::chain::{Progress, Stage};
use crate::comparison;
use crate::diagnosis::{Cause, CauseStatus, Probe, Undecided};
use crate::experiment::{self, Origin};
use crate::faults;

/// No more than this many are shown.
const MOST: usize = 5;

/// The probes worth making, best first; none once a cause is confirmed.
pub(crate) fn probes(
    case: &Case,
    progress: &Progress,
    causes: &[Cause],
    unknown: &[Undecided],
) -> Vec<Probe> {
    // What lies beside the path says nothing of whether it launches.
    let causes: Vec<Cause> = causes.iter().filter(|cause| !cause.is_beside()).cloned().collect();
    let causes = causes.as_slice();
    if causes.iter().any(|cause| cause.status == CauseStatus::Confirmed)
        || progress.traces.contains_key(&Stage::Response)
    {
        return Vec::new();
    }
    if causes.is_empty() {
        let once = invoke_once(case, progress);
        return if once.is_some() { once.into_iter().collect() } else { ladder(case, unknown) };
    }
    let weights = weighed(causes);
    let suspects: BTreeSet<&str> = weights.iter().map(|(code, _)| *code).collect();
    let weigh = |probe: Probe| {
        let splits: Vec<&str> = weights
            .iter()
            .map(|(code, _)| *code)
            .filter(|code| probe.splits.iter().any(|s| s == code))
            .collect();
        Probe {
            gain_bits: gain(&weights, &splits),
            splits: splits.into_iter().map(str::to_owned).collect(),
            ..probe
        }
    };
    let mut all: Vec<Probe> = Vec::new();
    all.extend(rehearse(case, &suspects).map(weigh));
    all.extend(inspect_code(case, &suspects).map(weigh));
    all.extend(look_again(case, &suspects).map(weigh));
    all.extend(known_good_image(case, causes));
    all.extend(look_ups(&suspects, unknown).into_iter().map(|probe| Probe {
        gain_bits: gain(&weights, &probe.splits.iter().map(String::as_str).collect::<Vec<_>>()),
        ..probe
    }));
    all.retain(|probe| probe.gain_bits > 0.0);
    all.sort_by(|a, b| b.gain_bits.total_cmp(&a.gain_bits).then_with(|| a.command.cmp(&b.command)));
    all.truncate(MOST);
    if all.is_empty() {
        // Nothing parts these suspects: what is left is what anybody would try who has none.
        all = ladder(case, unknown);
    }
    all
}

/// What a code zip holds tells a package that was not packed from a file that was forgotten.
fn inspect_code(case: &Case, suspects: &BTreeSet<&str>) -> Option<Probe> {
    let shown = ["app.dependency_not_packaged", "app.missing_source_file"];
    let splits: Vec<String> =
        shown.into_iter().filter(|code| suspects.contains(code)).map(str::to_owned).collect();
    if splits.is_empty() || !experiment::inspections(case).is_empty() {
        return None;
    }
    let code = case.runtime()?.code()?;
    let object = code.code.as_ref()?.s3.as_ref()?;
    let address = format!("s3://{}/{}", object.bucket.as_ref()?, object.prefix.as_ref()?);
    let parts: String = code
        .entry_point
        .iter()
        .flatten()
        .map(|part| format!(" --entry-point {}", command::quote(part)))
        .collect();
    Some(Probe {
        what: "Inspect the code zip: what it holds, and what the start imports that is not in it".to_owned(),
        command: format!("launchpath inspect {}{parts}", command::quote(&address)),
        splits,
        gain_bits: 0.0,
    })
}

/// A version that is only not ready yet becomes so, or ends with a reason.
fn look_again(case: &Case, suspects: &BTreeSet<&str>) -> Option<Probe> {
    const IN_TIME: &str = "svc.version_not_ready";
    suspects.contains(IN_TIME).then(|| Probe { splits: vec![IN_TIME.to_owned()], ..describe(case) })
}

/// It failed, and nothing is suspected: what is still open, from the look-up that decides most of it to the experiments that part the
/// process, its state, the session and the service from each other.
fn ladder(case: &Case, unknown: &[Undecided]) -> Vec<Probe> {
    let open: Vec<(&str, f64)> = unknown
        .iter()
        .filter_map(|undecided| faults::find(&undecided.fault))
        .filter(|fault| !fault.stage.is_side())
        .map(|fault| (fault.code, fault.prior))
        .collect();
    let codes: BTreeSet<&str> = open.iter().map(|(code, _)| *code).collect();
    let named = |probe: Probe| Probe {
        gain_bits: gain(&open, &probe.splits.iter().map(String::as_str).collect::<Vec<_>>()),
        ..probe
    };
    let mut all: Vec<Probe> = look_ups(&codes, unknown).into_iter().map(named).collect();
    all.extend(rehearse(case, &codes).map(named));
    all.sort_by(|a, b| b.gain_bits.total_cmp(&a.gain_bits).then_with(|| a.command.cmp(&b.command)));
    all.truncate(MOST - 2);
    all.extend(call_again(case, &codes).map(named));
    all.extend(build_again(case).map(named));
    if all.is_empty() {
        all.push(describe(case));
    }
    all
}

/// Entropy, in bits, of outcomes that name each of `single` by itself and lump the rest together. A suspect that is alone is held
/// against what the catalogue does not know.
fn gain(suspects: &[(&str, f64)], single: &[&str]) -> f64 {
    let total: f64 = suspects.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let alone = suspects.len() == 1 && total < 1.0;
    let whole = if alone { 1.0 } else { total };
    let named = |code: &str| single.contains(&code);
    let mut classes: Vec<f64> =
        suspects.iter().filter(|(code, _)| named(code)).map(|(_, weight)| weight / whole).collect();
    let rest: f64 = suspects.iter().filter(|(code, _)| !named(code)).map(|(_, weight)| weight / whole).sum();
    classes.push(if alone && rest == 0.0 { 1.0 - total } else { rest });
    let bits: f64 = classes.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum();
    (bits * 100.0).round() / 100.0
}

/// The suspects with their probabilities.
fn weighed(causes: &[Cause]) -> Vec<(&str, f64)> {
    causes.iter().map(|cause| (cause.fault.as_str(), cause.probability)).collect()
}

/// Whether running the image here, under the service's contract, shows a fault by itself.
fn is_shown_by_rehearsal(code: &str) -> bool {
    let area = code.split('.').next().unwrap_or_default();
    matches!(area, "app" | "contract")
        || matches!(code, "image.arch_mismatch" | "image.file_permissions" | "image.wrong_server_model")
}

fn rehearse(case: &Case, suspects: &BTreeSet<&str>) -> Option<Probe> {
    let shown: Vec<&str> = suspects.iter().copied().filter(|code| is_shown_by_rehearsal(code)).collect();
    if shown.is_empty() || case.combination.artifact != ArtifactKind::Container {
        return None;
    }
    // A run that its own network cut off is worth another in the diagnosed one; any other has said what it can.
    let rehearsed = experiment::rehearsals(case);
    let very_image = rehearsed.iter().any(|(_, origin)| *origin == Origin::ThisImage);
    let (what, command) = match rehearsed.iter().find_map(|(rehearsal, _)| experiment::cut_off(rehearsal)) {
        Some(target) => (
            format!(
                "Rehearse the image in the diagnosed network: whether it lets the process reach {target} decides whether it starts"
            ),
            case.rehearse_in_vpc_command()?,
        ),
        None if very_image => return None,
        None => (
            "Rehearse the image: run this very image here, under the service's contract, and see which clause breaks"
                .to_owned(),
            case.rehearse_command()?,
        ),
    };
    Some(Probe {
        what,
        command,
        gain_bits: 0.0,
        splits: shown.iter().map(|code| (*code).to_owned()).collect(),
    })
}

fn known_good_image(case: &Case, causes: &[Cause]) -> Option<Probe> {
    let compared = comparison::with_another(case).filter(|compared| compared.image_differs)?;
    let id = launchpath_model::ids::RuntimeId::from(compared.plain.with.as_str());
    let good = Case::of(case.world, Some(id), DEFAULT_ENDPOINT.to_owned());
    case.vpc_config()?;
    let network = network_of(case)?;
    let artifact = serde_json::json!({ "containerConfiguration": { "containerUri": good.pinned_image()? } });
    let role = case.runtime()?.role_arn.clone()?;
    let request = serde_json::json!({
        "agentRuntimeName": "launchpath_known_good",
        "agentRuntimeArtifact": artifact,
        "roleArn": role,
        "networkConfiguration": network,
    });
    let in_image: Vec<&str> = causes
        .iter()
        .map(|cause| cause.fault.as_str())
        .filter(|code| matches!(code.split('.').next(), Some("app" | "contract" | "image")))
        .collect();
    let share: f64 =
        causes.iter().filter(|c| in_image.contains(&c.fault.as_str())).map(|c| c.probability).sum();
    let rest: f64 = causes.iter().map(|c| c.probability).sum::<f64>() - share;
    let bits = [share, rest].iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum::<f64>();
    Some(Probe {
        what: format!(
            "Run the known-good image of {} in this network (makes a runtime: delete it afterwards)",
            compared.plain.with
        ),
        command: case.command("bedrock-agentcore-control", "CreateAgentRuntime", &request),
        splits: in_image.iter().map(|code| (*code).to_owned()).collect(),
        gain_bits: ((bits * 100.0).round() / 100.0).max(0.0),
    })
}

/// The missing look-ups of undecided suspects, one probe per command.
fn look_ups(suspects: &BTreeSet<&str>, unknown: &[Undecided]) -> Vec<Probe> {
    let mut by_command: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for undecided in unknown.iter().filter(|u| suspects.contains(u.fault.as_str())) {
        for missing in &undecided.missing {
            let Some(command) = &missing.command else { continue };
            if !command.starts_with("aws ") {
                continue;
            }
            let entry = by_command.entry(command).or_insert((&missing.evidence, BTreeSet::new()));
            entry.1.insert(&undecided.fault);
        }
    }
    by_command
        .into_iter()
        .map(|(command, (what, faults))| {
            let faults: Vec<&str> = faults.into_iter().collect();
            Probe {
                what: format!("Look up {what}"),
                command: command.to_owned(),
                gain_bits: 0.0,
                splits: faults.iter().map(|code| (*code).to_owned()).collect(),
            }
        })
        .collect()
}

/// Nothing found and nothing seen to fail: one call would tell.
fn invoke_once(case: &Case, progress: &Progress) -> Option<Probe> {
    if progress.all_failures().next().is_some() {
        return None;
    }
    Some(Probe {
        what: "Make one test invocation and record how it ends".to_owned(),
        command: invocation(case)?,
        splits: Vec::new(),
        gain_bits: 1.0,
    })
}

/// Whether it fails again, in a session of its own, with the log of that minute: what belongs to one session or one moment is gone
/// then.
fn call_again(case: &Case, open: &BTreeSet<&str>) -> Option<Probe> {
    if !case.is_ready() {
        return None;
    }
    let of_a_moment = [
        "app.wedged_state",
        "contract.blocked_event_loop",
        "life.session_expired",
        "life.session_pins_version",
        "svc.session_conflict",
        "svc.transient_cold_start",
    ];
    Some(Probe {
        what: "Call once more, with a new session, and read what that call leaves in log and trail: an answer speaks for the old session or a slow moment, the same error for the process or the service"
            .to_owned(),
        command: invocation(case)?,
        splits: of_a_moment.into_iter().filter(|code| open.contains(code)).map(str::to_owned).collect(),
        gain_bits: 0.0,
    })
}

/// V2 goes on from a snapshot that was healthy when it was made: a new one tells what went stale in it from what is in the image.
fn build_again(case: &Case) -> Option<Probe> {
    if case.combination.platform != Platform::V2
        || case.combination.platform_assumed.is_some()
        || !case.is_ready()
    {
        return None;
    }
    let runtime = case.runtime()?;
    let id = case.id.as_ref()?;
    let request = serde_json::json!({
        "agentRuntimeId": id.as_str(),
        "agentRuntimeArtifact": { "containerConfiguration": { "containerUri": runtime.container_uri()? } },
        "roleArn": runtime.role_arn.clone()?,
        "networkConfiguration": network_of(case)?,
    });
    Some(Probe {
        what: "Build a new snapshot with an update that changes nothing (it replaces every member: add those that are not named here), then call: an answer says that something in the old snapshot went stale, such as a connection or a credential; a failed build names its stage"
            .to_owned(),
        command: case.command("bedrock-agentcore-control", "UpdateAgentRuntime", &request),
        splits: Vec::new(),
        gain_bits: 0.0,
    })
}

fn network_of(case: &Case) -> Option<serde_json::Value> {
    if case.combination.mode == Some(Mode::Public) {
        return Some(serde_json::json!({ "networkMode": "PUBLIC" }));
    }
    let config = case.vpc_config()?;
    Some(serde_json::json!({ "networkMode": "VPC", "networkModeConfig": {
        "subnets": config.subnets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "securityGroups": config.security_groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
    } }))
}

/// Nothing else can be named: the state that the runtime is in, or which runtimes there are.
fn describe(case: &Case) -> Probe {
    let (what, command) = match &case.id {
        Some(id) => (
            "Look at the runtime once more: its state, and the reason where it failed",
            case.command(
                "bedrock-agentcore-control",
                "GetAgentRuntime",
                &serde_json::json!({ "agentRuntimeId": id.as_str() }),
            ),
        ),
        None => (
            "List the runtimes: which of them is meant",
            case.command("bedrock-agentcore-control", "ListAgentRuntimes", &serde_json::json!({})),
        ),
    };
    Probe { what: what.to_owned(), command, splits: Vec::new(), gain_bits: 0.0 }
}

fn invocation(case: &Case) -> Option<String> {
    let id = case.id.as_ref()?;
    let region = case.world.region.as_ref().map(|region| format!(" --region {region}")).unwrap_or_default();
    Some(format!("launchpath diagnose {id}{region} --invoke '{{\"prompt\": \"ping\"}}'"))
}
