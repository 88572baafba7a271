//! `life.session_pins_version`: a session keeps the version it began with.

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::repair::Repair;
use launchpath_model::{Gap, GapReason, Outcome};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "life.session_pins_version",
    title: "The session began before the last update and keeps the old version",
    stage: Stage::SessionPlacement,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(failed) = case.latest_invocation().filter(|call| call.outcome != Outcome::Ok) else {
        return Check::unknown(gap(case));
    };
    let (Some(session), Some(changed)) = (&failed.session, case.changed_at()) else {
        return Check::unknown(gap(case));
    };
    let calls = case.invocations();
    let of_session: Vec<_> = calls.iter().filter(|call| call.session.as_ref() == Some(session)).collect();
    // An answered call shows that the session was there; a failed one may have made none.
    let before = of_session.iter().find(|call| call.was_answered() && call.at.is_some_and(|at| at < changed));
    match before {
        Some(call) => {
            let when = call.at.map(|at| at.to_string()).unwrap_or_default();
            let mut evidence = case.runtime_evidence();
            evidence.extend([call.evidence.clone(), failed.evidence.clone()]);
            let text = format!(
                "the failing call's session answered at {when}, before the runtime was last updated ({changed}): a session keeps the version it began with"
            );
            let finding = Finding::new(
                Certainty::Circumstantial,
                trial::runtime_subject(case),
                vec![because(text, &evidence, 8.0)],
            );
            let stage = context.progress.first_failed().unwrap_or(FAULT.stage);
            Check::found(finding.map(|finding| finding.at(stage).with_repair(new_session())))
        }
        None => Check::unknown(gap(case)),
    }
}

fn gap(case: &Case) -> Gap {
    Gap {
        what: "when the session of the failing call began".to_owned(),
        reason: GapReason::NotVisible {
            why: "no earlier answered call of the same session is on record".to_owned(),
        },
        evidence: Vec::new(),
        command: case
            .id
            .as_ref()
            .map(|id| format!("launchpath diagnose {id} --invoke '{{\"prompt\": \"ping\"}}'")),
    }
}

fn new_session() -> Repair {
    let mut repair = Repair::new(
        "Call with a new session id: the old session keeps the old version",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec!["# --runtime-session-id $(uuidgen)-$(date +%s), or stop the old one: aws bedrock-agentcore stop-runtime-session".to_owned()];
    repair
}
