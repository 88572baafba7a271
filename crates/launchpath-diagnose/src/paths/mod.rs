//! The network paths of a launch, and which fault each blocked element is.
//!
//! `launchpath-net` walks; here each blocker of each path falls to exactly one fault kind, so that one broken element is one
//! fault. Start with [`Paths::of`] and [`Paths::check`].

mod assumption;
mod culprit;
mod known;
pub(crate) mod named;
pub(crate) mod plain;
mod repair;
mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use launchpath_model::ids::{AccountId, SubnetId, VpcEndpointId, VpcId};
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Gap, Known, service};
use launchpath_net::dns::{DnsAnswer, Resolution, resolve};
use launchpath_net::needs::{Artifact, Need, NeedsContext, Platform as NetPlatform, Required, needs};
use launchpath_net::{Answer, Engine, HopKind, HopVerdict, NeedPaths, Verdict, runtime_paths};

use crate::case::{ArtifactKind, Case, Mode, Platform};
use crate::chain::Stage;
use crate::faults::{Certainty, Check, Context, DIRECT, Finding, because};
use assumption::{ASSUMED, with_default_resolver, with_defaults};
pub(crate) use culprit::Culprit;
pub(crate) use known::KnownPaths;
use way::Way;

/// Most lines of reasoning per finding: the rest says the same of other services.
const MOST_LINES: usize = 4;

/// Every path of the launch, judged.
#[derive(Default)]
pub struct Paths {
    /// The needs and their answers from each subnet.
    needs: Vec<NeedPaths>,
    /// The same where every name resolves inside AWS as it does by default: for faults other than those of DNS, so that one
    /// unseen resolver does not leave every group and route undecided. Empty where the answers are decided as they are.
    if_names_resolve: Vec<NeedPaths>,
    /// The needs whose name then leads to one place.
    one_place: BTreeSet<&'static str>,
    /// Blockers by fault.
    culprits: BTreeMap<&'static str, Vec<Culprit>>,
    /// Where each need's name leads, from the evidence alone; worked out once, for all who share these paths.
    resolutions: OnceLock<Vec<Resolution>>,
    /// What findings take for granted, one sentence each.
    granted: Vec<String>,
    /// Why nothing could be walked.
    gap: Option<Gap>,
}

impl Paths {
    /// Walks every path that the launch needs.
    pub fn of(case: &Case) -> Self {
        let Some(config) = case.vpc_config() else {
            return Self::default();
        };
        let (network, granted) = with_default_resolver(&case.world.network);
        let engine = Engine::new(&network);
        let wanted = wanted(case);
        let needs = runtime_paths(&engine, &config.subnets, &config.security_groups, &wanted);
        let undecided =
            needs.iter().flat_map(|p| &p.by_subnet).any(|(_, answer)| answer.verdict == Verdict::Unknown);
        let mut if_names_resolve = Vec::new();
        let mut one_place = BTreeSet::new();
        if undecided {
            let network = with_defaults(&case.world.network);
            if_names_resolve =
                runtime_paths(&Engine::new(&network), &config.subnets, &config.security_groups, &wanted);
            let vpc = case.vpc_id().unwrap_or_default();
            one_place.extend(
                wanted.iter().filter(|need| leads_to_one_place(&network, &vpc, need)).map(|need| need.id),
            );
        }
        let mut culprits: BTreeMap<&'static str, Vec<Culprit>> = BTreeMap::new();
        for paths in &needs {
            for (subnet, answer) in &paths.by_subnet {
                for culprit in culprit::culprits(case, &network, paths, subnet, answer) {
                    culprits.entry(culprit.code).or_default().push(culprit);
                }
            }
        }
        let gap =
            case.world.region.is_none().then(|| Gap::not_asked("the Region", "aws configure get region"));
        Self { needs, if_names_resolve, one_place, culprits, granted, gap, ..Self::default() }
    }

