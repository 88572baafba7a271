//! `logs.role_cannot_write`: the execution role may not create or write the runtime's log group.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_iam::{Decision, Layer};
use launchpath_model::{Arn, EvidenceId, Gap, Known};
use serde_json::json;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::permissions::{Answer, ExecutionRole};
use crate::process_log;
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
        "FilterLogEvents",
        "DescribeLogGroups",
        "GetRole",
        "ListRolePolicies",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "GetPolicyVersion",
    ],
    check,
    doc: include_str!("doc.md"),
};

pub(super) fn check(context: &Context) -> Check {
    let case = context.case;
    // What an older version wrote, it may have written with another role.
    if let Some(line) = process_log::lines(case).last() {
        let text = "the log group holds lines that the present version's role wrote";
        return Check::ruled_out(text, vec![line.evidence.clone()]);
    }
    let missing = || case.undescribed("the execution role");
    let (Some(role), Some(names)) = (case.execution_role_name(), Names::of(case)) else {
        return Check::unknown(missing());
    };
    let mut evidence: Vec<EvidenceId> = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let Some(asked) = ExecutionRole::of(case, &Layer::NotApplicable) else {
        return Check::unknown(missing());
    };
    for (action, resources) in names.needed(case) {
        let answers: Option<Vec<Answer>> =
            resources.iter().map(|resource| asked.may(action, resource)).collect();
        let Some(answers) = answers else { return Check::unknown(missing()) };
        evidence.extend(answers.iter().flat_map(|answer| answer.evidence.clone()));
        if answers.iter().any(|answer| answer.outcome.decision == Decision::Allowed) {
            continue;
        }
        if let Some(open) = answers.iter().find(|answer| answer.outcome.decision == Decision::Unknown) {
            gaps.extend(open.gaps.clone());
            continue;
        }
        let Some(denied) = answers.first() else { continue };
        if action == "logs:CreateLogGroup"
            && let Known::Unknown(gap) = group_of(case, &names.group)
        {
            // Where the group exists, nobody needs to create it.
            gaps.push(gap);
            continue;
        }
        let lines =
            vec![because(format!("{role} may not {action}: {}", denied.why()), &denied.evidence, DIRECT)];
        let finding = Finding::new(Certainty::Proven, vec![role.clone()], lines);
        return Check::found(finding.map(|finding| finding.with_repair(allow(&names, &role))));
    }
    if gaps.is_empty() {
        let text = format!("the policies of {role} allow writing {}", names.group);
        return Check::ruled_out(text, evidence);
    }
    gaps.dedup();
    Check::Unknown(gaps)
}

fn group_of(case: &Case, group: &str) -> Known<()> {
    let command = case.command("logs", "DescribeLogGroups", &json!({ "logGroupNamePrefix": group }));
    let target = case.target(format!("the log group {group}"), command).with("logGroupName", group);
    case.world.log_groups.get(&group.to_owned(), &target).map(|_| ())
}

/// The names the questions are about.
struct Names {
    /// `arn:PARTITION:logs:REGION:ACCOUNT:log-group:`
    prefix: String,
    group: String,
}

impl Names {
    /// From the runtime's own ARN: it holds partition, Region and account.
    fn of(case: &Case) -> Option<Self> {
        let arn: Arn = case.runtime()?.agent_runtime_arn.as_ref()?.parse().ok()?;
        let prefix = format!("arn:{}:logs:{}:{}:log-group:", arn.partition, arn.region, arn.account);
        Some(Self { prefix, group: case.log_group()? })
    }

    /// What the role must be allowed, each with the forms in which the service may be asked: one allowed form is enough.
    ///
    /// A group that exists need not be created. CreateLogGroup is asked with and without the colon that ends a group's ARN;
    /// policies are written for either.
    fn needed(&self, case: &Case) -> Vec<(&'static str, Vec<String>)> {
        let group = format!("{}{}", self.prefix, self.group);
        let stream = vec![format!("{group}:log-stream:runtime-logs")];
        let mut needed = Vec::new();
        if case.world.log_groups.seen(&self.group).is_none() {
            needed.push(("logs:CreateLogGroup", vec![group.clone(), format!("{group}:log-stream:")]));
        }
        needed.push(("logs:CreateLogStream", stream.clone()));
        needed.push(("logs:PutLogEvents", stream));
        needed
    }
}

/// The statements of AWS's own execution role.
fn allow(names: &Names, role: &str) -> Repair {
    let prefix = &names.prefix;
    let groups = format!("{prefix}/aws/bedrock-agentcore/runtimes/*");
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Sid": "Group", "Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:DescribeLogStreams"],
              "Resource": groups },
            { "Sid": "Groups", "Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": format!("{prefix}*") },
            { "Sid": "Streams", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
              "Resource": format!("{groups}:log-stream:*") },
        ],
    });
    let change = Change::RolePolicy { role: role.to_owned(), name: "agentcore-logs".to_owned(), document };
    Repair::new(format!("Let {role} write the runtime's log group"), Safety::Safe, vec![change])
}
