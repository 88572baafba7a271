//! `iam.exec_role_permissions`: the execution role lacks an action that the agent's code uses while it answers.
//!
//! Only where the runtime's own log shows the refusal: what code will call cannot be told from policies.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_model::world::LogRecord;
use launchpath_model::{Gap, GapReason, Known};

use crate::chain::{Stage, fatal_traceback};
use crate::denial_message::Denial;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.exec_role_permissions",
    title: "The execution role lacks an action that the agent uses",
    stage: Stage::Response,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "FilterLogEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(role) = case.execution_role_name() else {
        return Check::NotApplicable("the execution role is not known");
    };
    if fatal_traceback(case).is_some() {
        return Check::NotApplicable("the process died at its start");
    }
    let Known::Known(lines) = case.log_lines() else {
        return Check::NotApplicable("the log holds no line that could show a refusal");
    };
    let since = case.version_since();
    let refusals: Vec<&LogRecord> = lines
        .value
        .into_iter()
        .filter(|line| line.at.is_none() || line.at >= since)
        .filter(|line| {
            line.message.contains("AccessDenied") || line.message.contains("not authorized to perform")
        })
        .collect();
    let Some(last) = refusals.last() else {
        return Check::NotApplicable("the log shows no refused call");
    };
    let session = format!(":assumed-role/{role}/");
    let ours = refusals.iter().rev().find_map(|line| {
        let denial = Denial::read(&line.message)?;
        let by_role = denial.principal.as_ref().is_some_and(|who| who.contains(&session));
        (by_role && denial.action.is_some()).then_some((*line, denial))
    });
    let Some((line, denial)) = ours else {
        return Check::unknown(Gap {
            what: "who was refused which action".to_owned(),
            reason: GapReason::NotVisible {
                why: format!("the log does not say it of {role}: {}", last.message),
            },
            evidence: vec![last.evidence.clone()],
            command: None,
        });
    };
    let evidence = vec![line.evidence.clone()];
    if let Some(policy) = denial.policy.filter(|policy| policy.is_guardrail()) {
        let text = format!("the refusal in the log blames a {}, not the role's own policies", policy.words());
        return Check::ruled_out(text, evidence);
    }
    let action = denial.action.unwrap_or_default();
    let mut reasons =
        vec![because(format!("{role} was refused {action}: {}", line.message.trim()), &evidence, DIRECT)];
    let failed = context
        .progress
        .all_failures()
        .find(|failure| !failure.reported && matches!(failure.stage, Stage::Request | Stage::Response));
    // The code may have caught the refusal: that it cost the answer takes a call that failed there.
    let certainty = if failed.is_some() { Certainty::Proven } else { Certainty::Circumstantial };
    reasons.extend(failed.map(|failure| because(failure.text.clone(), &failure.evidence, 2.0)));
    Check::found(Finding::new(certainty, vec![role], reasons))
}