    /// The services of the launch, each with its way from the runtime's subnets.
    pub(crate) fn ways(&self, case: &Case) -> Vec<Way<'_>> {
        let resolutions: Vec<&Resolution> = self.resolved(case).map(|(_, resolution)| resolution).collect();
        let ways = self.needs.iter().enumerate();
        ways.map(|(row, paths)| Way::of(paths, resolutions.get(row).copied())).collect()
    }

    fn stage_of(need: &Need) -> Stage {
        if need.stage == "log_delivery" { Stage::LogDelivery } else { Stage::ArtifactFetch }
    }

    /// What the paths say of one of the path faults.
    pub fn check(context: &Context, code: &'static str) -> Check {
        let case = context.case;
        if case.combination.capacity_provider {
            return Check::NotApplicable("a capacity provider's own network carries the traffic");
        }
        if case.combination.mode == Some(Mode::Public) {
            return Check::NotApplicable("only in VPC mode");
        }
        let paths = case.paths();
        if let Some(gap) = paths.gap.clone() {
            return Check::unknown(gap);
        }
        if case.vpc_config().is_none() {
            return match case.known_runtime() {
                Known::Unknown(gap) => Check::unknown(gap),
                _ => Check::NotApplicable("the runtime has no subnets of its own"),
            };
        }
        match paths.culprits.get(code) {
            Some(culprits) => found(case, paths, code, culprits),
            None if code == "net.dns_off" => paths.names(case),
            None => paths.absent(case, code),
        }
    }

    /// The interface endpoints to which the names of the launch certainly lead and that are reached, with the service; each once.
    pub(crate) fn endpoints_reached(&self, case: &Case) -> BTreeSet<(&str, VpcEndpointId)> {
        let reached = |paths: &NeedPaths| {
            !paths.by_subnet.is_empty()
                && paths.by_subnet.iter().all(|(_, answer)| answer.verdict == Verdict::All)
        };
        let leads_to = |resolution: &Resolution| match resolution.possibilities.as_slice() {
            [only] => match &only.answer {
                DnsAnswer::Endpoint(id) => Some(id.clone()),
                _ => None,
            },
            _ => None,
        };
        let open = self.resolved(case).filter(|(paths, _)| reached(paths));
        open.filter_map(|(paths, resolution)| Some((paths.need.service, leads_to(resolution)?))).collect()
    }

    /// The needs, and where their names lead; none where the VPC is not known.
    fn resolved(&self, case: &Case) -> impl Iterator<Item = (&NeedPaths, &Resolution)> {
        let resolutions = self.resolutions.get_or_init(|| {
            let Some(vpc) = case.vpc_id() else { return Vec::new() };
            self.needs.iter().map(|paths| resolve(&case.world.network, &vpc, &paths.need.name)).collect()
        });
        self.needs.iter().zip(resolutions)
    }

    /// What would have to be known to say where a need's name leads.
    fn open_names(&self, case: &Case, need: &Need) -> Vec<Gap> {
        let mut resolved = self.resolved(case);
        let resolution =
            resolved.find(|(paths, _)| paths.need.id == need.id).map(|(_, resolution)| resolution);
        let possibilities = resolution.into_iter().flat_map(|resolution| &resolution.possibilities);
        possibilities.flat_map(|possibility| possibility.depends_on.clone()).collect()
    }

    /// Whether the names the launch needs resolve, from the evidence alone.
    fn names(&self, case: &Case) -> Check {
        if case.vpc_id().is_none() {
            let first =
                case.vpc_config().and_then(|config| config.subnets.first().cloned()).unwrap_or_default();
            return match case.subnet(&first) {
                Known::Unknown(gap) => Check::unknown(gap),
                _ => Check::unknown(Gap::not_asked("the VPC", "aws ec2 describe-subnets")),
            };
        }
        let mut evidence: Vec<EvidenceId> = Vec::new();
        let mut gaps: Vec<Gap> = Vec::new();
        let mut shown: Option<String> = None;
        for (paths, resolution) in self.resolved(case) {
            for possibility in &resolution.possibilities {
                gaps.extend(possibility.depends_on.clone());
                if let DnsAnswer::Elsewhere(gap) = &possibility.answer {
                    gaps.push(gap.clone());
                }
                evidence.extend(possibility.evidence.clone());
                shown = shown.or_else(|| Some(format!("{}: {}", paths.need.service, possibility.why)));
            }
        }
        if gaps.is_empty() {
            let shown = shown.map(|shown| format!("; for example {shown}")).unwrap_or_default();
            return Check::ruled_out(format!("the names resolve where they should{shown}"), evidence);
        }
        Check::Unknown(distinct(gaps))
    }

    /// No blocker of that kind was seen: ruled out where the evidence decides, unknown where it does not.
    fn absent(&self, case: &Case, code: &'static str) -> Check {
        if let Some(other) =
            WAYS_OUT.iter().filter(|_| WAYS_OUT.contains(&code)).find_map(|c| self.culprits.get(c)?.first())
        {
            let text = format!("what stands in the way out is {}: {}", other.code, other.text);
            return Check::ruled_out(text, other.evidence.clone());
        }
        let mut evidence: Vec<EvidenceId> = Vec::new();
        let mut gaps: Vec<Gap> = Vec::new();
        let mut shown: Option<String> = None;
        // Whether an answer counts on it that names resolve inside AWS as they do by default.
        let mut by_default = false;
        let s3_only = code == "net.s3_path_missing";
        for (row, paths) in
            self.needs.iter().enumerate().filter(|(_, paths)| !s3_only || paths.need.service == "s3")
        {
            for (column, (_, answer)) in paths.by_subnet.iter().enumerate() {
                let assumed = self.if_names_resolve.get(row).and_then(|paths| paths.by_subnet.get(column));
                let one_place = self.one_place.contains(paths.need.id);
                match relevant(code, answer, assumed.map(|(_, answer)| answer), one_place) {
                    Some((ids, text)) => {
                        by_default |= answer.verdict == Verdict::Unknown;
                        evidence.extend(ids);
                        shown = shown.or(text.map(|text| format!("{}: {text}", paths.need.service)));
                    }
                    None if answer.unknown.is_empty() => gaps.extend(self.open_names(case, &paths.need)),
                    None => gaps.extend(answer.unknown.clone()),
                }
            }
        }
        if !gaps.is_empty() {
            return Check::Unknown(distinct(gaps));
        }
        if s3_only && evidence.is_empty() {
            let (ends, provenance) = service::date("managed_s3_gateway_ends");
            let text = format!(
                "created before {}: the service's own S3 gateway carries image layers ({})",
                ends.date(),
                provenance.source
            );
            return Check::ruled_out(text, case.runtime_evidence());
        }
        evidence.retain(|id| id.as_str() != ASSUMED);
        let subnets = self.needs.first().map_or(0, |paths| paths.by_subnet.len());
        let from = if subnets == 1 {
            "from the one subnet".to_owned()
        } else {
            format!("from all {subnets} subnets")
        };
        let from = if by_default { format!("{from}, as names resolve by default") } else { from };
        let text = shown.map_or_else(
            || format!("no path {from} meets it"),
            |shown| format!("{}; for example {shown}", passes(code, &from)),
        );
        Check::ruled_out(text, evidence)
    }
}

