//! `iam.exec_role_ecr_denied`: the execution role may not pull the image.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_iam::{Decision, Layer};
use launchpath_model::{EvidenceId, Gap, GapReason, service};
use serde_json::json;

use crate::case::{ArtifactKind, Case};
use crate::chain::{Failure, Stage};
use crate::diagnosis::Safety;
use crate::faults::image_needed_again_at;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::permissions::{self, ExecutionRole};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.exec_role_ecr_denied",
    title: "The execution role may not pull the image",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 2.5,
    needs: &[
        "GetAgentRuntime",
        "GetRole",
        "ListRolePolicies",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "GetPolicyVersion",
        "GetRepositoryPolicy",
    ],
    check,
    doc: include_str!("doc.md"),
};

/// What a pull needs of the repository.
const PULL_ACTIONS: &[&str] = &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    if case.image_uri().is_some_and(|uri| uri.ecr().is_none()) {
        return Check::NotApplicable("the image is not in a private ECR repository");
    }
    let Some((role, repository, name)) = names(case) else {
        return Check::unknown(case.undescribed("the execution role and the image's repository"));
    };
    let mut denied: Vec<(String, String)> = Vec::new();
    let mut evidence: Vec<EvidenceId> = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let mut undecided = false;
    let at_repository = ExecutionRole::of(case, &permissions::repository_policy(case, &name));
    let anywhere = ExecutionRole::of(case, &Layer::NotApplicable);
    let questions = PULL_ACTIONS
        .iter()
        .map(|action| (&at_repository, *action, repository.as_str()))
        .chain([(&anywhere, "ecr:GetAuthorizationToken", "*")]);
    for (asked, action, resource) in questions {
        let Some(answer) = asked.as_ref().and_then(|role| role.may(action, resource)) else { continue };
        evidence.extend(answer.evidence.clone());
        match answer.outcome.decision {
            Decision::Allowed => {}
            Decision::Unknown => {
                undecided = true;
                gaps.extend(answer.gaps);
            }
            Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => {
                denied.push((action.to_owned(), answer.why()));
            }
        }
    }
    evidence.sort();
    evidence.dedup();
    if let Some((action, why)) = denied.first() {
        let others =
            if denied.len() > 1 { format!(" (and {} more)", denied.len() - 1) } else { String::new() };
        let mut lines = vec![because(format!("{role} may not {action}{others}: {why}"), &evidence, DIRECT)];
        lines.extend(refused(context).map(|failure| because(failure.text.clone(), &failure.evidence, 1.0)));
        let finding = Finding::new(Certainty::Proven, vec![role.clone()], lines);
        let stage = image_needed_again_at(context.progress);
        return Check::found(finding.map(|f| f.at(stage).with_repair(repair(&role, &repository))));
    }
    if undecided || evidence.is_empty() {
        gaps.dedup();
        if gaps.is_empty() {
            gaps.push(Gap::not_asked(
                format!("the policies of {role}"),
                case.command("iam", "ListRolePolicies", &json!({ "RoleName": role })),
            ));
        }
        return Check::Unknown(gaps);
    }
    if let Some(refused) = refused(context) {
        // What they allow now says nothing about the moment of the refusal.
        evidence.extend(refused.evidence.clone());
        return Check::unknown(Gap {
            what: format!("the policies of {role} when the service could not read the image"),
            reason: GapReason::NotVisible {
                why: "they allow the pull now: they were changed since, or the role was seconds old, or the text stands for an \
                      image index with attestations; try again"
                    .to_owned(),
            },
            evidence,
            command: None,
        });
    }
    Check::ruled_out(format!("the policies of {role} allow the pull from {name}"), evidence)
}

/// The service's word that it could not read the image with the role.
fn refused<'a>(context: &'a Context) -> Option<&'a Failure> {
    context.progress.all_failures().find(|failure| {
        !failure.reported
            && service::recognise_error(&failure.text).is_some_and(|known| known.id == "ecr_access_denied")
    })
}

/// The role, the repository's ARN and name.
fn names(case: &Case) -> Option<(String, String, String)> {
    let role = case.execution_role_name()?;
    let uri = case.image_uri()?;
    let ecr = uri.ecr()?;
    let partition = case.world.partition.as_deref().unwrap_or("aws");
    let arn = format!("arn:{partition}:ecr:{}:{}:repository/{}", ecr.region, ecr.account, uri.repository);
    Some((role, arn, uri.repository))
}

fn repair(role: &str, repository: &str) -> Repair {
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Sid": "Pull", "Effect": "Allow", "Action": PULL_ACTIONS, "Resource": repository },
            { "Sid": "Token", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
        ],
    });
    let change =
        Change::RolePolicy { role: role.to_owned(), name: "agentcore-image-pull".to_owned(), document };
    Repair::new(format!("Let {role} pull the image"), Safety::Safe, vec![change])
}
