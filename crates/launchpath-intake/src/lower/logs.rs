//! CloudWatch Logs: groups, streams, events.
//!
//! AWS: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html>

use std::collections::BTreeMap;

use launchpath_model::World;
use launchpath_model::aws::log::{LogEvent, LogGroup, LogStream};
use launchpath_model::time::Timestamp;
use launchpath_model::world::LogRecord;
use serde_json::{Map, Value};

use super::{Lowered, Recorded, fill};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "DescribeLogGroups" => {
            fill(&mut world.log_groups, call, "logGroups", "logGroupName", |row: &LogGroup| {
                row.log_group_name.clone()
            })
        }
        "DescribeLogStreams" => streams(world, call),
        "FilterLogEvents" | "GetLogEvents" => events(world, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

/// The group's name in a name or an ARN (`…:log-group:NAME`, `…:log-group:NAME:*`, `…:log-group:NAME:log-stream:…`).
fn group_name(text: &str) -> &str {
    let name = text.split_once(":log-group:").map_or(text, |(_, rest)| rest);
    name.split(':').next().unwrap_or(name)
}

/// Rewrites the many ways to select groups and streams into the one that targets declare: a name, `*` for the rest.
pub(super) fn select_by_name(request: &mut Map<String, Value>) {
    for (member, name) in [
        ("logGroupNamePrefix", "logGroupName"),
        ("logGroupIdentifier", "logGroupName"),
        ("logStreamNamePrefix", "logStreamName"),
    ] {
        if request.contains_key(name) {
            continue;
        }
        let Some(Value::String(text)) = request.shift_remove(member) else {
            continue;
        };
        let rest = if member.ends_with("Prefix") { "*" } else { "" };
        request.insert(name.to_owned(), Value::String(format!("{}{rest}", group_name(&text))));
    }
}

/// The group that was asked. A loose file tells it by its name, or there is only one.
fn group_of(world: &World, call: &Recorded) -> Option<String> {
    let asked = call.asked("logGroupName").or_else(|| call.asked("logGroupIdentifier"));
    let known = world.log_groups.iter().map(|(name, _)| name.as_str());
    asked.map(group_name).or_else(|| call.only_one_of(known)).map(str::to_owned)
}

fn streams(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.rows::<LogStream>("logStreams", "logStreamName")? else {
        world.log_streams.record(call.read_without("logStreams"));
        return Ok(Lowered::Done);
    };
    let asked = group_of(world, call);
    world.log_streams.record(call.read(rows.len()));
    for (row, raw) in rows.into_iter().zip(call.raw_rows("logStreams")) {
        let named =
            raw.get("arn").and_then(Value::as_str).filter(|arn| arn.contains(":log-group:")).map(group_name);
        let Some(group) = named.or(asked.as_deref()) else {
            return Ok(Lowered::NoKey("which log group the streams belong to"));
        };
        world.log_streams.insert(
            (group.to_owned(), row.log_stream_name.clone()),
            row,
            call.evidence.id.clone(),
        );
    }
    Ok(Lowered::Done)
}

fn events(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.objects::<LogEvent>("events")? else {
        world.log_events.record(call.read_without("events"));
        return Ok(Lowered::Done);
    };
    world.log_events.record(call.read(rows.len()));
    Ok(keep(world, call, rows))
}

/// Lines of files that somebody had at hand. That the files lack a line shows nothing: no read is left on the table.
pub(super) fn of_files(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.objects::<LogEvent>("events")? {
        Some(rows) => Ok(keep(world, call, rows)),
        None => Ok(Lowered::Done),
    }
}

fn keep(world: &mut World, call: &Recorded, rows: Vec<LogEvent>) -> Lowered {
    let Some(group) = group_of(world, call) else {
        return Lowered::NoKey("which log group the events belong to");
    };
    if rows.is_empty() {
        return Lowered::Done;
    }
    let stream = call.asked("logStreamName").unwrap_or_default();
    let records = rows.into_iter().map(|event| LogRecord {
        stream: event.log_stream_name.unwrap_or_else(|| stream.to_owned()),
        at: event.timestamp.and_then(Timestamp::from_millis),
        message: event.message,
        evidence: call.evidence.id.clone(),
    });
    let known = world.log_events.seen(&group).map(|row| row.value.clone()).unwrap_or_default();
    world.log_events.insert(group, joined(known, records), call.evidence.id.clone());
    Lowered::Done
}

/// Both answers in the order (time, stream, position). What both show is kept once; a line that one answer shows
/// twice was written twice.
fn joined(known: Vec<LogRecord>, new: impl Iterator<Item = LogRecord>) -> Vec<LogRecord> {
    let key = |record: &LogRecord| (record.stream.clone(), record.at, record.message.clone());
    let mut shown: BTreeMap<_, usize> = BTreeMap::new();
    for record in &known {
        *shown.entry(key(record)).or_default() += 1;
    }
    let mut all = known;
    for record in new {
        match shown.get_mut(&key(&record)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => all.push(record),
        }
    }
    all.sort_by(|a, b| (a.at, &a.stream).cmp(&(b.at, &b.stream)));
    all
}

#[cfg(test)]
mod tests {
    use super::{group_name, joined, select_by_name};
    use launchpath_model::evidence::EvidenceId;
    use launchpath_model::time::Timestamp;
    use launchpath_model::world::LogRecord;
    use serde_json::json;

    fn line(evidence: &str, at: i64, message: &str) -> LogRecord {
        LogRecord {
            stream: "s".to_owned(),
            at: Timestamp::from_millis(at),
            message: message.to_owned(),
            evidence: EvidenceId::from(evidence),
        }
    }

    #[test]
    fn overlapping_answers_are_joined_in_time_order() {
        let first = vec![line("c1", 1, "a"), line("c1", 3, "b"), line("c1", 3, "b")];
        let second = vec![line("c2", 2, "x"), line("c2", 3, "b"), line("c2", 3, "b"), line("c2", 3, "b")];
        let all = joined(first, second.into_iter());
        let texts: Vec<&str> = all.iter().map(|record| record.message.as_str()).collect();
        assert_eq!(texts, ["a", "x", "b", "b", "b"]);
    }

    #[test]
    fn every_selection_becomes_a_name() {
        for (request, expected) in [
            (json!({ "logGroupNamePrefix": "/aws/x" }), json!({ "logGroupName": "/aws/x*" })),
            (
                json!({ "logGroupIdentifier": "arn:aws:logs:r:1:log-group:/aws/x" }),
                json!({ "logGroupName": "/aws/x" }),
            ),
            (
                json!({ "logGroupName": "g", "logStreamNamePrefix": "2025/" }),
                json!({ "logGroupName": "g", "logStreamName": "2025/*" }),
            ),
            (json!({ "logGroupName": "g" }), json!({ "logGroupName": "g" })),
        ] {
            let serde_json::Value::Object(mut members) = request else { unreachable!("an object") };
            select_by_name(&mut members);
            assert_eq!(serde_json::Value::Object(members), expected);
        }
    }

    #[test]
    fn the_group_is_found_in_names_and_arns() {
        for text in [
            "/aws/x",
            "arn:aws:logs:us-east-1:1:log-group:/aws/x",
            "arn:aws:logs:us-east-1:1:log-group:/aws/x:*",
            "arn:aws:logs:us-east-1:1:log-group:/aws/x:log-stream:2025/10/18/[runtime-logs]a",
        ] {
            assert_eq!(group_name(text), "/aws/x");
        }
    }
}