/// What the launch needs of the network.
fn wanted(case: &Case) -> Vec<Need> {
    let stages = |need: &Need| matches!(need.stage, "artifact_fetch" | "log_delivery");
    needs(&needs_context(case)).into_iter().filter(stages).collect()
}

/// Whether a need's name leads to one place only, as far as DNS is concerned.
fn leads_to_one_place(network: &Network, vpc: &VpcId, need: &Need) -> bool {
    let resolution = resolve(network, vpc, &need.name);
    matches!(resolution.possibilities.as_slice(), [only]
        if only.depends_on.is_empty() && !matches!(only.answer, DnsAnswer::Elsewhere(_)))
}

/// Each missing thing once.
fn distinct(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_by(|a, b| a.what.cmp(&b.what));
    gaps.dedup_by(|a, b| a.what == b.what);
    gaps
}

/// What holds when a fault is ruled out, in words.
fn passes(code: &str, from: &str) -> String {
    let what = match code {
        "net.endpoint_sg_blocks" => "the endpoints' groups admit the runtime's",
        "net.runtime_sg_egress_blocks" => "the runtime's groups let the traffic out",
        "net.nacl" => "the network ACLs let requests out and answers in",
        "net.s3_path_missing" => "a way leads to S3",
        _ => "a way leads to every service the launch needs",
    };
    format!("{what} {from}")
}

