//! The one test invocation of `--invoke`, and how its outcome is recorded.
//!
//! A new session each time: a session keeps the artifact it began with, so an old one would not see
//! a repaired image.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, RawAnswer};
use crate::facts::Protocol;
use crate::mask;
use crate::wire::refusal::Refusal;

/// A container has 120 seconds to become healthy; the answer takes longer than that.
const TIMEOUT: Duration = Duration::from_mins(3);
/// So much of the body is kept.
const MAX_BODY: usize = 4 << 10;

/// Invokes the runtime that `request` names and adds the session id to it.
pub(crate) async fn invoke(client: &Client, request: &mut Value, payload: &[u8]) -> Result<Value, Refusal> {
    request["contentType"] = "application/json".into();
    // MCP servers insist on both forms; others ignore it.
    request["accept"] = "application/json, text/event-stream".into();
    request["runtimeSessionId"] = session_id().into();
    outcome(client.invoke(request, payload, TIMEOUT).await?)
}

fn outcome(answer: RawAnswer) -> Result<Value, Refusal> {
    if !(200..300).contains(&answer.status) {
        let header = answer.type_header.as_deref();
        return Err(Refusal::read(&Protocol::RestJson, answer.status, header, &answer.body));
    }
    let kept = &answer.body[..answer.body.len().min(MAX_BODY)];
    let mut response = json!({
        "statusCode": answer.status,
        "response": mask::text(&String::from_utf8_lossy(kept)),
    });
    if let Some(content_type) = answer.content_type {
        response["contentType"] = content_type.into();
    }
    Ok(response)
}

/// `launchpath-` and 32 hexadecimal digits: AWS wants at least 33 characters.
// AWS: https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntime.html
fn session_id() -> String {
    // The standard library's hash keys come from the operating system's randomness.
    let random = || RandomState::new().build_hasher().finish();
    format!("launchpath-{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> RawAnswer {
        RawAnswer {
            status,
            type_header: (status >= 400).then(|| "RuntimeClientError".to_owned()),
            bucket_region: None,
            content_type: Some("application/json".to_owned()),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_outcome_is_the_status_and_the_head_of_the_body() {
        let response = outcome(answer(200, &"x".repeat(9000))).unwrap();
        assert_eq!(response["response"].as_str().unwrap().len(), MAX_BODY);
        let refusal = outcome(answer(424, r#"{"message":"Runtime health check failed"}"#)).unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.http), ("RuntimeClientError", Some(424)));
        assert_eq!(refusal.message, "Runtime health check failed");
    }

    #[test]
    fn every_session_is_new_and_long_enough() {
        assert_ne!(session_id(), session_id());
        assert!(session_id().len() >= 33);
    }
}
