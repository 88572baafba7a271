//! JSON-RPC 2.0: requests, and the answer in a body.

use serde_json::{Value, json};

use crate::contract::observation::Reply;
use crate::contract::wire::Answer;

/// A request as bytes.
pub(super) fn request(id: &Value, method: &str, parameters: &Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }).to_string().into_bytes()
}

/// The answer in a body that is JSON or events: the first object with a result or an error.
pub(super) fn answer(body: &[u8]) -> Option<Value> {
    let whole: Option<Value> = serde_json::from_slice(body).ok();
    whole.into_iter().chain(super::events::values(body)).find(|value| {
        value.get("jsonrpc").and_then(Value::as_str) == Some("2.0")
            && (value.get("result").is_some() || value.get("error").is_some())
    })
}

/// What an answer with a good status means.
pub(super) fn reply(answer: &Answer, good: &dyn Fn(&Value) -> Result<String, String>) -> Reply {
    let Some(value) = self::answer(&answer.body) else {
        return Reply::Invalid(format!("no JSON-RPC 2.0 answer: {}", beginning(&answer.text())));
    };
    if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
        let code = error.get("code").map(Value::to_string).unwrap_or_default();
        return Reply::ProtocolError(format!("JSON-RPC error {code}: {}", beginning(message)));
    }
    match good(&value["result"]) {
        Ok(what) => Reply::Good(what),
        Err(how) => Reply::Invalid(how),
    }
}

/// The beginning of a text on one line, for a message.
pub(super) fn beginning(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(160).collect();
    if cut.is_empty() {
        "an empty body".to_owned()
    } else if cut.len() < line.len() {
        format!("{cut}…")
    } else {
        cut
    }
}
