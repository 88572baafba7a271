//! Which fault a blocker of a path is: the one place that maps elements to fault codes.

use std::collections::BTreeMap;

use launchpath_iam::{Context, Decision, Layer, Layers, Policy, Principal, Request, evaluate};
use launchpath_model::aws::vpc_endpoint::{EndpointType, VpcEndpoint};
use launchpath_model::ids::{SubnetId, VpcEndpointId, VpcId};
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Row};
use launchpath_net::dns::{DnsAnswer, resolve};
use launchpath_net::{Answer, Blocker, BlockerKind, Edit, HopKind, HopVerdict, NeedPaths, Outcome, Verdict};

use super::Paths;
use super::repair::table_of;
use crate::case::Case;
use crate::chain::Stage;

/// A blocked element of one path, as a fault.
#[derive(Clone, Debug)]
pub(crate) struct Culprit {
    /// The fault.
    pub(crate) code: &'static str,
    /// The need's id.
    pub(crate) need: &'static str,
    /// The service it is about.
    pub(crate) service: String,
    /// The stage that needs it.
    pub(crate) stage: Stage,
    /// The subnet the path starts in.
    pub(crate) subnet: SubnetId,
    /// The resource at fault.
    pub(crate) subject: String,
    /// One sentence.
    pub(crate) text: String,
    /// The calls that show it.
    pub(crate) evidence: Vec<EvidenceId>,
    /// The change that opens it.
    pub(crate) edit: Option<Edit>,
    /// Whether an endpoint's policy refuses, not a packet filter or a route.
    pub(crate) by_policy: bool,
    /// What is taken for granted because the VPC's private zones were not listed.
    pub(crate) unlisted_zone: Option<String>,
    /// Whether such a zone could lead somewhere that is reached: some route leaves the VPC.
    pub(crate) zone_might_help: bool,
}

/// Share of the packets that must get through for a path to count as open. An ACL that denies one port drops the answers to one
/// ephemeral port in tens of thousands: the next attempt uses another.
const OPEN_SHARE: f64 = 0.95;

/// Whether the path carries its traffic: all of it, or all but a few unlucky source ports.
pub(super) fn is_open(answer: &Answer) -> bool {
    answer.verdict == Verdict::All
        || (answer.verdict == Verdict::Part && answer.delivered_share() >= OPEN_SHARE)
}

/// Whether every packet is blocked, as far as the evidence goes: only a private zone that nobody listed may be unknown.
pub(super) fn is_blocked(case: &Case, paths: &NeedPaths, subnet: &SubnetId, answer: &Answer) -> bool {
    if answer.verdict == Verdict::None {
        return true;
    }
    let Some(subnet) = case.world.network.subnets.seen(subnet) else { return false };
    let zone = resolve(&case.world.network, &subnet.value.vpc_id, &paths.need.name).hidden_zone;
    let only_the_zone =
        !answer.unknown.is_empty() && answer.unknown.iter().all(|gap| Some(gap) == zone.as_ref());
    let all_blocked =
        !answer.parts.is_empty() && answer.parts.iter().all(|part| part.outcome == Outcome::Blocked);
    answer.verdict == Verdict::Unknown && only_the_zone && all_blocked
}

/// The blockers that stand in the way wherever the name leads: where DNS is undecided, those of every possibility.
pub(super) fn certain_blockers(answer: &Answer) -> Vec<&Blocker> {
    let mut by_name: BTreeMap<&str, Vec<(BlockerKind, &str)>> = BTreeMap::new();
    for part in &answer.parts {
        let name = part.trace.iter().find(|hop| hop.kind == HopKind::Dns).map_or("", |hop| &*hop.text);
        let seen = part.blockers.iter().map(|blocker| (blocker.kind, &*blocker.id));
        by_name.entry(name).or_default().extend(seen);
    }
    let everywhere = |blocker: &&Blocker| {
        by_name.values().all(|blockers| blockers.contains(&(blocker.kind, &*blocker.id)))
    };
    answer.blocked_by.iter().map(AsRef::as_ref).filter(everywhere).collect()
}

