//! `app.slow_init`: the work at start outlasts the time the service waits.

use launchpath_model::service;

use crate::case::Case;
use crate::chain::{Stage, start_limit_seconds};
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.slow_init",
    title: "The start takes longer than the service waits",
    stage: Stage::Health,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "InvokeAgentRuntime", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some(answer) = in_log(context) {
        return answer;
    }
    let open = match trial::answer(context, FAULT.code, trial::image_subject(case), |case, _: &Broken| {
        Some(later(case))
    }) {
        Ok(check) => return check,
        Err(open) => open,
    };
    Check::Unknown(trial::unread_log(case).into_iter().chain(open).collect())
}

/// The time between the first line of the latest process and the line in which it listens.
fn in_log(context: &Context) -> Option<Check> {
    let case = context.case;
    let limit = start_limit_seconds(case.combination.artifact);
    let lines = process_log::lines(case);
    let stream = &lines.last()?.stream;
    let of_process: Vec<_> =
        lines.iter().filter(|line| line.stream == *stream && line.at.is_some()).collect();
    let (first, last) = (of_process.first()?, of_process.last()?);
    let listened = process_log::listeners(case).into_iter().find(|listener| listener.stream == *stream);
    if let Some(listener) = listened {
        let seconds = listener.at?.seconds_since(first.at?);
        let mut evidence = vec![listener.evidence.clone()];
        evidence.push(first.evidence.clone());
        if seconds > limit {
            let text = format!(
                "the process listens {seconds} seconds after its first line; the service waits {limit}"
            );
            return Some(found(case, Certainty::Proven, &text, &evidence, DIRECT));
        }
        // What it did before its first line nobody sees: only a call that came later met a process that listened.
        let failed = case.symptom().filter(|symptom| !symptom.reported);
        let later = failed.as_ref().and_then(|symptom| symptom.at).filter(|at| Some(*at) >= listener.at);
        return later.map(|at| {
            evidence.extend(failed.iter().flat_map(|symptom| symptom.evidence.clone()));
            Check::ruled_out(format!("the process listened before the failing call ({at})"), evidence)
        });
    }
    // It goes on printing, without an end and without a server, until the time is over.
    let symptom = case.symptom().filter(|symptom| !symptom.reported)?;
    let timed_out = service::recognise_error(&symptom.text)?.id == "initialization_exceeded";
    let busy = last.at?.seconds_since(first.at?);
    if timed_out && busy >= limit / 2 && crate::chain::fatal_traceback(case).is_none() {
        let mut evidence = vec![last.evidence.clone()];
        evidence.extend(symptom.evidence);
        let text = format!(
            "the process printed for {busy} seconds, never said that it listens, and the time ran out"
        );
        return Some(found(case, Certainty::Circumstantial, &text, &evidence, 10.0));
    }
    None
}

fn found(
    case: &Case,
    certainty: Certainty,
    text: &str,
    evidence: &[launchpath_model::EvidenceId],
    weight: f64,
) -> Check {
    let lines = vec![because(text, evidence, weight)];
    let finding = Finding::new(certainty, trial::image_subject(case), lines);
    Check::found(finding.map(|finding| finding.with_repair(later(case))))
}

fn later(case: &Case) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        "Listen first and do the slow work after it: load models and open connections in the background or at the first request",
        Safety::Review,
        changes,
    );
    repair.steps = vec![
        "# what takes the time: python -X importtime -c 'import MODULE' 2> times.txt".to_owned(),
        "# fewer and smaller packages; byte code compiled at the build (python -m compileall)".to_owned(),
    ];
    repair.assumes = Some("the server then listens in time".to_owned());
    repair
}
