//! `net.missing_vpc_endpoint`: a required interface endpoint is missing where there is no other way out.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]), and of the way to a service that the process itself says
//! it could not reach.

use super::downstream_unreachable::{Unreached, unreached};
use crate::chain::Stage;
use crate::faults::{Check, Context, DIRECT, Fault, Finding, because};
use crate::paths::Paths;
use crate::process_log;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.missing_vpc_endpoint",
    title: "A required interface endpoint is missing where there is no other way out",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 3.0,
    needs: &[
        "GetAgentRuntime",
        "DescribeSubnets",
        "DescribeVpcEndpoints",
        "DescribeRouteTables",
        "DescribeNatGateways",
        "FilterLogEvents",
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let launch = Paths::check(context, FAULT.code);
    if matches!(launch, Check::Found(_)) {
        return launch;
    }
    match unreached(context.case) {
        Some(unreached) if unreached.code() == Some(FAULT.code) => called(context, &unreached),
        _ => launch,
    }
}

/// A service that the launch does not need and the process calls.
fn called(context: &Context, unreached: &Unreached) -> Check {
    let case = context.case;
    let Some(way) = &unreached.in_the_way else { return Check::NotApplicable("no way is blocked") };
    let said = format!("the process could not reach it: {}", process_log::excerpt(&unreached.line));
    // Before the death itself, which `net.downstream_unreachable` names: this is why.
    let (way_weight, said_weight) = if unreached.died { (5.0 * DIRECT, DIRECT) } else { (5.0, 8.0) };
    let mut lines =
        vec![because(&way.text, &way.evidence, way_weight), because(said, &unreached.evidence, said_weight)];
    lines.extend(way.granted.iter().map(|text| because(text, &[], 1.0)));
    let finding = Finding::new(unreached.certainty(), vec![way.endpoint_service.clone()], lines);
    let stage = context.progress.first_failed().unwrap_or(Stage::Response);
    let repairs = way.repairs(case);
    Check::found(finding.map(|finding| repairs.into_iter().fold(finding.at(stage), Finding::with_repair)))
}