/// The culprits of one path.
///
/// `network`: the one that was walked; where a name leads is asked of no other.
pub(super) fn culprits(
    case: &Case,
    network: &Network,
    paths: &NeedPaths,
    subnet: &SubnetId,
    answer: &Answer,
) -> Vec<Culprit> {
    let mut all: Vec<Culprit> = Vec::new();
    // An undecided path names no culprit: what is missing might open it.
    let decided = answer.verdict != Verdict::Unknown && !is_open(answer);
    if decided || is_blocked(case, paths, subnet, answer) {
        let unlisted = unlisted_zone(answer, &paths.need.name);
        let zone_might_help = unlisted.is_some() && routes_leave_the_vpc(case, subnet);
        let vpc = case.world.network.subnets.seen(subnet).map(|row| row.value.vpc_id.clone());
        for blocker in certain_blockers(answer) {
            let code = code_of(network, vpc.as_ref(), paths.need.service, &paths.need.name, blocker);
            let subject = match code {
                "net.missing_vpc_endpoint" | "net.s3_path_missing" => service_name(case, paths.need.service),
                "net.dns_off" => vpc.as_ref().map_or_else(|| blocker.id.to_string(), ToString::to_string),
                "net.public_subnet_no_nat" | "net.no_egress_route" => subnet.to_string(),
                _ => blocker.id.to_string(),
            };
            all.push(Culprit {
                code,
                need: paths.need.id,
                service: paths.need.service.to_owned(),
                stage: Paths::stage_of(&paths.need),
                subnet: subnet.clone(),
                subject,
                text: sentence(code, paths, blocker),
                evidence: blocker.evidence.clone(),
                edit: blocker.edit.clone(),
                by_policy: false,
                unlisted_zone: unlisted.clone(),
                zone_might_help,
            });
        }
    }
    all.extend(endpoint_policy(case, paths, subnet, answer));
    all
}

/// What keeps every packet from a service that the launch itself does not need; `None` where that is more than one kind of fault, or
/// not certain.
pub(super) fn of_service(
    case: &Case,
    network: &Network,
    paths: &NeedPaths,
    subnet: &SubnetId,
    answer: &Answer,
    service: &str,
) -> Option<Culprit> {
    if !is_blocked(case, paths, subnet, answer) {
        return None;
    }
    let name = &paths.need.name;
    let vpc = network.subnets.seen(subnet).map(|row| row.value.vpc_id.clone());
    let blockers = certain_blockers(answer);
    let first = *blockers.first()?;
    let code = code_of(network, vpc.as_ref(), service, name, first);
    if blockers.iter().any(|blocker| code_of(network, vpc.as_ref(), service, name, blocker) != code) {
        return None;
    }
    let unlisted_zone = unlisted_zone(answer, name);
    let zone_might_help = unlisted_zone.is_some() && routes_leave_the_vpc(case, subnet);
    Some(Culprit {
        code,
        need: paths.need.id,
        service: service.to_owned(),
        stage: Stage::ProcessStart,
        subnet: subnet.clone(),
        subject: service_name(case, service),
        text: first.text.to_string(),
        evidence: first.evidence.clone(),
        edit: first.edit.clone(),
        by_policy: false,
        unlisted_zone,
        zone_might_help,
    })
}

/// What is taken for granted of a path that only an unlisted private zone leaves open.
fn unlisted_zone(answer: &Answer, name: &str) -> Option<String> {
    (answer.verdict == Verdict::Unknown)
        .then(|| format!("no private hosted zone of the VPC answers for {name} (the zones were not listed)"))
}

/// Whether the subnet's routes lead to other private networks, where a private zone may point: a transit gateway, a peering, a
/// VPN, an interface. An internet or NAT gateway reaches no private address.
fn routes_leave_the_vpc(case: &Case, subnet: &SubnetId) -> bool {
    let Some(vpc) = case.world.network.subnets.seen(subnet).map(|row| row.value.vpc_id.clone()) else {
        return true;
    };
    let Some(table) = table_of(case, &vpc, subnet) else { return true };
    let Some(row) = case.world.network.route_tables.seen(&table) else { return true };
    row.value.routes.iter().flatten().any(|route| {
        route.transit_gateway_id.is_some()
            || route.vpc_peering_connection_id.is_some()
            || route.network_interface_id.is_some()
            || route.instance_id.is_some()
            || route.core_network_arn.is_some()
            || route.local_gateway_id.is_some()
            || route.gateway_id.as_deref().is_some_and(|id| id.starts_with("vgw-"))
    })
}

fn sentence(code: &str, paths: &NeedPaths, blocker: &Blocker) -> String {
    let need = &paths.need;
    let what = match code {
        "net.missing_vpc_endpoint" => format!("nothing leads to {} ({})", need.service, need.purpose),
        "net.s3_path_missing" => format!("nothing leads to S3 ({})", need.purpose),
        "net.dns_off" if blocker.kind != BlockerKind::DnsNoAnswer => format!(
            "{} ({}) is not reached: its name keeps the public address although an endpoint is there, and",
            need.service, need.purpose
        ),
        _ => format!("{} ({}) is not reached", need.service, need.purpose),
    };
    let colon = if what.ends_with(", and") { "" } else { ":" };
    format!("{what}{colon} {}", blocker.text)
}

/// The full name of an endpoint service.
pub(super) fn service_name(case: &Case, service: &str) -> String {
    let region = case.world.region.as_ref().map_or("REGION", |region| region.as_str());
    let prefix = if region.starts_with("cn-") { "cn.com.amazonaws" } else { "com.amazonaws" };
    format!("{prefix}.{region}.{service}")
}

