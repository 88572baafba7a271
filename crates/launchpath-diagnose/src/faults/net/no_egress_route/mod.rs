//! `net.no_egress_route`: the subnet has neither a default route nor endpoints.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.no_egress_route",
    title: "The subnet has neither a default route nor endpoints",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 1.5,
    needs: &[
        "GetAgentRuntime",
        "DescribeSubnets",
        "DescribeRouteTables",
        "DescribeVpcEndpoints",
        "DescribeNatGateways",
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
