//! `net.runtime_sg_egress_blocks`: the runtime's security group does not let the traffic out.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.runtime_sg_egress_blocks",
    title: "The runtime's security group does not let the traffic out",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "DescribeSubnets", "DescribeSecurityGroups", "DescribeManagedPrefixLists"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