/// The faults of a way out that is not there: one broken way is one of them.
const WAYS_OUT: &[&str] =
    &["net.missing_vpc_endpoint", "net.no_egress_route", "net.public_subnet_no_nat", "net.s3_path_missing"];

/// The calls and a sentence that show that no element of the fault's kind stands in the way; `None` where that is open.
///
/// `assumed`: the same question where names resolve as they do by default. It may decide that a path is open, or that the
/// elements in question let everything pass (on a path that is undecided elsewhere only if its name leads to `one_place`); that
/// they drop something is never taken from it.
fn relevant(
    code: &str,
    answer: &Answer,
    assumed: Option<&Answer>,
    one_place: bool,
) -> Option<(Vec<EvidenceId>, Option<String>)> {
    let decided = match (answer.verdict, assumed) {
        (Verdict::Unknown, Some(assumed)) if assumed.verdict != Verdict::Unknown => assumed,
        (Verdict::Unknown, Some(assumed)) if one_place && !WAYS_OUT.contains(&code) => assumed,
        (Verdict::Unknown, _) => return None,
        _ => answer,
    };
    let hops: Vec<_> =
        decided.parts.iter().flat_map(|part| &part.trace).filter(|hop| is_about(code, hop)).collect();
    let all_passed = hops.iter().all(|hop| hop.verdict == HopVerdict::Passed);
    if !culprit::is_open(decided) && (hops.is_empty() || !all_passed) {
        return None;
    }
    let text = hops.iter().map(|hop| &hop.text).find(|text| !text.is_empty()).map(ToString::to_string);
    // A way out is shown by all of it: where the name leads, the route, and what it leads to.
    let evidence = if hops.is_empty() || WAYS_OUT.contains(&code) {
        decided.evidence.clone()
    } else {
        hops.iter().flat_map(|hop| hop.evidence.clone()).collect()
    };
    Some((evidence, text))
}

fn is_about(code: &str, hop: &launchpath_net::Hop) -> bool {
    use launchpath_net::{Direction, Leg};
    match code {
        "net.endpoint_sg_blocks" => {
            hop.kind == HopKind::SecurityGroup
                && hop.direction == Some(Direction::Ingress)
                && hop.leg == Leg::Request
        }
        "net.runtime_sg_egress_blocks" => {
            hop.kind == HopKind::SecurityGroup
                && hop.direction == Some(Direction::Egress)
                && hop.leg == Leg::Request
        }
        "net.nacl" => hop.kind == HopKind::NetworkAcl,
        _ => matches!(
            hop.kind,
            HopKind::RouteTable
                | HopKind::NatGateway
                | HopKind::InternetGateway
                | HopKind::VpcEndpoint
                | HopKind::TransitGateway
        ),
    }
}

