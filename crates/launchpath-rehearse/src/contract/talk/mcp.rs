//! MCP: `initialize`, then `tools/list`, with a session that the service makes.

use serde_json::{Value, json};

use super::json_rpc::{self, beginning};
use super::{ANSWER_BODY, events, ping, step, with_service_headers, without_success};
use crate::contract::facts::Facts;
use crate::contract::line::Line;
use crate::contract::observation::{Health, Reply, Step};
use crate::contract::terms::{PayloadOrigin, Terms};
use crate::contract::wire::{Limits, Outcome, Request};

const SESSION: &str = "mcp-session-id";

/// `initialize` with the session that the service makes.
pub(super) fn initialize(terms: &Terms, host: &str) -> Request {
    with_service_headers(initialize_without_session(host, &terms.path), terms)
}

/// `initialize` as a client alone would send it.
pub(super) fn initialize_without_session(host: &str, path: &str) -> Request {
    let version = &Facts::get().mcp_version.value;
    let client = json!({ "name": "launchpath", "version": env!("CARGO_PKG_VERSION") });
    let parameters = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
    Request::post(host, path, json_rpc::request(&json!(1), "initialize", &parameters))
}

/// What an answer to `initialize` means for health.
pub(super) fn health(outcome: &Outcome) -> Health {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        other => return ping::without_answer(other),
    };
    if ping::refuses_host(answer) {
        return Health::HostRefused;
    }
    match answer.status {
        200..=299 => match json_rpc::reply(answer, &initialized) {
            Reply::Good(what) => Health::Good(what),
            Reply::ProtocolError(what) => Health::BadBody(what),
            Reply::Invalid(how) => Health::BadBody(how),
            _ => Health::BadBody("not understood".to_owned()),
        },
        300..=399 | 404 => Health::NotFound,
        405 => Health::WrongMethod,
        other => Health::Status(other),
    }
}

/// Whether a result is one of `initialize`, and who answered.
pub(super) fn initialized(result: &Value) -> Result<String, String> {
    let text = |value: &Value| value.as_str().map(|text| text.chars().take(60).collect::<String>());
    let Some(version) = text(&result["protocolVersion"]) else {
        return Err("the result of initialize has no protocolVersion".to_owned());
    };
    let server = text(&result["serverInfo"]["name"]).unwrap_or_else(|| "a server without a name".to_owned());
    Ok(format!("MCP {version}, {server}"))
}

pub(super) fn converse(line: &Line, terms: &Terms, note: &mut dyn FnMut(Step)) {
    let host = line.host(terms.port);
    let limits =
        Limits { time: terms.request_patience, body: ANSWER_BODY, until: Some(events::holds_json_rpc) };
    let mut first = step(line, terms, "initialize", &initialize(terms, &host), limits, &|outcome| {
        mean(outcome, &initialized)
    });
    if is_refusal(&first.verdict) {
        let plain = initialize_without_session(&host, &terms.path);
        let plain = line.send(terms.port, &plain, limits);
        if matches!(mean(&plain, &initialized), Reply::Good(_)) {
            first.verdict = Reply::SessionRefused(format!(
                "initialize is refused with a session id that the service makes ({}), and answered without one",
                words(&first.verdict)
            ));
            note(first);
            return;
        }
    }
    let own_session = match &first.outcome {
        Outcome::Answered(answer) => answer.header(SESSION).map(str::to_owned),
        _ => None,
    };
    let goes_on = matches!(first.verdict, Reply::Good(_));
    note(first);
    if !goes_on {
        return;
    }
    let notice = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    let notice = with_session(Request::post(&host, &terms.path, notice.into_bytes()), terms, None);
    // A notification has no answer that could be wrong.
    line.send(terms.port, &notice, limits);

    let body = json_rpc::request(&json!(2), "tools/list", &json!({}));
    let request = Request::post(&host, &terms.path, body);
    let listed = |outcome: &Outcome| mean(outcome, &tools);
    let asked = with_session(request.clone(), terms, None);
    let mut second = step(line, terms, "tools/list", &asked, limits, &listed);
    if let Some(own) = own_session.filter(|own| *own != terms.session)
        && is_refusal(&second.verdict)
    {
        let with_own = line.send(terms.port, &with_session(request, terms, Some(&own)), limits);
        if matches!(listed(&with_own), Reply::Good(_) | Reply::ProtocolError(_)) {
            second.verdict = Reply::SessionRefused(format!(
                "tools/list is refused with the service's session id ({}), and answered with the one the server made",
                words(&second.verdict)
            ));
        }
    }
    let goes_on = matches!(second.verdict, Reply::Good(_) | Reply::ProtocolError(_));
    note(second);
    if goes_on && terms.payload_origin == PayloadOrigin::Given {
        let request = with_session(Request::post(&host, &terms.path, terms.payload.clone()), terms, None);
        let any = |_: &Value| Ok("a result".to_owned());
        note(step(line, terms, "the payload", &request, limits, &|outcome| mean(outcome, &any)));
    }
}

fn with_session(request: Request, terms: &Terms, session: Option<&str>) -> Request {
    let request = request.with("Mcp-Protocol-Version", &Facts::get().mcp_version.value);
    match session {
        Some(session) => request.with("Mcp-Session-Id", session),
        None => with_service_headers(request, terms),
    }
}

fn is_refusal(reply: &Reply) -> bool {
    matches!(reply, Reply::Refused(_) | Reply::NotFound(404))
}

fn words(reply: &Reply) -> String {
    match reply {
        Reply::Refused(status) | Reply::NotFound(status) | Reply::ServerError(status) => status.to_string(),
        _ => "no".to_owned(),
    }
}

fn mean(outcome: &Outcome, good: &dyn Fn(&Value) -> Result<String, String>) -> Reply {
    if let Some(reply) = without_success(outcome) {
        return reply;
    }
    match outcome {
        Outcome::Answered(answer) => json_rpc::reply(answer, good),
        _ => Reply::Invalid("no answer".to_owned()),
    }
}

fn tools(result: &Value) -> Result<String, String> {
    match result["tools"].as_array() {
        Some(tools) => {
            let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).take(8).collect();
            Ok(beginning(&format!("{} tools: {}", tools.len(), names.join(", "))))
        }
        None => Err("the result of tools/list has no list of tools".to_owned()),
    }
}
