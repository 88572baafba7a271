//! A2A: the agent card, then `message/send`.

use serde_json::{Value, json};

use super::json_rpc::{self, beginning};
use super::{ANSWER_BODY, step, with_service_headers, without_success};
use crate::contract::facts::Facts;
use crate::contract::line::Line;
use crate::contract::observation::{Reply, Step};
use crate::contract::protocol::Protocol;
use crate::contract::terms::{PayloadOrigin, Terms};
use crate::contract::wire::{Limits, Outcome, Request};

/// The request for the agent card.
pub(super) fn card_request(host: &str) -> Request {
    let facts = Facts::get().protocol(Protocol::A2a);
    let path = facts.card.as_ref().map_or("/.well-known/agent-card.json", |fact| fact.value.as_str());
    Request::get(host, path).with("Accept", "application/json")
}

/// What an answer to the request for the card means.
pub(super) fn card(outcome: &Outcome) -> Reply {
    if let Some(reply) = without_success(outcome) {
        return reply;
    }
    let Outcome::Answered(answer) = outcome else { return Reply::Invalid("no answer".to_owned()) };
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let has = |name: &str| value.get(name).is_some_and(|value| !value.is_null());
    match value["name"].as_str() {
        Some(name) if has("url") || has("skills") || has("capabilities") => {
            Reply::Good(format!("the card of {}", beginning(name)))
        }
        _ => Reply::Invalid(format!("no agent card: {}", beginning(&answer.text()))),
    }
}

pub(super) fn converse(line: &Line, terms: &Terms, note: &mut dyn FnMut(Step)) {
    let host = line.host(terms.port);
    let limits = Limits { time: terms.request_patience, body: ANSWER_BODY, until: None };
    let request = with_service_headers(card_request(&host), terms);
    note(step(line, terms, &request.line(), &request, limits, &card));
    let body = match terms.payload_origin {
        PayloadOrigin::Given => terms.payload.clone(),
        PayloadOrigin::Default => {
            let parts = json!([{ "kind": "text", "text": "Hello" }]);
            let message =
                json!({ "kind": "message", "role": "user", "parts": parts, "messageId": "launchpath-1" });
            json_rpc::request(&json!("1"), "message/send", &json!({ "message": message }))
        }
    };
    let request = with_service_headers(Request::post(&host, &terms.path, body), terms);
    note(step(line, terms, &request.line(), &request, limits, &|outcome| {
        if let Some(reply) = without_success(outcome) {
            return reply;
        }
        match outcome {
            Outcome::Answered(answer) => json_rpc::reply(answer, &|_| Ok("a JSON-RPC result".to_owned())),
            _ => Reply::Invalid("no answer".to_owned()),
        }
    }));
}
