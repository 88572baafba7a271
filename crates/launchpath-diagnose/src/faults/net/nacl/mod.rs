//! `net.nacl`: a network ACL drops requests or their answers.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.nacl",
    title: "A network ACL drops requests or their answers",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "DescribeSubnets", "DescribeNetworkAcls"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
