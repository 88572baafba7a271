//! The permissions of a launch with the policy statements that decide them, by their place in the bundle.
//!
//! The decisions are `launchpath-iam`'s. Start with [`claims`].

use launchpath_iam::{Decision, Layer, Reason, StatementRef};
use launchpath_model::{EvidenceId, Known};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cite::Citer;
use super::path::Place;
use crate::case::{ArtifactKind, Case};
use crate::permissions::{self, Answer, RUNTIME_PRINCIPAL};

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionClaim {
    /// Who asks: a service or a role's ARN.
    pub principal: String,
    /// What for.
    pub action: String,
    /// On what.
    pub resource: String,
    /// `Allowed`, `ExplicitlyDenied`, `ImplicitlyDenied` or `Unknown`.
    pub decision: String,
    /// The statements that decide; for a missing allow there are none.
    pub statements: Vec<StatementClaim>,
    /// Every policy document that was weighed.
    pub documents: Vec<Place>,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementClaim {
    /// The document.
    pub document: Place,
    /// The statement's place in it, from 0.
    pub statement: usize,
    /// `Allow` or `Deny`.
    pub effect: String,
}

/// The permissions that the diagnosis of this launch looks at.
pub(super) fn claims(case: &Case, citer: &mut Citer) -> Vec<PermissionClaim> {
    let mut claims = Vec::new();
    let Some(arn) = case.runtime().and_then(|runtime| runtime.role_arn.clone()) else { return claims };
    let Some(name) = case.execution_role_name() else { return claims };
    if let Known::Known(role) = case.role(&name)
        && let Some(answer) = permissions::trusts(case, role.value, role.evidence)
    {
        claims.push(claim(citer, RUNTIME_PRINCIPAL, "sts:AssumeRole", &arn, &answer));
    }
    for (action, resource) in questions(case) {
        let policy = match resource.split_once(":repository/") {
            Some((_, repository)) => permissions::repository_policy(case, repository),
            None => Layer::NotApplicable,
        };
        let Some(answer) = permissions::role_may(case, action, &resource, &policy) else { continue };
        claims.push(claim(citer, &arn, action, &resource, &answer));
    }
    claims
}

/// What the role must be allowed for the image and for the log.
fn questions(case: &Case) -> Vec<(&'static str, String)> {
    let partition = case.world.partition.as_deref().unwrap_or("aws");
    let mut questions = Vec::new();
    if case.combination.artifact != ArtifactKind::CodeZip
        && let Some((uri, ecr)) = case.image_uri().and_then(|uri| uri.ecr().map(|ecr| (uri.clone(), ecr)))
    {
        let arn = format!("arn:{partition}:ecr:{}:{}:repository/{}", ecr.region, ecr.account, uri.repository);
        questions.push(("ecr:GetAuthorizationToken", "*".to_owned()));
        questions.push(("ecr:BatchGetImage", arn.clone()));
        questions.push(("ecr:GetDownloadUrlForLayer", arn));
    }
    if let (Some(region), Some(account), Some(group)) =
        (&case.world.region, &case.world.account, case.log_group())
    {
        let stream =
            format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:runtime-logs");
        questions.push(("logs:CreateLogStream", stream.clone()));
        questions.push(("logs:PutLogEvents", stream));
    }
    questions
}

fn claim(
    citer: &mut Citer,
    principal: &str,
    action: &str,
    resource: &str,
    answer: &Answer,
) -> PermissionClaim {
    let evidence = citer.known(&answer.evidence);
    let documents = documents(citer, &evidence, action);
    let statement = |found: &StatementRef, effect: &str| {
        let (_, place) = documents.iter().find(|(name, _)| **name == *found.policy)?;
        Some(StatementClaim { document: place.clone(), statement: found.index, effect: effect.to_owned() })
    };
    let statements = answer.outcome.because.iter().filter_map(|reason| match reason {
        Reason::Allowed { statement: found } => statement(found, "Allow"),
        Reason::Denied { statement: found } => statement(found, "Deny"),
        _ => None,
    });
    let decision = match answer.outcome.decision {
        Decision::Allowed => "Allowed",
        Decision::ExplicitlyDenied => "ExplicitlyDenied",
        Decision::ImplicitlyDenied => "ImplicitlyDenied",
        Decision::Unknown => "Unknown",
    };
    PermissionClaim {
        principal: principal.to_owned(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        decision: decision.to_owned(),
        statements: statements.collect(),
        documents: documents.iter().map(|(_, place)| place.clone()).collect(),
    }
}

/// The policy documents in the calls, with the names under which they were weighed.
fn documents(citer: &Citer, evidence: &[EvidenceId], action: &str) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    for id in evidence {
        let Some(call) = citer.call(id) else { continue };
        let text = |pointer: &str| call.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (name, pointer) = match call["operation"].as_str() {
            Some("GetRole") if action == "sts:AssumeRole" => {
                (Some("trust policy".to_owned()), "/response/Role/AssumeRolePolicyDocument")
            }
            Some("GetRolePolicy") => (text("/response/PolicyName"), "/response/PolicyDocument"),
            Some("GetPolicyVersion") => (text("/request/PolicyArn"), "/response/PolicyVersion/Document"),
            _ => continue,
        };
        if let (Some(name), Some(_)) = (name, call.pointer(pointer)) {
            found.push((name, Place { call: id.clone(), pointer: pointer.to_owned() }));
        }
    }
    found
}
