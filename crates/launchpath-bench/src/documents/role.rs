//! The roles: the execution role with its policies, and the service's own role for the network.

use serde_json::json;

use super::Calls;
use crate::deployment::{ACCOUNT, Deployment};

pub(super) fn roles(d: &Deployment, calls: &mut Calls) {
    let network = "AWSServiceRoleForBedrockAgentCoreNetwork";
    if d.topology.in_vpc() {
        let asked = json!({ "RoleName": network });
        if d.network_role {
            calls.ok("iam", "GetRole", asked, json!({ "Role": {
                "RoleName": network, "Path": "/aws-service-role/network.bedrock-agentcore.amazonaws.com/", "RoleId": "AROAEXAMPLENETWORK",
                "Arn": format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/network.bedrock-agentcore.amazonaws.com/{network}"),
                "CreateDate": "2026-01-01T00:00:00Z",
            } }));
        } else {
            calls.not_found("iam", "GetRole", asked, "NoSuchEntity");
        }
    }
    let role = d.role();
    let asked = json!({ "RoleName": role });
    calls.ok("iam", "GetRole", asked.clone(), json!({ "Role": {
        "RoleName": role, "Path": "/", "Arn": d.role_arn(), "RoleId": "AROAEXAMPLEAGENT", "CreateDate": "2026-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": d.trust,
    } }));
    calls.ok("iam", "ListRolePolicies", asked.clone(), json!({ "PolicyNames": ["agent"] }));
    calls.ok("iam", "GetRolePolicy", json!({ "RoleName": role, "PolicyName": "agent" }), json!({
        "RoleName": role, "PolicyName": "agent", "PolicyDocument": { "Version": "2012-10-17", "Statement": d.policy },
    }));
    calls.ok("iam", "ListAttachedRolePolicies", asked, json!({ "AttachedPolicies": [] }));
}
