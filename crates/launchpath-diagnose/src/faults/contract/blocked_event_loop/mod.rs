//! `contract.blocked_event_loop`: the health path starves while a request runs.

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::process_log::{self, Request};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.blocked_event_loop",
    title: "The health probe starves while a request runs",
    stage: Stage::Health,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

/// The service asks about every two seconds; a silence this long is no jitter.
///
/// Source: field reports (observed).
const SILENCE_SECONDS: i64 = 20;

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some(finding) = in_log(context) {
        return Check::found(Some(finding));
    }
    let shown = trial::answer(context, FAULT.code, trial::runtime_subject(case), |case, _: &Broken| {
        Some(apart(case))
    });
    let open = match shown {
        Ok(Check::Found(findings)) => {
            let stage = trial::health_stage(case);
            return Check::Found(findings.into_iter().map(|finding| finding.at(stage)).collect());
        }
        Ok(check) => return check,
        Err(open) => open,
    };
    Check::Unknown(trial::unread_log(case).into_iter().chain(open).collect())
}

/// Probes that were answered every few seconds and then not any more, before the call failed.
fn in_log(context: &Context) -> Option<Finding> {
    if !trial::fails_at_health(context) {
        return None;
    }
    let failed = context.case.symptom().filter(|symptom| !symptom.reported)?.at?;
    let requests = process_log::requests(context.case);
    let stream = &requests.last()?.stream;
    let answered: Vec<&Request> = requests
        .iter()
        .filter(|r| {
            r.stream == *stream && r.path == "/ping" && r.status == 200 && r.at.is_some_and(|at| at <= failed)
        })
        .collect();
    let [.., first, second, last] = answered.as_slice() else { return None };
    let (first_at, second_at, last_at) = (first.at?, second.at?, last.at?);
    let steady = last_at.seconds_since(second_at).max(second_at.seconds_since(first_at)) <= 6;
    let silent = failed.seconds_since(last_at);
    // A session that ended long ago is another matter.
    if !steady || !(SILENCE_SECONDS..=900).contains(&silent) {
        return None;
    }
    let text = format!(
        "the probe was answered every few seconds until {last_at} and not in the {silent} seconds before the call failed"
    );
    let lines = vec![because(text, std::slice::from_ref(&last.evidence), 8.0)];
    let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(context.case), lines)?;
    Some(finding.at(trial::health_stage(context.case)).with_repair(apart(context.case)))
}

fn apart(case: &Case) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        "Keep blocking work off the event loop that answers /ping: threads, or asynchronous clients",
        Safety::Review,
        changes,
    );
    repair.steps = vec![
        "# for example: await asyncio.to_thread(work), a plain `def` handler, or another worker for /ping"
            .to_owned(),
    ];
    repair.assumes = Some("the probe is then answered while a request runs".to_owned());
    repair
}
