//! What is said in each protocol: the health check, the first request, and what answers to them mean.
//!
//! What it is: words and their meaning. When they are said is decided in `script.rs`. Start with [`health_request`] and
//! [`converse`].

mod a2a;
mod agui;
mod events;
mod http;
mod identify;
mod json_rpc;
mod mcp;
mod ping;

use std::net::TcpStream;
use std::time::Duration;

use super::line::Line;
use super::observation::{Health, Reply, Step};
use super::protocol::Protocol;
use super::terms::Terms;
use super::wire::{Limits, Outcome, Request, exchange};

pub(super) use identify::identify;
pub(super) use ping::sample;

/// Bytes of a health answer that are read: it is a status word.
const HEALTH_BODY: usize = 64 * 1024;
/// Bytes of an answer that are kept.
const ANSWER_BODY: usize = 4 * 1024 * 1024;

/// The health check of a protocol.
pub(super) fn health_request(terms: &Terms, host: &str) -> Request {
    match terms.protocol {
        Protocol::Mcp => mcp::initialize(terms, host),
        Protocol::Http | Protocol::A2a | Protocol::Agui => Request::get(host, "/ping"),
    }
}

/// What is read of the answer to it.
pub(super) fn health_limits(terms: &Terms, time: Duration) -> Limits {
    let until = (terms.protocol == Protocol::Mcp).then_some(events::holds_json_rpc as fn(&[u8]) -> bool);
    Limits { time, body: HEALTH_BODY, until }
}

/// What an answer to the health check means.
pub(super) fn health(terms: &Terms, outcome: &Outcome) -> Health {
    match terms.protocol {
        Protocol::Mcp => mcp::health(outcome),
        Protocol::Http | Protocol::A2a | Protocol::Agui => ping::health(outcome),
    }
}

/// Asks for health once, on a connection of its own.
pub(super) fn ask_health(line: &Line, terms: &Terms, time: Duration) -> (Outcome, Health) {
    match line.connect(terms.port) {
        Ok(stream) => ask_health_on(stream, line, terms, time),
        Err(error) => (Outcome::NotConnected(error.to_string()), Health::Broken),
    }
}

/// Asks for health once. A session that an MCP server does not know is no failure of its health: that is the next clause.
pub(super) fn ask_health_on(
    stream: TcpStream,
    line: &Line,
    terms: &Terms,
    time: Duration,
) -> (Outcome, Health) {
    let request = health_request(terms, &line.host(terms.port));
    let outcome = exchange(stream, &request, health_limits(terms, time));
    let verdict = health(terms, &outcome);
    if terms.protocol == Protocol::Mcp && matches!(verdict, Health::Status(400) | Health::NotFound) {
        let request = mcp::initialize_without_session(&line.host(terms.port), &terms.path);
        let again = line.send(terms.port, &request, health_limits(terms, time));
        let verdict = health(terms, &again);
        if matches!(verdict, Health::Good(_)) {
            return (again, verdict);
        }
    }
    (outcome, verdict)
}

/// Makes the first request and what belongs to it; each step is noted as it ends.
pub(super) fn converse(line: &Line, terms: &Terms, note: &mut dyn FnMut(Step)) {
    match terms.protocol {
        Protocol::Http => http::converse(line, terms, note),
        Protocol::Mcp => mcp::converse(line, terms, note),
        Protocol::A2a => a2a::converse(line, terms, note),
        Protocol::Agui => agui::converse(line, terms, note),
    }
}

/// The headers that come with a request.
fn with_service_headers(request: Request, terms: &Terms) -> Request {
    let own = super::facts::Facts::get().protocol(terms.protocol);
    let (trace, span) = (hex(&terms.session, 32), hex(&terms.session, 16));
    request
        .with(&own.session_header.value, &terms.session)
        .with("traceparent", &format!("00-{trace}-{span}-01"))
        .with("X-Amzn-Trace-Id", &format!("Root=1-{}-{};Sampled=1", &trace[..8], &trace[8..]))
        .with("baggage", &format!("session.id={}", terms.session))
}

/// Digits derived from a text; they need only look like those of a trace.
fn hex(text: &str, count: usize) -> String {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    let mut digits = String::new();
    while digits.len() < count {
        for byte in text.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        digits.push_str(&format!("{state:016x}"));
    }
    digits.truncate(count);
    digits
}

/// Sends a step of the conversation.
fn step(
    line: &Line,
    terms: &Terms,
    name: &str,
    request: &Request,
    limits: Limits,
    mean: &dyn Fn(&Outcome) -> Reply,
) -> Step {
    let at = line.elapsed();
    let outcome = line.send(terms.port, request, limits);
    let verdict = mean(&outcome);
    Step { name: name.to_owned(), at, outcome, verdict }
}

/// What an outcome without a usable answer means in every protocol; `None` for a success.
fn without_success(outcome: &Outcome) -> Option<Reply> {
    Some(match outcome {
        Outcome::Answered(answer) => match answer.status {
            200..=299 => return None,
            300..=399 | 404 => Reply::NotFound(answer.status),
            500..=599 => Reply::ServerError(answer.status),
            other => Reply::Refused(other),
        },
        Outcome::NoAnswer { .. } => Reply::Silent,
        Outcome::Closed { .. } => Reply::Broken("the connection was closed without an answer".to_owned()),
        Outcome::NotHttp(_) => Reply::Invalid("what came is not HTTP".to_owned()),
        Outcome::Invalid(how) => Reply::Invalid(how.clone()),
        Outcome::NotConnected(error) => Reply::Broken(error.clone()),
    })
}
