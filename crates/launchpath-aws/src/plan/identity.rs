//! The execution role with all its policies, and the network service-linked role.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Known, Planned, Step, text};

// AWS: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html
const NETWORK_ROLE: &str = "AWSServiceRoleForBedrockAgentCoreNetwork";

pub(super) fn steps() -> Vec<Step> {
    let runtime = || vec!["runtime", "live version"];
    vec![
        Step {
            name: "network service-linked role",
            needs: vec![],
            operations: &[("iam", "GetRole")],
            when: "",
            asks: |_| vec![Planned::new("iam", "GetRole", json!({"RoleName": NETWORK_ROLE}))],
        },
        Step {
            name: "execution role",
            needs: runtime(),
            operations: &[("iam", "GetRole")],
            when: "",
            asks: |known| of_each_role(known, "GetRole"),
        },
        Step {
            name: "inline policy names",
            needs: runtime(),
            operations: &[("iam", "ListRolePolicies")],
            when: "",
            asks: |known| of_each_role(known, "ListRolePolicies"),
        },
        Step {
            name: "attached policies",
            needs: runtime(),
            operations: &[("iam", "ListAttachedRolePolicies")],
            when: "",
            asks: |known| of_each_role(known, "ListAttachedRolePolicies"),
        },
        Step {
            name: "inline policies",
            needs: vec!["inline policy names"],
            operations: &[("iam", "GetRolePolicy")],
            when: "the role has inline policies",
            asks: inline_policies,
        },
        Step {
            name: "policies",
            needs: vec!["attached policies", "execution role"],
            operations: &[("iam", "GetPolicy")],
            when: "the role has attached policies or a boundary",
            asks: policies,
        },
        Step {
            name: "policy versions",
            needs: vec!["policies"],
            operations: &[("iam", "GetPolicyVersion")],
            when: "the role has attached policies or a boundary",
            asks: policy_versions,
        },
    ]
}

fn of_each_role(known: &Known, operation: &'static str) -> Vec<Planned> {
    let arns = known.of_configurations("/roleArn");
    // The name is what follows the path; a role of another account cannot be read from here.
    let names: BTreeSet<_> = arns.iter().filter_map(|arn| arn.rsplit('/').next()).collect();
    names.into_iter().map(|name| Planned::new("iam", operation, json!({"RoleName": name}))).collect()
}

fn inline_policies(known: &Known) -> Vec<Planned> {
    let mut asks = Vec::new();
    for (record, answer) in known.answers("iam", "ListRolePolicies") {
        for name in super::texts(answer, "/PolicyNames") {
            let role = record.request.get("RoleName").cloned().unwrap_or_default();
            asks.push(Planned::new("iam", "GetRolePolicy", json!({"RoleName": role, "PolicyName": name})));
        }
    }
    asks
}

fn policies(known: &Known) -> Vec<Planned> {
    let mut arns: BTreeSet<_> = known
        .of_items(("iam", "ListAttachedRolePolicies", "AttachedPolicies"), "/PolicyArn")
        .into_iter()
        .collect();
    arns.extend(known.answers("iam", "GetRole").filter_map(|(_, answer)| {
        text(answer, "/Role/PermissionsBoundary/PermissionsBoundaryArn").map(str::to_owned)
    }));
    arns.into_iter().map(|arn| Planned::new("iam", "GetPolicy", json!({"PolicyArn": arn}))).collect()
}

fn policy_versions(known: &Known) -> Vec<Planned> {
    known
        .answers("iam", "GetPolicy")
        .filter_map(|(record, answer)| {
            let version = text(answer, "/Policy/DefaultVersionId")?;
            let arn = record.request.get("PolicyArn")?;
            Some(Planned::new("iam", "GetPolicyVersion", json!({"PolicyArn": arn, "VersionId": version})))
        })
        .collect()
}
