//! Observations that are not resources: invocations, log lines, statements, local experiments.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::evidence::{CallError, EvidenceId, Outcome};
use crate::time::Timestamp;

/// One call of InvokeAgentRuntime (or a sibling) and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The call.
    pub evidence: EvidenceId,
    /// When.
    pub at: Option<Timestamp>,
    /// The runtime's ARN or id, as in the request.
    pub runtime: Option<String>,
    /// The endpoint; `DEFAULT` when the request names none.
    pub qualifier: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The failure.
    pub error: Option<CallError>,
    /// The answer, where there is one.
    pub response: Option<Value>,
}

/// One log line with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its stream; empty when not recorded.
    pub stream: String,
    /// When it was written.
    pub at: Option<Timestamp>,
    /// Its text: hostile.
    pub message: String,
    /// The call that brought it.
    pub evidence: EvidenceId,
}

/// What a person said, the error they saw included: narrows the search, never counts as proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The call it is recorded as.
    pub evidence: EvidenceId,
    /// Who said it, as recorded.
    pub by: Option<String>,
    /// The text.
    pub text: String,
    /// True when it quotes the error an invocation returned.
    pub is_error_seen: bool,
}

/// A recorded run of an image under the service's contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// The call it is recorded as.
    pub evidence: EvidenceId,
    /// When.
    pub at: Option<Timestamp>,
    /// The image, as given.
    pub image: Option<String>,
    /// The image's digest, when recorded.
    pub digest: Option<String>,
    /// True or false when the record says whether the contract held.
    pub passed: Option<bool>,
    /// The clause of the contract that broke, as recorded.
    pub broken_clause: Option<String>,
    /// Everything the process printed, in order.
    pub output: String,
    /// Installed distributions and their versions, when recorded.
    pub distributions: BTreeMap<String, String>,
    /// The record, as received.
    pub record: Value,
}

/// A recorded static inspection of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The call it is recorded as.
    pub evidence: EvidenceId,
    /// The image, as given.
    pub image: Option<String>,
    /// The image's digest, when recorded.
    pub digest: Option<String>,
    /// Installed distributions and their versions.
    pub distributions: BTreeMap<String, String>,
    /// The record, as received.
    pub record: Value,
}
