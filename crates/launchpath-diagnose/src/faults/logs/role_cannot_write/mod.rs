//! `logs.role_cannot_write`: the execution role may not create or write the runtime's log group.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_iam::{Decision, Layer};
use launchpath_model::{EvidenceId, Gap, Known};
use serde_json::json;

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::permissions;
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "logs.role_cannot_write",
    title: "The execution role may not write the runtime's log group",
    stage: Stage::LogDelivery,
    since: "0.1.0",
    prior: 5.0,
    needs: &[
        "GetAgentRuntime",
        "GetRole",
        "ListRolePolicies",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "GetPolicyVersion",
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Known::Known(fact) = case.log_lines() {
        return Check::ruled_out("the log group holds lines that the role wrote", fact.evidence);
    }
    let (Some(role), Some(group)) = (case.execution_role_name(), case.log_group()) else {
        return Check::unknown(Gap::not_asked(
            "the execution role",
            "aws bedrock-agentcore-control get-agent-runtime",
        ));
    };
    let partition = case.world.partition.as_deref().unwrap_or("aws");
    let region = case.world.region.as_ref().map_or("*", |region| region.as_str());
    let account = case.world.account.as_ref().map_or("*", |account| account.as_str());
    let group_arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}");
    let stream_arn = format!("{group_arn}:log-stream:runtime-logs");
    let mut evidence: Vec<EvidenceId> = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        let Some(answer) = permissions::role_may(case, action, &stream_arn, Layer::NotApplicable) else {
            continue;
        };
        evidence.extend(answer.evidence.clone());
        match answer.outcome.decision {
            Decision::Allowed => {}
            Decision::Unknown => gaps.extend(answer.gaps),
            Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => {
                let lines = vec![because(
                    format!("{role} may not {action}: {}", answer.why()),
                    &answer.evidence,
                    DIRECT,
                )];
                let document = json!({
                    "Version": "2012-10-17",
                    "Statement": [
                        { "Sid": "Group", "Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:DescribeLogStreams"],
                          "Resource": format!("arn:{partition}:logs:{region}:{account}:log-group:/aws/bedrock-agentcore/runtimes/*") },
                        { "Sid": "Groups", "Effect": "Allow", "Action": "logs:DescribeLogGroups",
                          "Resource": format!("arn:{partition}:logs:{region}:{account}:log-group:*") },
                        { "Sid": "Streams", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                          "Resource": format!("arn:{partition}:logs:{region}:{account}:log-group:/aws/bedrock-agentcore/runtimes/*:log-stream:*") },
                    ],
                });
                let change =
                    Change::RolePolicy { role: role.clone(), name: "agentcore-logs".to_owned(), document };
                let repair = Repair::new(
                    format!("Let {role} write the runtime's log group"),
                    Safety::Safe,
                    vec![change],
                );
                let finding = Finding::new(Certainty::Proven, vec![role], lines);
                return Check::found(finding.map(|finding| finding.with_repair(repair)));
            }
        }
    }
    if gaps.is_empty() {
        return Check::ruled_out(format!("the policies of {role} allow writing {group}"), evidence);
    }
    gaps.dedup();
    Check::Unknown(gaps)
}
