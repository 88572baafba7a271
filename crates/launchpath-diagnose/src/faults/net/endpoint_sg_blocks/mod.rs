//! `net.endpoint_sg_blocks`: a VPC endpoint's security group does not admit the runtime.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.endpoint_sg_blocks",
    title: "A VPC endpoint's security group does not admit the runtime",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 1.0,
    needs: &[
        "GetAgentRuntime",
        "DescribeSubnets",
        "DescribeVpcEndpoints",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
