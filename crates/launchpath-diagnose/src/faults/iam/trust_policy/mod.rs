//! `iam.trust_policy`: the service may not assume the execution role.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_iam::{Decision, Outcome, Reason, StatementRef};
use launchpath_model::{Gap, GapReason, Known, service};
use serde_json::json;

use crate::case::{Case, Platform};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::permissions::{self, RUNTIME_PRINCIPAL};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.trust_policy",
    title: "The execution role's trust policy does not let the service assume it",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "GetRole"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(name) = case.execution_role_name() else {
        return Check::unknown(case.undescribed("the execution role"));
    };
    let stage = stage(context);
    let refused = context.progress.all_failures().find(|failure| {
        !failure.reported
            && service::recognise_error(&failure.text)
                .is_some_and(|known| known.id == "role_validation_failed")
    });
    let role = match case.role(&name) {
        Known::Known(fact) => fact,
        Known::Absent(absence) => {
            let lines = vec![because(
                format!("the execution role {name} does not exist"),
                absence.evidence(),
                DIRECT,
            )];
            return Check::found(
                Finding::new(Certainty::Proven, vec![name], lines).map(|finding| finding.at(stage)),
            );
        }
        Known::Unknown(gap) => match refused {
            Some(refused) => {
                let lines = vec![because(refused.text.clone(), &refused.evidence, 8.0)];
                return Check::found(
                    Finding::new(Certainty::Circumstantial, vec![name], lines)
                        .map(|finding| finding.at(stage)),
                );
            }
            None => return Check::unknown(gap),
        },
    };
    let Some(answer) = permissions::trusts(case, role.value, role.evidence.clone()) else {
        return Check::unknown(Gap {
            what: format!("the trust policy of {name}"),
            reason: GapReason::MemberMissing { path: "Role.AssumeRolePolicyDocument".to_owned() },
            evidence: role.evidence,
            command: None,
        });
    };
    match answer.outcome.decision {
        // What it allows now says nothing about the moment of the refusal.
        Decision::Allowed if refused.is_some() => Check::unknown(Gap {
            what: format!("the trust policy of {name} when the service could not assume it"),
            reason: GapReason::NotVisible {
                why: "it lets the service assume the role now: it was changed since, or the role was seconds old; try again"
                    .to_owned(),
            },
            evidence: answer.evidence,
            command: None,
        }),
        Decision::Allowed => Check::ruled_out(
            format!("the trust policy lets {RUNTIME_PRINCIPAL} assume {name}"),
            answer.evidence,
        ),
        Decision::Unknown => Check::Unknown(answer.gaps),
        Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => {
            let lines = vec![
                because(
                    format!(
                        "the trust policy of {name} does not let {RUNTIME_PRINCIPAL} assume it: {}",
                        why(&answer.outcome)
                    ),
                    &answer.evidence,
                    DIRECT,
                ),
                because(
                    "the role is assumed at validation, for a snapshot's build, and again for every session",
                    &case.runtime_evidence(),
                    1.0,
                ),
            ];
            let finding = Finding::new(Certainty::Proven, vec![name.clone()], lines);
            Check::found(finding.map(|finding| finding.at(stage).with_repair(repair(case, &name))))
        }
    }
}

/// The statements that deny, or those that nearly allow with what does not fit.
fn why(outcome: &Outcome) -> String {
    let place = |statement: &StatementRef| match statement.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("statement \"{sid}\""),
        None => format!("statement {}", statement.index + 1),
    };
    let reasons: Vec<String> = outcome
        .because
        .iter()
        .filter_map(|reason| match reason {
            Reason::Denied { statement } => Some(format!("{} denies it", place(statement))),
            Reason::NearMiss { statement, failed } => {
                let failed: Vec<String> = failed.iter().map(ToString::to_string).collect();
                Some(format!("in {} {}", place(statement), failed.join("; ")))
            }
            _ => None,
        })
        .take(3)
        .collect();
    if reasons.is_empty() { "no statement of it does".to_owned() } else { reasons.join("; ") }
}

/// Once the runtime was accepted, the role is assumed again: on V2 to build the snapshot, before READY, and for every session.
fn stage(context: &Context) -> Stage {
    let passed = |stage| context.progress.trace_at_or_beyond(stage).is_some();
    if !passed(Stage::RequestValidation) {
        return Stage::RequestValidation;
    }
    let builds = context.case.combination.platform == Platform::V2 && !passed(Stage::Ready);
    if builds { Stage::ArtifactFetch } else { Stage::SessionPlacement }
}

fn repair(case: &Case, role: &str) -> Repair {
    let partition = case.world.partition.as_deref().unwrap_or("aws");
    let region = case.world.region.as_ref().map_or("*", |region| region.as_str());
    let account = case.world.account.as_ref().map_or("*", |account| account.as_str());
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AgentCoreRuntime",
            "Effect": "Allow",
            "Principal": { "Service": RUNTIME_PRINCIPAL },
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": { "aws:SourceAccount": account },
                "ArnLike": { "aws:SourceArn": format!("arn:{partition}:bedrock-agentcore:{region}:{account}:*") },
            },
        }],
    });
    let change = Change::TrustPolicy { role: role.to_owned(), document };
    Repair::new(
        format!(
            "Let {RUNTIME_PRINCIPAL} assume {role} (this replaces the trust policy: keep other statements it needs)"
        ),
        Safety::Review,
        vec![change],
    )
}
