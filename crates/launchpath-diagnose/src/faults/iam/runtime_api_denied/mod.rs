//! `iam.runtime_api_denied`: a call that the code makes at its start or for its first request is denied, and the launch ends there.
//!
//! The service tells it as a start that takes too long. A refusal after the start is `iam.exec_role_permissions`.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_iam::{Decision, Layer};
use launchpath_model::{Gap, GapReason};
use serde_json::json;

use crate::case::Case;
use crate::chain::{Stage, fatal_traceback};
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::permissions;
use crate::refusal::{self, Refusal};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.runtime_api_denied",
    title: "A call at the start of the agent or for its first request is denied",
    // A start that dies of it fails earlier: the finding then says so.
    stage: Stage::Health,
    since: "0.1.0",
    prior: 1.0,
    needs: &[
        "GetAgentRuntime",
        "FilterLogEvents",
        "LookupEvents",
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
    let Some(role) = case.execution_role_name() else {
        return Check::NotApplicable("the execution role is not known");
    };
    let log = refusal::in_log(case, &role);
    let mut refusals = log.named;
    refusals.extend(refusal::in_trail(case, &role));
    if refusals.is_empty() && log.unnamed.is_none() {
        return Check::NotApplicable("no refused call of the execution role on record");
    }
    let Some(failed) = refusal::failed_start(context.progress) else {
        return Check::NotApplicable("the launch does not break at the start of the agent");
    };
    let death = fatal_traceback(case);
    if let Some(death) = &death {
        let refused = refusals.iter().any(|refusal| speaks_of(&death.traceback.text, refusal));
        if !refused && !death.traceback.text.contains("AccessDenied") {
            let text = format!("the process died of something else: {}", death.traceback.headline());
            return Check::ruled_out(text, vec![death.evidence.clone()]);
        }
        // What it died of, not what it got over before.
        if refused {
            refusals.retain(|refusal| speaks_of(&death.traceback.text, refusal));
        }
    }
    let (limited, own): (Vec<Refusal>, Vec<Refusal>) =
        refusals.into_iter().partition(|refusal| refusal.denial.is_by_guardrail());
    let heavy = own.iter().rfind(|refusal| death.is_some() || !refusal::is_telemetry(&refusal.action));
    if let (None, Some(last)) = (heavy, own.last()) {
        return Check::unknown(refusal::got_over(last));
    }
    let Some(last) = heavy else {
        return unattributed(
            &limited,
            log.unnamed.map(|line| (line.message.as_str(), &line.evidence)),
            &role,
        );
    };
    if let Some(gap) = allowed_by_now(case, last, &role) {
        return Check::unknown(gap);
    }
    let mut lines =
        vec![because(format!("{role} was refused {}: {}", last.action, last.text), &last.evidence, DIRECT)];
    let (stage, text) = match &death {
        Some(death) => {
            (Stage::ProcessStart, format!("the process died of it: {}", death.traceback.headline()))
        }
        None => (failed.stage, failed.text.clone()),
    };
    lines.push(because(text, &failed.evidence, 2.0));
    let others: Vec<&str> = own.iter().map(|r| r.action.as_str()).filter(|a| *a != last.action).collect();
    if let Some(first) = others.first() {
        lines.push(because(
            format!("refused as well: {first}, and {} more", others.len() - 1),
            &own[0].evidence,
            1.0,
        ));
    }
    let finding = Finding::new(Certainty::Proven, vec![role.clone()], lines);
    Check::found(finding.map(|finding| finding.at(stage).with_repair(allow(&role, last))))
}

/// Whether a traceback is of this refusal.
fn speaks_of(traceback: &str, refusal: &Refusal) -> bool {
    traceback.contains(&refusal.action) && traceback.contains("not authorized to perform")
}

/// No refusal that the role's own policies are to blame for.
fn unattributed(
    limited: &[Refusal],
    unnamed: Option<(&str, &launchpath_model::EvidenceId)>,
    role: &str,
) -> Check {
    if let Some(refusal) = limited.last() {
        let words = refusal.denial.policy.map_or("policy", crate::denial_message::PolicyKind::words);
        let text = format!("the refusal blames a {words}, not the role's own policies");
        return Check::ruled_out(text, refusal.evidence.clone());
    }
    let (line, evidence) = unnamed.map_or(("", Vec::new()), |(line, id)| (line, vec![id.clone()]));
    Check::unknown(Gap {
        what: "who was refused which action".to_owned(),
        reason: GapReason::NotVisible { why: format!("the log does not say it of {role}: {line}") },
        evidence,
        command: None,
    })
}

/// The gap when the role's policies allow the call today: what they allowed when it was refused is not on record.
fn allowed_by_now(case: &Case, refusal: &Refusal, role: &str) -> Option<Gap> {
    let resource = refusal.denial.resource.as_deref().unwrap_or("*");
    let answer = permissions::role_may(case, &refusal.action, resource, &Layer::NotApplicable)?;
    let allowed = answer.outcome.decision == Decision::Allowed;
    allowed.then(|| Gap {
        what: format!("the policies of {role} when {} was refused", refusal.action),
        reason: GapReason::NotVisible {
            why: "they allow it now: they were changed since, or another policy refuses; call with a new session".to_owned(),
        },
        evidence: answer.evidence.into_iter().chain(refusal.evidence.clone()).collect(),
        command: None,
    })
}

fn allow(role: &str, refusal: &Refusal) -> Repair {
    let resource = refusal.denial.resource.as_deref().unwrap_or("*");
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Sid": "Start", "Effect": "Allow", "Action": refusal.action, "Resource": resource }],
    });
    let change = Change::RolePolicy { role: role.to_owned(), name: "agentcore-start".to_owned(), document };
    let summary = format!("Let {role} {} on {resource}", refusal.action);
    let mut repair = Repair::new(summary, Safety::Review, vec![change]);
    repair.assumes = Some("the code needs no other permission to start".to_owned());
    repair
}
