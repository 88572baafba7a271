//! `net.central_egress_path`: a transit gateway, VPN, firewall or appliance on the way out drops or rewrites traffic.

use launchpath_model::aws::route_table::Route;
use launchpath_model::ids::SubnetId;
use launchpath_model::{EvidenceId, Gap, GapReason, Known};

use crate::case::Case;
use crate::chain::Stage;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.central_egress_path",
    title: "The way out leads through a network that this input does not show",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "DescribeRouteTables"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(config) = case.vpc_config() else {
        return Check::NotApplicable("only in VPC mode");
    };
    let mut elsewhere = Vec::new();
    let mut evidence = Vec::new();
    let mut unseen = false;
    for subnet in &config.subnets {
        match way_out(case, subnet, MOST_GATEWAYS) {
            Way::Elsewhere(target, seen) => {
                elsewhere.push(format!("{subnet} by {target}"));
                evidence.extend(seen);
            }
            Way::Here(seen) => evidence.extend(seen),
            Way::Unseen => unseen = true,
        }
    }
    if elsewhere.is_empty() {
        return if unseen {
            Check::unknown(gap(case, evidence))
        } else {
            Check::ruled_out(
                "no route of the subnets to public addresses leads through another network, and none behind their NAT gateways",
                evidence,
            )
        };
    }
    // The caller that waits for its whole time-out, and no answer of the service, is the sign of it.
    let hangs = context
        .progress
        .all_failures()
        .find(|failure| failure.fault == Some("client.timeout") && !failure.reported);
    let Some(hangs) = hangs else {
        return Check::unknown(gap(case, evidence));
    };
    // A process that is busy for longer than the caller waits looks the same from outside: its log tells.
    if let Known::Unknown(log) = case.log_lines()
        && !matches!(log.reason, GapReason::NotVisible { .. })
    {
        return Check::unknown(log);
    }
    evidence.extend(hangs.evidence.clone());
    let text = format!(
        "the way out leads through another network ({}), and the call hung until the caller gave up",
        elsewhere.join(", ")
    );
    Check::found(Finding::new(Certainty::Circumstantial, elsewhere, vec![because(text, &evidence, 5.0)]))
}

enum Way {
    /// Through a gateway of another network.
    Elsewhere(String, Vec<EvidenceId>),
    /// Through the VPC's own gateways, or there is none.
    Here(Vec<EvidenceId>),
    /// Not seen.
    Unseen,
}

/// NAT gateways behind each other that are followed; routes may lead round in circles.
const MOST_GATEWAYS: usize = 4;

/// Where the routes to public addresses of a subnet's table lead.
fn way_out(case: &Case, subnet: &SubnetId, gateways: usize) -> Way {
    let tables = &case.world.network.route_tables;
    let vpc = case.world.network.subnets.seen(subnet).map(|row| row.value.vpc_id.clone());
    let of_subnet = tables.iter().find(|(_, row)| {
        row.value
            .associations
            .iter()
            .flatten()
            .any(|association| association.subnet_id.as_ref() == Some(subnet))
    });
    let main = || {
        tables.iter().find(|(_, row)| {
            Some(&row.value.vpc_id) == vpc.as_ref()
                && row.value.associations.iter().flatten().any(|association| association.main == Some(true))
        })
    };
    let Some((_, row)) = of_subnet.or_else(main) else { return Way::Unseen };
    let mut evidence = row.evidence.clone();
    for route in row.value.routes.iter().flatten().filter(|route| leads_out(route)) {
        let virtual_gateway =
            route.gateway_id.as_ref().filter(|id| id.starts_with("vgw-") || id.starts_with("vpce-"));
        let target = route
            .transit_gateway_id
            .as_ref()
            .map(ToString::to_string)
            .or_else(|| virtual_gateway.cloned())
            .or_else(|| route.core_network_arn.clone())
            .or_else(|| route.network_interface_id.as_ref().map(ToString::to_string));
        if let Some(target) = target {
            return Way::Elsewhere(target, evidence);
        }
        // A firewall may stand behind the gateway: the way goes on by the table of the gateway's own subnet.
        let Some(id) = &route.nat_gateway_id else { continue };
        let Some(nat) = case.world.network.nat_gateways.seen(id) else { return Way::Unseen };
        let Some(behind) = nat.value.subnet_id.as_ref().filter(|behind| *behind != subnet) else { continue };
        match gateways.checked_sub(1).map_or(Way::Unseen, |left| way_out(case, behind, left)) {
            Way::Elsewhere(target, seen) => {
                evidence.extend(seen);
                return Way::Elsewhere(format!("{id} and {target}"), evidence);
            }
            Way::Here(seen) => evidence.extend(seen),
            Way::Unseen => return Way::Unseen,
        }
    }
    Way::Here(evidence)
}

/// Whether the route leads to public addresses: the default route, or one of its parts.
fn leads_out(route: &Route) -> bool {
    route.destination_cidr_block.is_some_and(|block| block.prefix_len() < 8 || !block.network().is_private())
}

fn gap(case: &Case, evidence: Vec<EvidenceId>) -> Gap {
    Gap {
        what: "what the network behind the default route lets through".to_owned(),
        reason: GapReason::NotModelled { what: "firewalls and appliances of other accounts".to_owned() },
        evidence,
        command: case.vpc_id().map(|vpc| {
            case.command(
                "ec2",
                "DescribeFlowLogs",
                &serde_json::json!({ "Filter": [{ "Name": "resource-id", "Values": [vpc.as_str()] }] }),
            )
        }),
    }
}
