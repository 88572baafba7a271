//! `contract.first_request_5xx`: the first request of a session is answered with a server error, and the service tries again until
//! the time to initialize is over.

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log::{self, Request};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.first_request_5xx",
    title: "The first request of a session fails with a server error and is tried again",
    stage: Stage::Health,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some(finding) = in_log(case) {
        return Check::found(Some(finding));
    }
    match trial::answer(context, FAULT.code, trial::runtime_subject(case), |case, _: &Broken| {
        Some(mend(case))
    }) {
        Ok(Check::Found(findings)) => {
            // The request came after the probe was answered.
            Check::Found(findings.into_iter().map(|finding| finding.at(Stage::Response)).collect())
        }
        Ok(check) => check,
        Err(open) => Check::Unknown(trial::unread_log(case).into_iter().chain(open).collect()),
    }
}

/// The same request again and again, seconds apart, each time with a server error.
fn in_log(case: &Case) -> Option<Finding> {
    let path = case.runtime()?.path();
    let requests = process_log::requests(case);
    let last = requests.iter().rfind(|r| r.method == "POST" && r.path == path)?;
    let of_session: Vec<&Request> =
        requests.iter().filter(|r| r.stream == last.stream && r.method == "POST" && r.path == path).collect();
    let failed = of_session.iter().rev().take_while(|request| request.status >= 500).count();
    let again = of_session
        .windows(2)
        .rev()
        .take(failed.saturating_sub(1))
        .take_while(|pair| {
            let gap = pair[1].at.zip(pair[0].at).map(|(later, earlier)| later.seconds_since(earlier));
            gap.is_some_and(|gap| (0..=5).contains(&gap))
        })
        .count();
    if again < 2 {
        return None;
    }
    let text = format!(
        "the request to {path} came {} times, seconds apart, and was answered with {} each time: {}",
        again + 1,
        last.status,
        last.line
    );
    let lines = vec![because(text, std::slice::from_ref(&last.evidence), DIRECT)];
    let finding = Finding::new(Certainty::Proven, trial::runtime_subject(case), lines)?;
    Some(finding.at(Stage::Response).with_repair(mend(case)))
}

fn mend(case: &Case) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        "Mend what raises in the handler, and answer errors in the body with status 200",
        Safety::Review,
        changes,
    );
    repair.steps = vec!["# the traceback of the handler stands in the log, once per attempt".to_owned()];
    repair.assumes = Some("the handler then answers".to_owned());
    repair
}
