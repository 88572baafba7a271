//! Evidence: one recorded answer, or refusal, of one call.
//!
//! The answer itself is lowered into the [`crate::World`]; here is what every claim points back to: who was asked
//! what, when, with which outcome, and the command that repeats it.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::command;
use crate::ids::{AccountId, Region};
use crate::time::Timestamp;

// Every claim holds some of them, and a diagnosis copies and compares them all the time: a copy shares the text.
/// The id of a call in its bundle, for example `c14`. Ids sort by their number.
#[derive(Clone, PartialEq, Eq, Hash, schemars::JsonSchema)]
#[schemars(transparent)]
pub struct EvidenceId(#[schemars(with = "String")] Arc<Id>);

#[derive(PartialEq, Eq, Hash)]
struct Id {
    /// As written, to the first digit.
    prefix: usize,
    /// The digits after it, where they are all there is.
    number: u64,
    text: Box<str>,
}

impl EvidenceId {
    /// The id as written in the bundle.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    fn sort_key(&self) -> (&str, u64, &str) {
        (&self.0.text[..self.0.prefix], self.0.number, &self.0.text)
    }
}

impl From<String> for EvidenceId {
    fn from(text: String) -> Self {
        let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let prefix = text.len() - digits.len();
        let number = digits.parse().unwrap_or(u64::MAX);
        Self(Arc::new(Id { prefix, number, text: text.into_boxed_str() }))
    }
}

impl From<&str> for EvidenceId {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl Serialize for EvidenceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EvidenceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EvidenceId").field(&self.as_str()).finish()
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialOrd for EvidenceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EvidenceId {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.sort_key().cmp(&other.sort_key())
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered.
    Ok,
    /// Refused for lack of permission.
    Denied,
    /// The service says the named thing does not exist.
    NotFound,
    /// Any other error; for an invocation, the failure itself.
    Error,
    /// Throttled until given up.
    Throttled,
}

/// What the service said when it did not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object with `code` and `message`")]
pub struct CallError {
    /// The error code, for example `AccessDeniedException`.
    #[serde(default)]
    pub code: String,
    /// The message, as received.
    #[serde(default)]
    pub message: String,
    /// The HTTP status, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<u16>,
}

/// One recorded call.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Its id in the bundle.
    pub id: EvidenceId,
    /// The AWS CLI's service name, or `launchpath`.
    pub service: String,
    /// The API operation, for example `DescribeSubnets`.
    pub operation: String,
    /// The Region asked, when known.
    pub region: Option<Region>,
    /// The account asked, when known.
    pub account: Option<AccountId>,
    /// The request in the AWS CLI's shape; `None` for a loose file whose request nobody wrote down.
    pub request: Option<Value>,
    /// When the answer came.
    pub at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// The refusal or failure, when it was one.
    pub error: Option<CallError>,
    /// False when the answer says that more pages follow.
    pub complete: bool,
    /// The file it was read from, relative to the bundle, when not inline.
    pub file: Option<String>,
}

impl Evidence {
    /// The command that repeats the call.
    pub fn command(&self) -> String {
        let empty = Value::Object(serde_json::Map::new());
        command::aws_cli(
            &self.service,
            &self.operation,
            self.region.as_ref().map(Region::as_str),
            self.request.as_ref().unwrap_or(&empty),
        )
    }

    /// The request's member, when the request is known and has it.
    pub fn request_member(&self, name: &str) -> Option<&Value> {
        self.request.as_ref()?.get(name)
    }

    /// The IAM action the call needs, `service:Operation`, with the prefix IAM uses.
    pub fn iam_action(&self) -> String {
        let prefix = match self.service.as_str() {
            "bedrock-agentcore-control" => "bedrock-agentcore",
            "efs" => "elasticfilesystem",
            "service-quotas" => "servicequotas",
            other => other,
        };
        let operation = match (self.service.as_str(), self.operation.as_str()) {
            ("s3", "HeadObject") => "GetObject",
            (_, operation) => operation,
        };
        format!("{prefix}:{operation}")
    }
}

#[cfg(test)]
mod tests {
    use super::EvidenceId;

    #[test]
    fn ids_sort_by_number() {
        let mut ids = ["c10", "c2", "c1", "x1"].map(EvidenceId::from);
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["c1", "c2", "c10", "x1"]);
    }
}