/// One finding for a fault: every path it blocks, every element at fault, one repair for all of them.
fn found(case: &Case, paths: &Paths, code: &'static str, culprits: &[Culprit]) -> Check {
    let mut subjects: Vec<String> = culprits.iter().map(|culprit| culprit.subject.clone()).collect();
    subjects.sort();
    subjects.dedup();
    let main = culprits.iter().any(|culprit| culprit.stage == Stage::ArtifactFetch);
    let stage = if main { Stage::ArtifactFetch } else { Stage::LogDelivery };
    let mut certainty = Certainty::Circumstantial;
    let mut lines = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let ordered =
        culprits.iter().filter(|c| c.stage == stage).chain(culprits.iter().filter(|c| c.stage != stage));
    for culprit in ordered {
        let Some(need) = paths.needs.iter().find(|paths| paths.need.id == culprit.need) else { continue };
        let everywhere = need.by_subnet.iter().all(|(subnet, answer)| {
            let by_policy =
                culprits.iter().any(|c| c.by_policy && c.need == culprit.need && c.subnet == *subnet);
            by_policy || culprit::is_blocked(case, need, subnet, answer)
        });
        let certain = !matches!(need.need.required, Required::Unknown(_)) && !culprit.zone_might_help;
        if everywhere && culprit.stage == stage && certain {
            certainty = Certainty::Proven;
        }
        let text = if everywhere {
            culprit.text.clone()
        } else {
            format!("{} (only from {})", culprit.text, culprit.subnet)
        };
        if seen.contains(&culprit.text.as_str()) || lines.len() >= MOST_LINES {
            continue;
        }
        seen.push(&culprit.text);
        lines.push(because(text, &culprit.evidence, if lines.is_empty() { DIRECT } else { 1.0 }));
    }
    if certainty == Certainty::Circumstantial {
        let subnets: Vec<&SubnetId> = culprits.iter().map(|c| &c.subnet).collect();
        let all = case.vpc_config().map_or(0, |config| config.subnets.len());
        let blocked = subnets.iter().collect::<std::collections::BTreeSet<_>>().len();
        if blocked < all {
            lines.push(because(
                format!("{blocked} of {all} subnets are affected; the service chooses the subnet, so launches fail now and then"),
                &case.runtime_evidence(),
                1.0,
            ));
        }
    }
    let granted = paths.granted.iter().map(|text| format!("taken for granted: {text}"));
    lines.extend(granted.map(|text| because(text, &[], 1.0)));
    let zone = culprits.iter().find_map(|culprit| culprit.unlisted_zone.as_ref());
    lines.extend(zone.map(|text| because(format!("taken for granted: {text}"), &[], 1.0)));
    let finding = Finding::new(certainty, subjects, lines).map(|finding| finding.at(stage));
    let repairs = repair::repairs(case, code, culprits);
    Check::found(finding.map(|finding| repairs.into_iter().fold(finding, Finding::with_repair)))
}

fn needs_context(case: &Case) -> NeedsContext {
    let runtime = case.runtime();
    let evidence = case.runtime_evidence();
    let registry = case.image_uri().and_then(|uri| uri.ecr()).map(|ecr| AccountId::from(ecr.account));
    let no = || Known::seen(false, evidence.clone());
    NeedsContext {
        region: case.world.region.clone(),
        registry_account: registry.or_else(|| case.world.account.clone()),
        in_vpc: case.combination.mode == Some(Mode::Vpc),
        platform: match case.combination.platform {
            Platform::V1 => NetPlatform::V1,
            Platform::V2 => NetPlatform::V2,
        },
        artifact: match case.combination.artifact {
            ArtifactKind::CodeZip => Artifact::Code,
            ArtifactKind::Container | ArtifactKind::Unknown => Artifact::Container,
        },
        managed_s3: managed_s3(case),
        exports_traces: no(),
        mounts_nfs: Known::seen(runtime.is_some() && case.combination.mounts, evidence.clone()),
        session_storage: no(),
    }
}

/// Whether the service's own S3 gateway carries layers and code for this runtime.
fn managed_s3(case: &Case) -> Known<bool> {
    let evidence = case.runtime_evidence();
    let opted_out = case.vpc_config().and_then(|config| config.require_service_s3_endpoint) == Some(false);
    let (ends, _) = service::date("managed_s3_gateway_ends");
    let (gone, _) = service::date("managed_s3_gateway_gone");
    match case.created_at() {
        _ if opted_out => Known::seen(false, evidence),
        Some(created) if created < ends => Known::seen(true, evidence),
        Some(created) if created >= gone => Known::seen(false, evidence),
        _ => Known::Unknown(Gap {
            what: "whether the service's own S3 gateway still carries image layers for this runtime"
                .to_owned(),
            reason: launchpath_model::GapReason::NotModelled {
                what: "runtimes created during the roll-out of May and June 2026, or at an unknown date"
                    .to_owned(),
            },
            evidence,
            command: None,
        }),
    }
}
