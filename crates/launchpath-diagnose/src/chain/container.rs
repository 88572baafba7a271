//! Stages inside the microVM: the process, its log, the probe. Read from the runtime's log group.
//!
//! Log lines prove that a process ran; an empty group proves nothing (a healthy process may print nothing, lines lag, the
//! role or the network may keep them from arriving).

use launchpath_image::traceback::{self, Traceback};
use launchpath_model::world::LogRecord;
use launchpath_model::{EvidenceId, Known};

use super::{Failure, Sighting, Stage, Strength, Trace, TraceRule};
use crate::case::{Case, LOG_LAG_SECONDS};

pub(super) const RULES: &[&TraceRule] = &[&LOG_LINES];

static LOG_LINES: TraceRule = TraceRule {
    name: "log_lines",
    stage: Stage::LogDelivery,
    always_left: false,
    delay_seconds: LOG_LAG_SECONDS,
    hidden_by: "lag, a silent process, a role that may not write, a blocked path to CloudWatch Logs",
    look: log_lines,
};

/// Lines after a traceback within which it still counts as the end of the stream: loggers and servers add a few.
const LINES_AFTER_THE_END: usize = 5;

fn log_lines(case: &Case) -> Sighting {
    let lines = match case.log_lines() {
        Known::Known(fact) => current(case, fact.value),
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
    let mut traces = vec![trace(Stage::LogDelivery, format!("{} lines in {}", lines.len(), place(case)))];
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
    traces.push(trace(Stage::ProcessStart, "the process printed".to_owned()));
    let answered =
        lines.iter().rev().find(|line| after_failure(case, line) && shows_ping_answered(&line.message));
    if let Some(line) = answered {
        traces.push(Trace {
            stage: Stage::Health,
            text: "the access log shows answered probes".to_owned(),
            evidence: vec![line.evidence.clone()],
            at: line.at,
            strength: Strength::Direct,
        });
    }
    Sighting::Seen(traces, Vec::new())
}

fn place(case: &Case) -> String {
    case.log_group().unwrap_or_default()
}

fn shows_ping_answered(message: &str) -> bool {
    message.contains("GET /ping") && message.contains(" 200")
}

/// A probe answered before the failing call says nothing about that call.
fn after_failure(case: &Case, line: &LogRecord) -> bool {
    case.symptom().is_none_or(|symptom| symptom.at.is_some() && line.at >= symptom.at)
}

/// Lines of the current version: none older than the last change. Lines without a time are kept.
fn current<'a>(case: &Case, lines: Vec<&'a LogRecord>) -> Vec<&'a LogRecord> {
    let since = case.changed_at().or(case.created_at());
    lines.into_iter().filter(|line| line.at.is_none() || line.at >= since).collect()
}

/// A traceback that ended the process, and the call that shows it.
#[derive(Clone, Debug)]
pub(crate) struct Crash {
    pub(crate) traceback: Traceback,
    pub(crate) evidence: EvidenceId,
}

/// The last traceback in the runtime's own log that ended a process: an import failure, or one at the end of its stream.
pub(crate) fn fatal_traceback(case: &Case) -> Option<Crash> {
    let Known::Known(fact) = case.log_lines() else { return None };
    let lines = current(case, fact.value);
    let mut streams: Vec<&str> = lines.iter().map(|line| line.stream.as_str()).collect();
    streams.dedup();
    for stream in streams.into_iter().rev() {
        let of_stream: Vec<&LogRecord> = lines.iter().copied().filter(|line| line.stream == stream).collect();
        let text: Vec<&str> =
            of_stream.iter().map(|line| line.message.trim_end_matches(['\r', '\n'])).collect();
        let text = text.join("\n");
        let Some(traceback) = traceback::find(&text).pop() else { continue };
        let evidence = of_stream.last().map(|line| line.evidence.clone())?;
        if is_the_end(&text, &traceback) {
            return Some(Crash { traceback, evidence });
        }
    }
    None
}

/// Whether the process ended with the traceback: nothing after it shows that it went on.
///
/// An import failure ends a process unless it was caught; then the log goes on with a server that runs. Any other
/// exception counts only at the end of its stream.
fn is_the_end(text: &str, traceback: &Traceback) -> bool {
    let last = traceback.text.lines().last().unwrap_or_default();
    let after = text.rsplit_once(last).map_or("", |(_, rest)| rest);
    let import_failed = matches!(traceback.exception.as_str(), "ModuleNotFoundError" | "ImportError");
    if import_failed {
        return !SIGNS_OF_LIFE.iter().any(|sign| after.contains(sign));
    }
    after.lines().filter(|line| !line.trim().is_empty()).count() <= LINES_AFTER_THE_END
}

/// What servers print once they listen, and what they print for an answered request.
const SIGNS_OF_LIFE: &[&str] = &[
    "running on http",
    "Application startup complete",
    "Listening",
    "listening on",
    "GET /ping",
    "HTTP/1.1\" 200",
];
