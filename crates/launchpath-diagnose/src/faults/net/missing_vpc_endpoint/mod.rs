//! `net.missing_vpc_endpoint`: a required interface endpoint is missing where there is no other way out.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

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
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
