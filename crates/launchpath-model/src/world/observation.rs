//! Observations that are not resources: invocations, log lines, statements. Local experiments are in [`super::experiment`].

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
    /// The session id that it was made with.
    pub session: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The failure.
    pub error: Option<CallError>,
    /// The answer, where there is one.
    pub response: Option<Value>,
}

impl Invocation {
    /// Whether the runtime answered: HTTP 200 alone does not say so, for with MCP the service reports a dead one in the body.
    pub fn was_answered(&self) -> bool {
        self.outcome == Outcome::Ok && self.json_rpc_error().is_none()
    }

    /// Code and message of a JSON-RPC answer that is an error.
    ///
    /// Source: the JSON-RPC 2.0 specification, section 5.1 (<https://www.jsonrpc.org/specification>).
    pub fn json_rpc_error(&self) -> Option<(i64, String)> {
        let response = self.response.as_ref()?;
        let body = response.get("response").or_else(|| response.get("body")).unwrap_or(response);
        let parsed: Value = match body {
            Value::String(text) => serde_json::from_str(text).ok()?,
            other => other.clone(),
        };
        parsed.get("jsonrpc")?;
        let error = parsed.get("error")?;
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        Some((error.get("code")?.as_i64()?, message.to_owned()))
    }
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

/// A build of the artifact, as CodeBuild's BatchGetBuilds describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The call.
    pub evidence: EvidenceId,
    /// Its id.
    pub id: String,
    /// `SUCCEEDED`, `FAILED`, `IN_PROGRESS`, …
    pub status: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// What the failing phase says.
    pub reason: Option<String>,
}
