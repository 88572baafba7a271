//! The HTTP protocol's first request: `POST /invocations`.

use super::json_rpc::beginning;
use super::{ANSWER_BODY, events, step, with_service_headers, without_success};
use crate::contract::line::Line;
use crate::contract::observation::{Reply, Step};
use crate::contract::terms::Terms;
use crate::contract::wire::{Answer, Limits, Outcome, Request};

pub(super) fn converse(line: &Line, terms: &Terms, note: &mut dyn FnMut(Step)) {
    let request = Request::post(&line.host(terms.port), &terms.path, terms.payload.clone());
    let request = with_service_headers(request, terms);
    let limits = Limits { time: terms.request_patience, body: ANSWER_BODY, until: None };
    note(step(line, terms, &request.line(), &request, limits, &mean));
}

/// What an answer to a request means.
pub(super) fn mean(outcome: &Outcome) -> Reply {
    if let Some(reply) = without_success(outcome) {
        return reply;
    }
    let Outcome::Answered(answer) = outcome else {
        return Reply::Invalid("no answer".to_owned());
    };
    success(answer)
}

fn success(answer: &Answer) -> Reply {
    let status = answer.status;
    let bytes = answer.body.len();
    match answer.media_type().as_deref() {
        Some("text/event-stream") => {
            let count = events::data(&answer.body).len();
            if count == 0 && !answer.body.is_empty() {
                Reply::Invalid(format!("an event stream without events: {}", beginning(&answer.text())))
            } else {
                Reply::Good(format!("{status}, a stream of {count} events"))
            }
        }
        // A body that is cut off here may be fine.
        Some("application/json") if !answer.whole => {
            Reply::Good(format!("{status}, JSON of more than {bytes} bytes"))
        }
        Some("application/json") => match serde_json::from_slice::<serde_json::Value>(&answer.body) {
            Ok(_) => Reply::Good(format!("{status}, JSON of {bytes} bytes")),
            Err(error) => Reply::Invalid(format!(
                "{status} with a body that is no JSON though it says so ({error}): {}",
                beginning(&answer.text())
            )),
        },
        Some(other) => Reply::Good(format!("{status}, {bytes} bytes of {}", beginning(other))),
        None => Reply::Good(format!("{status}, {bytes} bytes without a content type")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::mean;
    use crate::contract::observation::Reply;
    use crate::contract::wire::{Answer, Outcome};

    fn answered(status: u16, kind: &str, body: &str) -> Outcome {
        Outcome::Answered(Answer {
            status,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.as_bytes().to_vec(),
            whole: true,
            took: Duration::ZERO,
        })
    }

    #[test]
    fn answers_to_a_request_are_told_apart() {
        assert!(matches!(mean(&answered(200, "application/json", "{}")), Reply::Good(_)));
        assert!(matches!(mean(&answered(200, "application/json; charset=utf-8", "{")), Reply::Invalid(_)));
        assert!(matches!(mean(&answered(200, "text/event-stream", "data: 1\n\n")), Reply::Good(_)));
        assert!(matches!(mean(&answered(200, "text/event-stream", "{}")), Reply::Invalid(_)));
        assert!(matches!(mean(&answered(200, "text/plain", "hello")), Reply::Good(_)));
        assert_eq!(mean(&answered(500, "text/plain", "")), Reply::ServerError(500));
        assert_eq!(mean(&answered(404, "text/plain", "")), Reply::NotFound(404));
        assert_eq!(mean(&answered(422, "application/json", "{}")), Reply::Refused(422));
        assert_eq!(mean(&Outcome::NoAnswer { waited: Duration::ZERO, received: 0 }), Reply::Silent);
    }
}
