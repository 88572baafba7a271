//! `net.dns_off`: the VPC's DNS settings keep names from resolving to where they should.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.dns_off",
    title: "The VPC's DNS settings keep names from resolving to where they should",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "DescribeVpcAttribute", "DescribeVpcEndpoints", "DescribeDhcpOptions"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
