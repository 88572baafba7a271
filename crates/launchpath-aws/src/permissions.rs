//! The minimum policy for a read-only collection, generated from the table of operations.
//!
//! Three forms of one document: JSON for the console, CloudFormation, Terraform. The test invocation
//! is in none of them: whoever wants it grants it knowingly.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::operation::{IMAGE, READ, Scope};

/// One statement of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub scope: &'static Scope,
    /// The IAM actions, sorted, each with what it is asked for.
    pub actions: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

/// The policy: one statement per kind of resource, sorted by id.
pub fn policy() -> Vec<Statement> {
    let mut statements: BTreeMap<&str, Statement> = BTreeMap::new();
    for row in READ.iter().chain(IMAGE) {
        let statement = statements
            .entry(row.scope.sid)
            .or_insert_with(|| Statement { scope: row.scope, actions: BTreeMap::new() });
        for action in row.actions {
            statement.actions.entry(action).or_default().insert(row.why);
        }
    }
    statements.into_values().collect()
}

/// The policy document as JSON. `partition` is `aws`, `aws-cn` or `aws-us-gov`.
pub fn json(partition: &str) -> String {
    let statements: Vec<Value> = policy()
        .iter()
        .map(|statement| {
            json!({
                "Sid": statement.scope.sid,
                "Effect": "Allow",
                "Action": statement.actions.keys().collect::<Vec<_>>(),
                "Resource": patterns(statement, partition),
            })
        })
        .collect();
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    format!("{document:#}\n")
}

/// A CloudFormation template with the policy as a managed policy.
pub fn cloudformation() -> String {
    let mut text = "AWSTemplateFormatVersion: \"2010-09-09\"\n\
        Description: What launchpath needs to read, and nothing else\n\
        Resources:\n  LaunchpathRead:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      \
        Description: Read-only collection of launchpath\n      PolicyDocument:\n        \
        Version: \"2012-10-17\"\n        Statement:\n"
        .to_owned();
    for statement in policy() {
        let _ = writeln!(
            text,
            "          - Sid: {}\n            Effect: Allow\n            Action:",
            statement.scope.sid
        );
        for (action, why) in &statement.actions {
            let _ = writeln!(text, "              - {action} # {}", reasons(why));
        }
        text.push_str("            Resource:\n");
        for pattern in patterns(&statement, "${AWS::Partition}") {
            let _ = writeln!(text, "              - !Sub \"{pattern}\"");
        }
    }
    text.push_str("Outputs:\n  PolicyArn:\n    Value: !Ref LaunchpathRead\n");
    text
}

/// Terraform for the same policy.
pub fn terraform() -> String {
    let mut text = "data \"aws_partition\" \"current\" {}\n\n\
        data \"aws_iam_policy_document\" \"launchpath_read\" {\n"
        .to_owned();
    for statement in policy() {
        let _ = writeln!(
            text,
            "  statement {{\n    sid    = \"{}\"\n    effect = \"Allow\"\n    actions = [",
            statement.scope.sid
        );
        for (action, why) in &statement.actions {
            let _ = writeln!(text, "      \"{action}\", # {}", reasons(why));
        }
        text.push_str("    ]\n    resources = [\n");
        for pattern in patterns(&statement, "${data.aws_partition.current.partition}") {
            let _ = writeln!(text, "      \"{pattern}\",");
        }
        text.push_str("    ]\n  }\n");
    }
    text.push_str(
        "}\n\nresource \"aws_iam_policy\" \"launchpath_read\" {\n  name   = \"launchpath-read\"\n  \
         policy = data.aws_iam_policy_document.launchpath_read.json\n}\n",
    );
    text
}

fn patterns(statement: &Statement, partition: &str) -> Vec<String> {
    statement.scope.patterns.iter().map(|pattern| pattern.replace("{partition}", partition)).collect()
}

fn reasons(why: &BTreeSet<&'static str>) -> String {
    why.iter().copied().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::INVOKE;

    fn actions_of_table() -> BTreeSet<&'static str> {
        READ.iter().chain(IMAGE).flat_map(|row| row.actions).copied().collect()
    }

    #[test]
    fn the_policy_allows_exactly_what_the_table_sends() {
        let document: Value = serde_json::from_str(&json("aws")).unwrap();
        let statements = document["Statement"].as_array().unwrap();
        let allowed: BTreeSet<&str> = statements
            .iter()
            .flat_map(|s| s["Action"].as_array().unwrap())
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(allowed, actions_of_table());
        assert!(statements.iter().all(|s| s["Effect"] == "Allow"));
        assert!(!allowed.contains(INVOKE.actions[0]));
    }

    #[test]
    fn every_form_holds_every_action_and_no_placeholder() {
        for (form, sigil) in [
            (json("aws-cn"), "arn:aws-cn:iam"),
            (cloudformation(), "arn:${AWS::Partition}:iam"),
            (terraform(), "arn:${data.aws_partition.current.partition}:iam"),
        ] {
            for action in actions_of_table() {
                assert!(form.contains(action), "{action}");
            }
            assert!(form.contains(sigil) && !form.contains("{partition}"));
        }
    }

    #[test]
    fn an_action_stands_in_one_statement() {
        let all: Vec<_> = policy().into_iter().flat_map(|s| s.actions.into_keys()).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), distinct.len());
    }
}
