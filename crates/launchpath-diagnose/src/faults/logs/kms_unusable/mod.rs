//! `logs.kms_unusable`: the key that encrypts the log group does not let CloudWatch Logs use it.

use launchpath_model::{Gap, GapReason};
use serde_json::{Value, json};

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "logs.kms_unusable",
    title: "The log group's key does not admit CloudWatch Logs",
    stage: Stage::LogDelivery,
    since: "0.1.0",
    prior: 1.0,
    needs: &["DescribeLogGroups", "GetKeyPolicy"],
    check,
    doc: include_str!("doc.md"),
};

pub(super) fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(group) = case.log_group() else {
        return Check::unknown(case.undescribed("the key of the runtime's log group"));
    };
    let Some(row) = case.world.log_groups.seen(&group) else {
        return Check::unknown(Gap {
            what: format!("the key of the log group {group}"),
            reason: GapReason::NotAsked,
            evidence: Vec::new(),
            command: Some(case.command("logs", "DescribeLogGroups", &json!({ "logGroupNamePrefix": group }))),
        });
    };
    let Some(key) = &row.value.kms_key_id else {
        return Check::ruled_out("the log group has no key of its own", row.evidence.clone());
    };
    let policies = &case.world.key_policies;
    let id = key.rsplit('/').next().unwrap_or(key);
    let Some(policy) = policies.seen(key).or_else(|| policies.seen(&id.to_owned())) else {
        return Check::unknown(Gap {
            what: format!("the policy of the key {id}"),
            reason: GapReason::NotAsked,
            evidence: row.evidence.clone(),
            command: Some(case.command(
                "kms",
                "GetKeyPolicy",
                &json!({ "KeyId": key, "PolicyName": "default" }),
            )),
        });
    };
    let mut evidence = row.evidence.clone();
    evidence.extend(policy.evidence.clone());
    match admits_logs(case, &policy.value) {
        Admits::Yes => Check::ruled_out("the key's policy admits CloudWatch Logs of this Region", evidence),
        Admits::No => {
            let text = format!(
                "the log group is encrypted with {id}, whose policy names no principal of CloudWatch Logs"
            );
            let finding =
                Finding::new(Certainty::Proven, vec![key.clone()], vec![because(text, &evidence, DIRECT)]);
            Check::found(finding.map(|finding| finding.with_repair(admit(case))))
        }
        Admits::Perhaps => Check::unknown(Gap {
            what: format!("whether the conditions in the policy of {id} admit this log group"),
            reason: GapReason::NotModelled { what: "encryption contexts in key policies".to_owned() },
            evidence,
            command: None,
        }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Admits {
    Yes,
    No,
    Perhaps,
}

/// Whether a statement lets CloudWatch Logs use the key.
///
/// AWS: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>
fn admits_logs(case: &Case, policy: &Value) -> Admits {
    let region = case.world.region.as_ref().map(ToString::to_string).unwrap_or_default();
    let service = format!("logs.{region}.amazonaws.com");
    let statements = match policy.get("Statement") {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => return Admits::Perhaps,
    };
    let mut answer = Admits::No;
    for statement in statements {
        if statement.get("NotPrincipal").is_some() {
            return Admits::Perhaps;
        }
        let principals = statement.get("Principal").map(Value::to_string).unwrap_or_default();
        if !principals.contains(&service)
            && !principals.contains("\"*\"")
            && !principals.contains("logs.amazonaws.com")
        {
            continue;
        }
        match statement.get("Effect").and_then(Value::as_str) {
            // Conditions name groups by ARN, often with wildcards.
            Some("Allow")
                if statement.get("Condition").is_none()
                    && principals.contains(&service)
                    && encrypts(statement) =>
            {
                answer = Admits::Yes;
            }
            _ => return Admits::Perhaps,
        }
    }
    answer
}

/// Whether the statement is about what CloudWatch Logs needs of a key.
fn encrypts(statement: &Value) -> bool {
    let actions = statement.get("Action").map(Value::to_string).unwrap_or_default().to_lowercase();
    ["kms:*", "kms:encrypt", "kms:generatedatakey"].iter().any(|action| actions.contains(action))
        || actions == "\"*\""
}

fn admit(case: &Case) -> Repair {
    let region = case.world.region.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut repair = Repair::new(
        format!("Let logs.{region}.amazonaws.com use the key, or take the key off the log group"),
        Safety::Review,
        Vec::new(),
    );
    repair.steps = vec![
        "# key policy: kms:Encrypt*, kms:Decrypt*, kms:ReEncrypt*, kms:GenerateDataKey*, kms:Describe* for that principal".to_owned(),
        case.command("logs", "DisassociateKmsKey", &json!({ "logGroupName": case.log_group().unwrap_or_default() })),
    ];
    repair
}
