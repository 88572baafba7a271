//! Faults of permissions: of the execution role, of the service's own role, of whoever calls.

use serde_json::json;

use super::Shows::{Configured, Happening};
use super::{Injection, anywhere, container, in_vpc};
use crate::deployment::{ACCOUNT, Deployment, REGION, trust};
use crate::process::{Does, Process};

/// What AWS says to a session of the execution role that lacks a right.
fn refused(d: &Deployment, session: &str, operation: &str, action: &str, resource: &str) -> String {
    format!(
        "An error occurred (AccessDeniedException) when calling the {operation} operation: User: arn:aws:sts::{ACCOUNT}:assumed-role/{}/{session} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action",
        d.role()
    )
}

pub(super) const ALL: &[Injection] = &[
    Injection {
        fault: "iam.exec_role_ecr_denied",
        with: &[],
        shows: Configured,
        fits: container,
        named: "Access denied while validating ECR URI",
        seen_in: &[&["ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies", "GetRepositoryPolicy"]],
        make: |d, random| {
            if random.once_in(2) {
                d.policy.retain(|statement| statement["Sid"] != "Pull");
            } else {
                for statement in d.policy.iter_mut().filter(|statement| statement["Sid"] == "Pull") {
                    statement["Resource"] =
                        json!(format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/another"));
                }
            }
            d.creation_refused = Some((
                "ValidationException",
                format!(
                    "Access denied while validating ECR URI '{}'. The execution role requires permissions for ecr:GetAuthorizationToken, ecr:BatchGetImage, and ecr:GetDownloadUrlForLayer operations.",
                    d.image()
                ),
            ));
        },
    },
    Injection {
        fault: "iam.trust_policy",
        with: &[],
        shows: Configured,
        fits: anywhere,
        named: "Role validation failed",
        seen_in: &[&["GetRole:{role}"]],
        make: |d, random| {
            d.trust = if random.once_in(2) {
                trust("bedrock.amazonaws.com", ACCOUNT)
            } else {
                trust("bedrock-agentcore.amazonaws.com", "999988887777")
            };
            d.creation_refused = Some(("ValidationException", "Role validation failed".to_owned()));
        },
    },
    Injection {
        fault: "iam.slr_missing_or_denied",
        with: &[],
        shows: Configured,
        fits: in_vpc,
        named: "service linked role",
        seen_in: &[&["GetRole:AWSServiceRole"]],
        make: |d, _| {
            d.network_role = false;
            d.creation_refused = Some(("AccessDeniedException",
            "Failed creating service linked role. Please verify that the calling role has sufficient permissions to create a service linked role.".to_owned()));
        },
    },
    Injection {
        fault: "iam.scp_deny",
        with: &[],
        shows: Happening,
        fits: in_vpc,
        named: "service control policy",
        seen_in: &[&["LookupEvents"]],
        make: |d, _| {
            d.network_role_denied = Some(format!(
                "You are not authorized to perform this operation. User: arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForBedrockAgentCoreNetwork/session is not authorized to perform: ec2:CreateNetworkInterface on resource: arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/* with an explicit deny in a service control policy"
            ));
        },
    },
    Injection {
        fault: "iam.caller_cannot_pass_role",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "iam:PassRole",
        seen_in: &[],
        make: |d, _| {
            d.creation_refused = Some((
                "AccessDeniedException",
                format!(
                    "User: arn:aws:iam::{ACCOUNT}:user/engineer is not authorized to perform: iam:PassRole on resource: {} because no identity-based policy allows the iam:PassRole action",
                    d.role_arn()
                ),
            ));
        },
    },
    Injection {
        fault: "iam.caller_cannot_invoke",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "bedrock-agentcore:InvokeAgentRuntime",
        seen_in: &[],
        make: |d, _| {
            d.call_refused = Some((
                "AccessDeniedException",
                format!(
                    "User: arn:aws:iam::{ACCOUNT}:user/engineer is not authorized to perform: bedrock-agentcore:InvokeAgentRuntime on resource: {} because no identity-based policy allows the bedrock-agentcore:InvokeAgentRuntime action",
                    d.arn()
                ),
                403,
            ));
        },
    },
    Injection {
        fault: "iam.exec_role_permissions",
        with: &["contract.non2xx_masked"],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: &[&["FilterLogEvents"]],
        make: |d, _| {
            d.policy.retain(|statement| statement["Sid"] != "Model");
            let model = format!("arn:aws:bedrock:{REGION}::foundation-model/model-1");
            let refusal = refused(d, "BedrockAgentCore-1", "InvokeModel", "bedrock:InvokeModel", &model);
            d.process = Process::new(
                Does::AnswersWith(500),
                &[
                    (-20, &format!("INFO:     Uvicorn running on http://0.0.0.0:{}", d.port())),
                    (0, &format!("botocore.errorfactory.AccessDeniedException: {refusal}")),
                ],
            );
        },
    },
    Injection {
        fault: "iam.runtime_api_denied",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: &[&["FilterLogEvents"]],
        make: |d, _| {
            let secret = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:agent-key-AbCdEf");
            let session = if d.v2 { "snapstart-build-DEFAULT" } else { "AgentCore-MicroVM-1f2e3d4c-DEFAULT" };
            let refusal = refused(d, session, "GetSecretValue", "secretsmanager:GetSecretValue", &secret);
            d.process = Process::dies(&[
                r#"  File "/app/main.py", line 7, in <module>"#,
                r#"    key = secrets.get_secret_value(SecretId="agent-key")["SecretString"]"#,
                &format!("botocore.exceptions.ClientError: {refusal}"),
            ]);
        },
    },
    Injection {
        fault: "iam.policy_race",
        with: &[],
        shows: Happening,
        fits: |d| container(d) && !d.old,
        named: "",
        seen_in: &[&["LookupEvents"]],
        make: |d, random| {
            d.story.role_changed_before = Some(3 + i64::try_from(random.below(20)).unwrap_or_default());
            d.creation_refused = Some((
                "ValidationException",
                format!(
                    "Access denied while validating ECR URI '{}'. The execution role requires permissions for ecr:GetAuthorizationToken, ecr:BatchGetImage, and ecr:GetDownloadUrlForLayer operations.",
                    d.image()
                ),
            ));
        },
    },
];
