//! What an empty log looks like: no group, a group without streams, streams of telemetry only, a stream of the process without lines.
//!
//! None of these shows that no process ran; they differ in who has not written. Shared by the warning about empty logs and the fault
//! of a silent process.

use launchpath_model::{EvidenceId, Known, Timestamp};
use serde_json::json;

use crate::case::Case;

/// How the log is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There is no group.
    NoGroup,
    /// There is one, and nothing in it.
    NoStreams,
    /// Streams of telemetry, and none of a process.
    TelemetryOnly(Vec<String>),
    /// Streams of a process without a line.
    NoLines(Vec<String>),
    /// A stream of a process whose own clock says that it holds lines: the query that found none did not cover them.
    LinesElsewhere(String, Timestamp),
}

impl Shape {
    /// In words.
    pub(crate) fn text(&self, group: &str) -> String {
        match self {
            Self::NoGroup => {
                format!(
                    "there is no log group {group}: whoever starts a session first makes it, with the execution role"
                )
            }
            Self::NoStreams => {
                format!("the log group {group} exists and holds no stream: nothing was ever written to it")
            }
            Self::TelemetryOnly(names) => format!(
                "the log group holds streams of telemetry only ({}), which can be there although no container started",
                names.join(", ")
            ),
            Self::NoLines(names) => {
                format!("a stream of the process is there ({}) and shows no line", names.join(", "))
            }
            Self::LinesElsewhere(name, at) => {
                format!(
                    "the stream {name} holds lines, the last of {at}: the query that found none did not cover them"
                )
            }
        }
    }
}

/// How the runtime's log is empty, where groups and streams were listed; `None` where that is not known, or lines were read.
pub(crate) fn shape(case: &Case) -> Option<(Shape, Vec<EvidenceId>)> {
    if matches!(case.log_lines(), Known::Known(_)) {
        return None;
    }
    let group = case.log_group()?;
    let command = case.command("logs", "DescribeLogGroups", &json!({ "logGroupNamePrefix": group }));
    let target = case.target(format!("the log group {group}"), command).with("logGroupName", &group);
    let row = match case.world.log_groups.get(&group, &target) {
        Known::Absent(absence) => return Some((Shape::NoGroup, absence.evidence().to_vec())),
        Known::Unknown(_) => return None,
        Known::Known(fact) => fact,
    };
    let command = case.command("logs", "DescribeLogStreams", &json!({ "logGroupName": group }));
    let target = case.target(format!("the streams of {group}"), command).with("logGroupName", &group);
    let streams = case.world.log_streams.select(&target, |(of, _), _| *of == group);
    if streams.rows.is_empty() {
        let mut evidence = row.evidence.clone();
        evidence.extend(streams.complete.ok()?.evidence().iter().cloned());
        return Some((Shape::NoStreams, evidence));
    }
    let evidence = |names: &[String]| {
        let of = streams.rows.iter().filter(|row| names.contains(&row.value.log_stream_name));
        let mut all: Vec<EvidenceId> = of.flat_map(|row| row.evidence.clone()).collect();
        all.sort();
        all.dedup();
        all
    };
    let of_process = streams.rows.iter().filter(|row| !is_telemetry(&row.value.log_stream_name));
    let of_process: Vec<_> = of_process.collect();
    if of_process.is_empty() {
        let names: Vec<String> = streams.rows.iter().map(|row| row.value.log_stream_name.clone()).collect();
        let evidence = evidence(&names);
        return Some((Shape::TelemetryOnly(first(names)), evidence));
    }
    let since = case.version_since();
    let written = of_process.iter().find_map(|row| {
        let at = Timestamp::from_millis(row.value.last_event_timestamp?)?;
        (Some(at) >= since).then(|| (row.value.log_stream_name.clone(), at))
    });
    if let Some((name, at)) = written {
        let evidence = evidence(std::slice::from_ref(&name));
        return Some((Shape::LinesElsewhere(name, at), evidence));
    }
    let names: Vec<String> = of_process.iter().map(|row| row.value.log_stream_name.clone()).collect();
    let evidence = evidence(&names);
    Some((Shape::NoLines(first(names)), evidence))
}

/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-view.html>: `otel-rt-logs`; `spans` with unified
/// telemetry.
fn is_telemetry(name: &str) -> bool {
    name.starts_with("otel-") || name == "spans"
}

/// No more names than a reader wants.
fn first(mut names: Vec<String>) -> Vec<String> {
    names.truncate(3);
    names
}
