//! CloudWatch Logs.
//!
//! AWS: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilteredLogEvent.html>

use serde::Deserialize;

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogGroup {
    /// Its name.
    pub log_group_name: String,
    /// Creation, milliseconds since 1970.
    pub creation_time: Option<i64>,
    /// Bytes stored; lags by hours.
    pub stored_bytes: Option<i64>,
    /// Its key, when encrypted with one.
    pub kms_key_id: Option<String>,
}

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogStream {
    /// Its name.
    pub log_stream_name: String,
    /// Creation, milliseconds since 1970.
    pub creation_time: Option<i64>,
    /// First event, milliseconds since 1970.
    pub first_event_timestamp: Option<i64>,
    /// Last event, milliseconds since 1970; lags by up to an hour.
    pub last_event_timestamp: Option<i64>,
}

/// A log event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogEvent {
    /// Its stream; absent in GetLogEvents.
    pub log_stream_name: Option<String>,
    /// When it was written, milliseconds since 1970 (ISO 8601 is read as well).
    #[serde(deserialize_with = "millis")]
    pub timestamp: Option<i64>,
    /// Its text: hostile, never printed without stripping control sequences.
    pub message: String,
    /// When it arrived, milliseconds since 1970 (ISO 8601 is read as well).
    #[serde(deserialize_with = "millis")]
    pub ingestion_time: Option<i64>,
}

/// Milliseconds as CloudWatch Logs counts them, or any other form of a time.
fn millis<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Millis(i64),
        Time(crate::time::Timestamp),
    }
    let form = Option::<Form>::deserialize(deserializer)?;
    Ok(form.map(|form| match form {
        Form::Millis(millis) => millis,
        Form::Time(time) => time.as_millis(),
    }))
}
