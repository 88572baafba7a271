//! `client.timeout`: a time-out of the caller's own fires first.

use launchpath_model::{Gap, GapReason, service};

use crate::case::{Case, LOG_LAG_SECONDS};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Check, Context, Fault, own_text};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "client.timeout",
    title: "The caller gives up before the answer comes",
    stage: Stage::Response,
    since: "0.1.0",
    prior: 1.0,
    needs: &["InvokeAgentRuntime", "FilterLogEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        return own_text::not_named(context);
    };
    if let Some(gap) = never_arrived(context.case) {
        return Check::unknown(gap);
    }
    own_text::found(context, failure, mend())
}

/// A server that logs its requests, and none came: waiting longer would not bring the answer.
///
/// uvicorn says that it runs on the level on which it logs requests, and it logs a request when its answer begins. Until the longest
/// request would have been answered, the lack of a line says nothing.
fn never_arrived(case: &Case) -> Option<Gap> {
    if case.log_is_selection() {
        return None;
    }
    let call = case.latest_invocation()?;
    let (longest, _) = service::limit("synchronous_request_seconds");
    let late = case.world.collected_at?.seconds_since(call.at?) >= longest + LOG_LAG_SECONDS;
    let listener =
        process_log::listeners(case).into_iter().find(|l| l.line.contains("Uvicorn running on"))?;
    let asked = process_log::requests(case).iter().any(|request| request.method == "POST");
    let gap = Gap {
        what: "whether the request reached the process".to_owned(),
        reason: GapReason::NotVisible {
            why: "the server logs its requests, and logged none: a caller that waits longer may wait for nothing".to_owned(),
        },
        evidence: vec![call.evidence.clone(), listener.evidence],
        command: None,
    };
    (late && !asked).then_some(gap)
}

fn mend() -> Repair {
    let mut repair = Repair::new(
        "Let the caller wait as long as the request may take: 15 minutes, or stream",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec!["# boto3: Config(read_timeout=900, retries={\"max_attempts\": 0}); API Gateway and Lambda: answer at once, work in the background".to_owned()];
    repair
}
