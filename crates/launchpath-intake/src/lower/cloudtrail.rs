//! CloudTrail: management events.
//!
//! AWS: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use launchpath_model::World;
use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Lowered, Recorded};
use crate::error::IntakeError;
use crate::json::Place;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "LookupEvents" => lookup(world, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

/// The row around an event.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    event_id: Option<String>,
    event_name: Option<String>,
    event_time: Option<Timestamp>,
    event_source: Option<String>,
    cloud_trail_event: Option<Value>,
}

fn lookup(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut world.trail;
    // A log file that CloudTrail delivered to S3 holds the events themselves.
    if call.member("Events").is_none()
        && let Some(records) = call.objects::<TrailEvent>("Records")?
    {
        table.record(call.read(records.len()));
        for event in records {
            let key = key_of(&event);
            table.insert(key, event, call.evidence.id.clone());
        }
        return Ok(Lowered::Done);
    }
    let Some(rows) = call.objects::<Row>("Events")? else {
        table.record(call.read_without("Events"));
        return Ok(Lowered::Done);
    };
    table.record(call.read(rows.len()));
    for row in rows {
        let event = event_of(row);
        table.insert(key_of(&event), event, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

/// The event inside the row, completed by the row; the row alone when the text is missing or cannot be read.
fn event_of(row: Row) -> TrailEvent {
    let inner = match row.cloud_trail_event {
        Some(Value::String(text)) => serde_json::from_str::<Value>(&text).ok(),
        other => other,
    };
    let inner: Option<TrailEvent> = inner.and_then(|value| Place::default().typed(&value).ok());
    let mut event = inner.unwrap_or_default();
    event.event_id = row.event_id.or(event.event_id);
    event.event_time = event.event_time.or(row.event_time);
    event.event_source = event.event_source.or(row.event_source);
    if event.event_name.is_empty() {
        event.event_name = row.event_name.unwrap_or_default();
    }
    event
}

fn key_of(event: &TrailEvent) -> String {
    let made = || {
        let at = event.event_time.map(|at| at.to_string()).unwrap_or_default();
        let source = event.event_source.as_deref().unwrap_or_default();
        format!("{}@{at}@{source}", event.event_name)
    };
    event.event_id.clone().filter(|id| !id.is_empty()).unwrap_or_else(made)
}

#[cfg(test)]
mod tests {
    use super::{Row, event_of, key_of};
    use serde_json::{Value, json};

    fn row(text: &Value) -> Row {
        let row = json!({
            "EventId": "outer", "EventName": "CreateNetworkInterface", "EventTime": "2025-10-18T04:05:18Z",
            "EventSource": "ec2.amazonaws.com", "CloudTrailEvent": text
        });
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn the_text_inside_is_preferred() {
        let text = json!({ "eventName": "CreateNetworkInterface", "errorCode": "Client.DryRunOperation",
            "eventID": "inner", "userIdentity": { "arn": null, "type": "AssumedRole" } })
        .to_string();
        let event = event_of(row(&json!(text)));
        assert!(event.dry_run_passed());
        assert_eq!(event.user_identity.r#type.as_deref(), Some("AssumedRole"));
        assert_eq!(key_of(&event), "outer");
    }

    #[test]
    fn a_row_without_readable_text_is_still_an_event() {
        for text in [json!("{"), json!("[]"), json!({ "eventName": 3 }), json!("{\"eventName\":3}")] {
            let event = event_of(row(&text));
            assert_eq!(event.event_name, "CreateNetworkInterface");
            assert_eq!(event.event_source.as_deref(), Some("ec2.amazonaws.com"));
        }
    }
}
