//! `iam.exec_role_permissions`: the execution role lacks an action that the agent's code uses while it answers.
//!
//! Only where the runtime's own log shows the refusal: what code will call cannot be told from policies.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_model::{Gap, GapReason};

use crate::chain::{Stage, fatal_traceback};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::refusal;

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
    if refusal::failed_start(context.progress).is_some() {
        return Check::NotApplicable("the launch breaks at the start of the agent");
    }
    let mut log = refusal::in_log(case, &role);
    let Some(refusal) = log.named.pop() else {
        let Some(line) = log.unnamed else {
            return Check::NotApplicable("the log shows no refused call");
        };
        return Check::unknown(Gap {
            what: "who was refused which action".to_owned(),
            reason: GapReason::NotVisible {
                why: format!("the log does not say it of {role}: {}", line.message),
            },
            evidence: vec![line.evidence.clone()],
            command: None,
        });
    };
    let evidence = refusal.evidence;
    if let Some(policy) = refusal.denial.policy.filter(|policy| policy.is_guardrail()) {
        let text = format!("the refusal in the log blames a {}, not the role's own policies", policy.words());
        return Check::ruled_out(text, evidence);
    }
    let text = format!("{role} was refused {}: {}", refusal.action, refusal.text);
    let mut reasons = vec![because(text, &evidence, DIRECT)];
    let failed = context
        .progress
        .all_failures()
        .find(|failure| !failure.reported && matches!(failure.stage, Stage::Request | Stage::Response));
    // The code may have caught the refusal: that it cost the answer takes a call that failed there.
    let certainty = if failed.is_some() { Certainty::Proven } else { Certainty::Circumstantial };
    reasons.extend(failed.map(|failure| because(failure.text.clone(), &failure.evidence, 2.0)));
    Check::found(Finding::new(certainty, vec![role], reasons))
}
