//! One log line as CloudWatch Logs would hand it out.

use launchpath_model::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// One line, cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Event {
    /// Its number in its file, from 1.
    pub line: u64,
    /// When it was logged, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Its stream, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The text, without what the format puts before it.
    pub text: String,
    /// Its file, and which part of its line's text it is: one line may hold a whole traceback.
    #[serde(skip)]
    pub(crate) part: (usize, usize),
}

impl Event {
    /// Where it stands among all lines of all files.
    pub(crate) fn order(&self) -> (usize, u64, usize) {
        (self.part.0, self.line, self.part.1)
    }

    /// As `filter-log-events` prints it; `stream` for lines that name none.
    pub fn to_value(&self, stream: &str) -> Value {
        let stream = self.stream.as_deref().unwrap_or(stream);
        let mut event = json!({ "logStreamName": stream, "message": self.text });
        if let Some(at) = self.at {
            event["timestamp"] = json!(at.as_millis());
        }
        event
    }
}
