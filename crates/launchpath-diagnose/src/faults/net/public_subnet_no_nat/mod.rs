//! `net.public_subnet_no_nat`: the subnet's default route is an internet gateway, which a runtime's interface cannot use.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.public_subnet_no_nat",
    title: "The subnet's default route is an internet gateway, which a runtime's interface cannot use",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
