//! The bundle under construction: calls as `launchpath-bundle/1` records them.
//!
//! Masking happens on the way in ([`crate::mask`]), so nothing unmasked is ever held here.

use jiff::{Timestamp, TimestampRound, Unit};
use serde_json::{Map, Value, json};

use crate::mask;
use crate::wire::refusal::Refusal;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Ok,
    /// The service refused: permissions.
    Denied,
    /// The service says that the thing asked for does not exist.
    NotFound,
    /// The service asked for patience more often than we had it.
    Throttled,
    /// Anything else, a network failure or an emulator's missing operation included.
    Error,
}

impl Outcome {
    /// The word of the bundle format.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Denied => "denied",
            Outcome::NotFound => "not_found",
            Outcome::Throttled => "throttled",
            Outcome::Error => "error",
        }
    }
}

/// One call with its answer.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Where the call stands in the plan: step, then position in the step. Orders the bundle.
    pub(crate) order: (usize, usize),
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) region: String,
    pub(crate) request: Value,
    pub(crate) at: Timestamp,
    pub(crate) result: Result<Value, Refusal>,
}

impl Record {
    /// How the call ended.
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.result {
            Ok(_) => Outcome::Ok,
            Err(refusal) => refusal.outcome(),
        }
    }

    fn into_json(self, number: usize) -> Value {
        let outcome = self.outcome();
        let mut call = Map::new();
        call.insert("id".to_owned(), format!("c{number}").into());
        call.insert("service".to_owned(), self.service.into());
        call.insert("operation".to_owned(), self.operation.into());
        call.insert("region".to_owned(), self.region.into());
        call.insert("request".to_owned(), self.request);
        call.insert("at".to_owned(), seconds(self.at).into());
        call.insert("outcome".to_owned(), outcome.as_str().into());
        match self.result {
            Ok(response) => call.insert("response".to_owned(), response),
            Err(refusal) => {
                let mut error = json!({"code": refusal.code, "message": mask::text(&refusal.message)});
                if let Some(http) = refusal.http {
                    error["http"] = http.into();
                }
                call.insert("error".to_owned(), error)
            }
        };
        Value::Object(call)
    }
}

/// What the bundle says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    pub(crate) collected_at: Timestamp,
    pub(crate) account: Option<String>,
    pub(crate) region: String,
    pub(crate) partition: &'static str,
    pub(crate) runtime: String,
    pub(crate) endpoint: String,
}

/// The finished bundle: calls in the plan's order, numbered from `c1`.
pub(crate) fn bundle(heading: &Heading, mut records: Vec<Record>) -> Value {
    records.sort_by_key(|record| record.order);
    let calls: Vec<_> =
        records.into_iter().enumerate().map(|(at, record)| record.into_json(at + 1)).collect();
    let mut bundle = json!({
        "format": "launchpath-bundle/1",
        "collected_at": seconds(heading.collected_at),
        "collector": concat!("launchpath ", env!("CARGO_PKG_VERSION")),
        "account": heading.account,
        "region": heading.region,
        "partition": heading.partition,
        "subject": {"runtime": heading.runtime, "endpoint": heading.endpoint},
        "calls": calls,
    });
    // An account that nobody told is left out, not empty.
    if let Some(members) = bundle.as_object_mut().filter(|members| members["account"].is_null()) {
        members.shift_remove("account");
    }
    bundle
}

/// A time in whole seconds, as bundles write it.
pub(crate) fn seconds(time: Timestamp) -> String {
    let whole = TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    time.round(whole).unwrap_or(time).to_string()
}