fn code_of(
    network: &Network,
    vpc: Option<&VpcId>,
    service: &str,
    name: &str,
    blocker: &Blocker,
) -> &'static str {
    match blocker.kind {
        BlockerKind::SecurityGroupEgress => "net.runtime_sg_egress_blocks",
        BlockerKind::SecurityGroupIngress => "net.endpoint_sg_blocks",
        BlockerKind::NetworkAcl => "net.nacl",
        BlockerKind::DnsNoAnswer => "net.dns_off",
        _ => way_out(network, vpc, service, name, blocker),
    }
}

/// The traffic finds no way out: which of the ways that could be there is the one that is meant?
fn way_out(
    network: &Network,
    vpc: Option<&VpcId>,
    service: &str,
    name: &str,
    blocker: &Blocker,
) -> &'static str {
    let rows = network.vpc_endpoints.iter().map(|(_, row)| row);
    let endpoints: Vec<&Row<VpcEndpoint>> = rows.filter(|row| Some(&row.value.vpc_id) == vpc).collect();
    let interface = |row: &&Row<VpcEndpoint>| row.value.vpc_endpoint_type == Some(EndpointType::Interface);
    let for_this = endpoints.iter().copied().filter(interface).any(|row| row.value.service() == service);
    // An endpoint is there and the name does not lead to it: that is DNS, whatever the routes look like.
    if for_this && vpc.is_some_and(|vpc| resolves_publicly(network, vpc, name)) {
        return "net.dns_off";
    }
    let has_endpoints = endpoints.iter().copied().any(|row| interface(&row));
    match blocker.kind {
        BlockerKind::InternetGatewayNeedsPublicAddress => "net.public_subnet_no_nat",
        BlockerKind::EndpointUnavailable | BlockerKind::EndpointDoesNotServe if service == "s3" => {
            "net.s3_path_missing"
        }
        BlockerKind::EndpointUnavailable | BlockerKind::EndpointDoesNotServe => "net.missing_vpc_endpoint",
        _ if has_endpoints && service == "s3" => "net.s3_path_missing",
        _ if has_endpoints => "net.missing_vpc_endpoint",
        _ => "net.no_egress_route",
    }
}

fn resolves_publicly(network: &Network, vpc: &VpcId, name: &str) -> bool {
    let resolution = resolve(network, vpc, name);
    !resolution.possibilities.is_empty()
        && resolution.possibilities.iter().all(|p| matches!(p.answer, DnsAnswer::Public { .. }))
}

/// An endpoint policy that keeps image layers out: they come by a presigned URL of a principal that AWS owns.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html>
fn endpoint_policy(case: &Case, paths: &NeedPaths, subnet: &SubnetId, answer: &Answer) -> Option<Culprit> {
    if paths.need.id != "image_layers" || !is_open(answer) {
        return None;
    }
    let passed = answer.parts.iter().flat_map(|part| &part.trace);
    let hop =
        passed.clone().find(|hop| hop.kind == HopKind::VpcEndpoint && hop.verdict == HopVerdict::Passed)?;
    let row = case.world.network.vpc_endpoints.seen(&VpcEndpointId::from(&*hop.id))?;
    let document = match row.value.policy_document.as_ref()? {
        serde_json::Value::String(text) => Policy::read(text),
        other => Policy::read_value(other),
    };
    let policy = document.usable().ok()?;
    let region = case.world.region.as_ref()?;
    let bucket = format!("arn:aws:s3:::prod-{region}-starport-layer-bucket");
    let principal = Principal::parse(AWS_OWNED_PRINCIPAL).ok()?;
    let identity = Policy::parse(ALLOW_ALL).ok()?;
    let mut layers = Layers::none();
    layers.identity = Layer::one("presigned URL", identity);
    layers.endpoint = Layer::one(row.value.vpc_endpoint_id.to_string(), policy);
    let context = Context::partial("AWS's own principal signs the download");
    let request = Request::new(principal, "s3:GetObject", &format!("{bucket}/layer"), context)
        .ok()?
        .in_account("000000000000");
    let outcome = evaluate(&request, &layers);
    if !matches!(outcome.decision, Decision::ExplicitlyDenied | Decision::ImplicitlyDenied) {
        return None;
    }
    let why: Vec<String> = outcome.because.iter().take(2).map(ToString::to_string).collect();
    Some(Culprit {
        code: "net.s3_path_missing",
        need: paths.need.id,
        service: "s3".to_owned(),
        stage: Stage::ArtifactFetch,
        subnet: subnet.clone(),
        subject: row.value.vpc_endpoint_id.to_string(),
        text: format!(
            "the policy of {} keeps image layers out of {bucket}: {}",
            row.value.vpc_endpoint_id,
            why.join("; ")
        ),
        evidence: row.evidence.clone(),
        edit: None,
        by_policy: true,
        unlisted_zone: None,
        zone_might_help: false,
    })
}

/// Stands for the principal of AWS that signs layer downloads: no account of the customer's.
const AWS_OWNED_PRINCIPAL: &str = "arn:aws:iam::000000000000:role/image-layer-download";
const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
