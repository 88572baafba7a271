//! `app.wedged_state`: one failed request leaves shared state behind that makes every later one fail.

use launchpath_model::{Gap, GapReason};

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::process_log::{self, Request};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.wedged_state",
    title: "The process stays up, and every later request of the session fails",
    stage: Stage::Response,
    since: "0.1.0",
    prior: 1.0,
    needs: &["FilterLogEvents", "InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

/// So many requests in a row fail before it counts.
const IN_A_ROW: usize = 3;

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some(finding) = in_log(case) {
        return Check::found(Some(finding));
    }
    let mut gaps: Vec<Gap> = trial::unread_log(case).into_iter().collect();
    gaps.push(Gap {
        what: "whether a new session answers while the old one fails".to_owned(),
        reason: GapReason::NotAsked,
        evidence: Vec::new(),
        command: case
            .id
            .as_ref()
            .map(|id| format!("launchpath diagnose {id} --invoke '{{\"prompt\": \"ping\"}}'")),
    });
    Check::Unknown(gaps)
}

/// A stream in which requests succeeded, then one failed, and none succeeded since.
fn in_log(case: &Case) -> Option<Finding> {
    let path = case.runtime()?.path();
    let requests = process_log::requests(case);
    let of_path: Vec<&Request> = requests.iter().filter(|r| r.method == "POST" && r.path == path).collect();
    let last = of_path.last()?;
    let stream: Vec<&&Request> = of_path.iter().filter(|request| request.stream == last.stream).collect();
    let failed = stream.iter().rev().take_while(|request| request.status >= 500).count();
    let first_failed = stream.len().checked_sub(failed)?;
    let worked = first_failed > 0 && stream[..first_failed].iter().any(|request| request.status < 300);
    // A retry of one call comes within seconds and is another fault.
    let begun = stream.get(first_failed).and_then(|request| request.at)?;
    let spread = last.at?.seconds_since(begun) > 30;
    if failed < IN_A_ROW || !worked || !spread {
        return None;
    }
    let elsewhere = of_path.iter().any(|r| r.stream != last.stream && r.status < 300 && r.at > Some(begun));
    let text = format!(
        "the session answered requests, then {failed} failed in a row and none succeeded since: {}",
        last.line
    );
    let mut lines = vec![because(text, std::slice::from_ref(&last.evidence), 8.0)];
    if elsewhere {
        lines.push(because("another session answered meanwhile", std::slice::from_ref(&last.evidence), 5.0));
    }
    let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(case), lines)?;
    Some(finding.with_repair(apart(case)))
}

fn apart(case: &Case) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        "Make clients, connections and agents per request, or replace them after a failure",
        Safety::Review,
        changes,
    );
    repair.steps = vec!["# until then: call with a new session id".to_owned()];
    repair
}
