//! `svc.transient_cold_start`: one call failed at the probe, and a later one of the same version was answered.

use launchpath_model::{Gap, GapReason, Outcome, service};

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.transient_cold_start",
    title: "A cold start failed once, and later calls work",
    stage: Stage::Lifecycle,
    since: "0.1.0",
    prior: 1.0,
    needs: &["InvokeAgentRuntime", "GetAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let calls = case.invocations();
    let since = case.changed_at();
    let failed = calls.iter().rfind(|call| {
        let text = call.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
        let id = service::recognise_error(&text).map(|known| known.id.as_str());
        call.outcome != Outcome::Ok
            && call.at >= since
            && matches!(id, Some("health_check_failed" | "initialization_exceeded"))
    });
    let Some(failed) = failed else {
        return match calls.last() {
            Some(call) => Check::ruled_out(
                "no call of this version that is on record failed at its start",
                vec![call.evidence.clone()],
            ),
            None => Check::unknown(gap(case)),
        };
    };
    let Some(later) = calls.iter().find(|call| call.was_answered() && call.at > failed.at) else {
        return Check::unknown(gap(case));
    };
    let evidence = [failed.evidence.clone(), later.evidence.clone()];
    let when = failed.at.map(|at| at.to_string()).unwrap_or_default();
    let text =
        format!("the call at {when} failed at its start, and a later one of the same version was answered");
    let finding = Finding::new(
        Certainty::Circumstantial,
        trial::runtime_subject(case),
        vec![because(text, &evidence, 5.0)],
    );
    Check::found(finding.map(|finding| finding.with_repair(warm())))
}

fn gap(case: &Case) -> Gap {
    Gap {
        what: "whether a later call, with nothing changed, is answered".to_owned(),
        reason: GapReason::NotAsked,
        evidence: Vec::new(),
        command: case
            .id
            .as_ref()
            .map(|id| format!("launchpath diagnose {id} --invoke '{{\"prompt\": \"ping\"}}'")),
    }
}

fn warm() -> Repair {
    let mut repair = Repair::new(
        "Retry a failed first call once, with a new session; shorten the start, or use platform V2, which restores a snapshot",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec![
        "# a start near the limit fails now and then: launchpath rehearse IMAGE shows how long it takes"
            .to_owned(),
    ];
    repair
}
