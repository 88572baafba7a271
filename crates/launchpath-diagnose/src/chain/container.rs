//! Stages inside the microVM: the process, its log, the probe. Read from the runtime's log group.
//!
//! Log lines prove that a process ran; an empty group proves nothing (a healthy process may print nothing, lines lag, the
//! role or the network may keep them from arriving).

use launchpath_image::traceback::{self, Traceback};
use launchpath_model::service::ErrorText;
use launchpath_model::world::LogRecord;
use launchpath_model::{EvidenceId, Known, Timestamp, service};

use super::{Failure, Sighting, Stage, Strength, Trace, TraceRule};
use crate::case::{Case, LOG_LAG_SECONDS};
use crate::process_log::{self, Request};

pub(super) const RULES: &[&TraceRule] = &[&LOG_LINES];

static LOG_LINES: TraceRule = TraceRule {
    name: "log_lines",
    stage: Stage::LogDelivery,
    always_left: false,
    delay_seconds: LOG_LAG_SECONDS,
    hidden_by: "lag, a silent process, a role that may not write, a blocked path to CloudWatch Logs",
    look: log_lines,
};

fn log_lines(case: &Case) -> Sighting {
    let lines = match case.log_lines() {
        Known::Known(fact) => process_log::current(case, fact.value),
        Known::Unknown(gap) => return Sighting::NotVisible(gap),
        Known::Absent(_) => return Sighting::NotApplicable,
    };
    let Some(last) = lines.last() else {
        return Sighting::NotApplicable;
    };
    let evidence = vec![last.evidence.clone()];
    let trace = |stage, text: String| Trace {
        stage,
        text,
        evidence: evidence.clone(),
        at: last.at,
        strength: Strength::Direct,
    };
    let mut traces = vec![trace(Stage::LogDelivery, counted(lines.len(), &place(case)))];
    if let Some(crash) = fatal_traceback(case) {
        traces.push(trace(Stage::ArtifactFetch, "the interpreter ran: the image arrived".to_owned()));
        let failure = Failure {
            stage: Stage::ProcessStart,
            text: format!("the process died: {}", crash.traceback.headline()),
            evidence: vec![crash.evidence],
            fault: None,
            reported: false,
        };
        return Sighting::Seen(traces, vec![failure]);
    }
    if let Some((line, known)) = lines.iter().rev().find_map(|line| Some((line, not_started(&line.message)?)))
    {
        traces.push(trace(Stage::ArtifactFetch, "the image arrived".to_owned()));
        let failure = Failure {
            stage: Stage::ProcessStart,
            text: format!("{}: {}", line.message.trim(), known.means),
            evidence: vec![line.evidence.clone()],
            fault: known.fault.as_deref(),
            reported: false,
        };
        return Sighting::Seen(traces, vec![failure]);
    }
    if exited_later(case, last) {
        // What it printed is older than the call that found it gone: it ran, and did not stay.
        traces.push(trace(
            Stage::ArtifactFetch,
            "a process printed before it exited: the image arrived".to_owned(),
        ));
        return Sighting::Seen(traces, Vec::new());
    }
    // A script that prints and then dies prints as well: a death is ruled out by a server that listens or answers, and by a process
    // that went on after an error.
    let text: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
    let text = text.join("\n");
    let lives = traceback::shows_life(&text) || !traceback::find(&text).is_empty();
    let strength = if lives { Strength::Direct } else { Strength::Implied };
    traces.push(Trace { strength, ..trace(Stage::ProcessStart, "the process printed".to_owned()) });
    let answered = process_log::requests(case)
        .into_iter()
        .rfind(|request| shows_ping_answered(request) && after_failure(case, request.at));
    if let Some(request) = answered {
        traces.push(Trace {
            stage: Stage::Health,
            text: "the access log shows answered probes".to_owned(),
            evidence: vec![request.evidence],
            at: request.at,
            strength: Strength::Direct,
        });
    }
    Sighting::Seen(traces, Vec::new())
}

/// A line of the system, not of the process: the program could not even be started.
fn not_started(message: &str) -> Option<&'static ErrorText> {
    let known = service::recognise_error(message)?;
    matches!(known.id.as_str(), "exec_format_error" | "overlay_mount_failed").then_some(known)
}

/// Whether the failing call says that the process exited at start, later than the last line.
fn exited_later(case: &Case, last: &LogRecord) -> bool {
    case.symptom().is_some_and(|symptom| {
        let exited = service::recognise_error(&symptom.text).is_some_and(|known| known.id == "start_error");
        exited && symptom.at >= last.at
    })
}

fn counted(lines: usize, place: &str) -> String {
    if lines == 1 { format!("1 line in {place}") } else { format!("{lines} lines in {place}") }
}

fn place(case: &Case) -> String {
    case.log_group().unwrap_or_default()
}

fn shows_ping_answered(request: &Request) -> bool {
    request.method == "GET" && request.path == "/ping" && request.status == 200
}

/// A probe answered before the failing call says nothing about that call.
fn after_failure(case: &Case, at: Option<Timestamp>) -> bool {
    case.symptom().is_none_or(|symptom| symptom.at.is_some() && at >= symptom.at)
}

/// A traceback that ended the process, and the call that shows it.
#[derive(Clone, Debug)]
pub(crate) struct Crash {
    pub(crate) traceback: Traceback,
    pub(crate) evidence: EvidenceId,
}

/// The traceback with which the latest process died at its start; `None` when the latest process that says anything about it
/// lived.
pub(crate) fn fatal_traceback(case: &Case) -> Option<Crash> {
    let Known::Known(fact) = case.log_lines() else { return None };
    let lines = process_log::current(case, fact.value);
    let mut streams: Vec<&str> = Vec::new();
    for line in lines.iter().rev() {
        if !streams.contains(&line.stream.as_str()) {
            streams.push(&line.stream);
        }
    }
    for stream in streams {
        let of_stream: Vec<&LogRecord> = lines.iter().copied().filter(|line| line.stream == stream).collect();
        let text: Vec<&str> =
            of_stream.iter().map(|line| line.message.trim_end_matches(['\r', '\n'])).collect();
        let text = text.join("\n");
        let Some(traceback) = traceback::find(&text).pop() else {
            if traceback::shows_life(&text) {
                return None;
            }
            continue;
        };
        let evidence = of_stream.last().map(|line| line.evidence.clone())?;
        return traceback::ended_the_start(&text, &traceback).then_some(Crash { traceback, evidence });
    }
    None
}
