//! AG-UI: a run, answered with events.

use serde_json::{Value, json};

use super::json_rpc::beginning;
use super::{ANSWER_BODY, events, step, with_service_headers, without_success};
use crate::contract::line::Line;
use crate::contract::observation::{Reply, Step};
use crate::contract::terms::{PayloadOrigin, Terms};
use crate::contract::wire::{Limits, Outcome, Request};

pub(super) fn converse(line: &Line, terms: &Terms, note: &mut dyn FnMut(Step)) {
    let body = match terms.payload_origin {
        PayloadOrigin::Given => terms.payload.clone(),
        PayloadOrigin::Default => run_input(),
    };
    let request = with_service_headers(Request::post(&line.host(terms.port), &terms.path, body), terms);
    let limits = Limits { time: terms.request_patience, body: ANSWER_BODY, until: None };
    note(step(line, terms, &request.line(), &request, limits, &mean));
}

/// The input of a run.
pub(super) fn run_input() -> Vec<u8> {
    let message = json!({ "id": "1", "role": "user", "content": "Hello" });
    json!({
        "threadId": "launchpath", "runId": "launchpath-1", "state": {}, "messages": [message],
        "tools": [], "context": [], "forwardedProps": {},
    })
    .to_string()
    .into_bytes()
}

/// What an answer to a run means.
pub(super) fn mean(outcome: &Outcome) -> Reply {
    if let Some(reply) = without_success(outcome) {
        return reply;
    }
    let Outcome::Answered(answer) = outcome else { return Reply::Invalid("no answer".to_owned()) };
    let values = events::values(&answer.body);
    let types: Vec<&str> =
        values.iter().filter_map(|value| value.get("type").and_then(Value::as_str)).collect();
    if types.contains(&"RUN_STARTED") {
        Reply::Good(format!("{}, {} AG-UI events", answer.status, types.len()))
    } else {
        let what = answer.media_type().unwrap_or_else(|| "no content type".to_owned());
        Reply::Invalid(format!("no AG-UI events ({}): {}", beginning(&what), beginning(&answer.text())))
    }
}
