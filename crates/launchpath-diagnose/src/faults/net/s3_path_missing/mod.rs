//! `net.s3_path_missing`: no path to S3 for image layers or the code zip.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]).

use crate::chain::Stage;
use crate::faults::{Check, Context, Fault};
use crate::paths::Paths;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.s3_path_missing",
    title: "No path to S3 for image layers or the code zip",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "DescribeSubnets", "DescribeVpcEndpoints", "DescribeRouteTables"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    Paths::check(context, FAULT.code)
}
