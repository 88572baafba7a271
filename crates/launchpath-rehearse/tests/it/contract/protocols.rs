//! The first request in each protocol, and what happens beside it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use launchpath_rehearse::contract::judge::{Verdict, verdict};
use launchpath_rehearse::contract::terms::{Network, PayloadOrigin};
use launchpath_rehearse::contract::{Clause, Protocol, Reason, State, judge};
use launchpath_rehearse::record::{Backend, Record, Setting};
use launchpath_rehearse::subject::{Attempt, AttemptOutcome, Reach};

use super::stand_in::{Call, SESSION, StandIn, sound, terms};
use super::starts::clause;

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"tools","version":"1"}}}"#;
const TOOLS: &str = r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"add"},{"name":"sub"}]}}"#;

/// A sound, stateless MCP server that answers with events.
fn mcp(call: Call) {
    if call.line != "POST /mcp" {
        return call.json(404, "{}");
    }
    let event = |body: &str| format!("event: message\ndata: {body}\n\n");
    if call.body.contains("\"initialize\"") {
        call.typed(200, "text/event-stream", &event(INITIALIZED));
    } else if call.body.contains("tools/list") {
        assert_eq!(call.header("Mcp-Session-Id"), Some(SESSION));
        call.typed(200, "text/event-stream", &event(TOOLS));
    } else {
        call.typed(202, "text/plain", "");
    }
}

#[test]
fn a_sound_mcp_server_passes_without_ping() {
    let terms = terms(Protocol::Mcp);
    let seen = StandIn::serving(8000, mcp).hold(&terms);
    let clauses = judge(&terms, &seen);
    assert_eq!(verdict(&clauses), Verdict::Passed, "{clauses:#?}");
    assert!(clause(&terms, &seen, Clause::Answers).note.contains("2 tools: add, sub"));
    assert_eq!(clause(&terms, &seen, Clause::Idles).state, State::NotApplicable);
}

#[test]
fn a_stateful_mcp_server_refuses_the_services_session() {
    let terms = terms(Protocol::Mcp);
    let seen = StandIn::serving(8000, |call| match call.header("Mcp-Session-Id") {
        Some(SESSION) => {
            call.json(404, r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}}"#)
        }
        _ => mcp(call),
    })
    .hold(&terms);
    let answers = clause(&terms, &seen, Clause::Answers);
    assert_eq!((answers.state, answers.reason), (State::Broken, Some(Reason::SessionRefused)), "{answers:?}");
    assert_eq!(clause(&terms, &seen, Clause::Healthy).state, State::Held);
}

#[test]
fn an_mcp_server_under_http_is_named() {
    let mut terms = terms(Protocol::Http);
    terms.patience = Duration::from_secs(30);
    let seen = StandIn::serving(8080, mcp).hold(&terms);
    let healthy = clause(&terms, &seen, Clause::Healthy);
    assert_eq!((healthy.state, healthy.reason), (State::Broken, Some(Reason::OtherProtocol)), "{healthy:?}");
    assert!(healthy.note.contains("MCP"), "{healthy:?}");
}

#[test]
fn an_http_agent_under_mcp_is_named() {
    let mut terms = terms(Protocol::Mcp);
    terms.patience = Duration::from_secs(30);
    let seen = StandIn::serving(8000, sound).hold(&terms);
    let healthy = clause(&terms, &seen, Clause::Healthy);
    assert_eq!((healthy.state, healthy.reason), (State::Broken, Some(Reason::OtherProtocol)), "{healthy:?}");
    assert!(healthy.note.contains("speaks HTTP"), "{healthy:?}");
}

fn a2a(call: Call) {
    match call.line.as_str() {
        "GET /ping" => call.json(200, r#"{"status": "Healthy"}"#),
        "GET /.well-known/agent-card.json" => {
            call.json(200, r#"{"name": "cook", "url": "http://x/", "skills": []}"#)
        }
        "POST /" => call.json(200, r#"{"jsonrpc": "2.0", "id": "1", "result": {"kind": "message"}}"#),
        _ => call.json(404, "{}"),
    }
}

#[test]
fn a2a_needs_its_card_and_json_rpc() {
    let terms = terms(Protocol::A2a);
    let seen = StandIn::serving(9000, a2a).hold(&terms);
    assert_eq!(verdict(&judge(&terms, &seen)), Verdict::Passed);
    assert!(clause(&terms, &seen, Clause::Answers).note.contains("the card of cook"));
    let seen = StandIn::serving(9000, |call| {
        if call.line == "GET /.well-known/agent-card.json" { call.json(404, "{}") } else { a2a(call) }
    })
    .hold(&terms);
    assert_eq!(clause(&terms, &seen, Clause::Answers).reason, Some(Reason::PathNotFound));
}

#[test]
fn agui_answers_with_events() {
    let terms = terms(Protocol::Agui);
    let events = "data: {\"type\":\"RUN_STARTED\"}\n\ndata: {\"type\":\"RUN_FINISHED\"}\n\n";
    let agent = move |call: Call| match call.line.as_str() {
        "POST /invocations" if call.body.contains("threadId") => call.typed(200, "text/event-stream", events),
        "POST /invocations" => call.json(422, "{}"),
        _ => sound(call),
    };
    let seen = StandIn::serving(8080, agent).hold(&terms);
    assert_eq!(verdict(&judge(&terms, &seen)), Verdict::Passed);
    let seen = StandIn::serving(8080, sound).hold(&terms);
    assert_eq!(clause(&terms, &seen, Clause::Answers).reason, Some(Reason::InvalidResponse));
    // The other way round: an AG-UI agent under HTTP.
    let http = super::stand_in::terms(Protocol::Http);
    let seen = StandIn::serving(8080, agent).hold(&http);
    let answers = clause(&http, &seen, Clause::Answers);
    assert_eq!(answers.reason, Some(Reason::OtherProtocol), "{answers:?}");
}

#[test]
fn an_agui_agent_without_ping_is_no_proof() {
    let mut terms = terms(Protocol::Agui);
    terms.patience = Duration::from_secs(30);
    let seen = StandIn::serving(8080, |call| call.json(404, "{}")).hold(&terms);
    let healthy = clause(&terms, &seen, Clause::Healthy);
    assert_eq!((healthy.state, healthy.reason), (State::Unknown, Some(Reason::PathNotFound)));
    assert!(healthy.note.contains("not documented"), "{}", healthy.note);
}

#[test]
fn a_first_request_that_fails_is_told_apart() {
    for (status, state, reason) in [
        (500, State::Broken, Reason::ErrorStatus5xx),
        (404, State::Broken, Reason::PathNotFound),
        (405, State::Broken, Reason::Refused),
        // The agent need not understand the default payload.
        (422, State::Unknown, Reason::Refused),
    ] {
        let terms = terms(Protocol::Http);
        let agent = move |call: Call| match call.line.as_str() {
            "POST /invocations" => call.json(status, r#"{"detail": "no"}"#),
            _ => sound(call),
        };
        let seen = StandIn::serving(8080, agent).hold(&terms);
        let answers = clause(&terms, &seen, Clause::Answers);
        assert_eq!((answers.state, answers.reason), (state, Some(reason)), "{answers:?}");
        if status == 422 {
            let mut given = terms.clone();
            given.payload_origin = PayloadOrigin::Given;
            assert_eq!(clause(&given, &seen, Clause::Answers).state, State::Broken);
        }
    }
}

#[test]
fn a_failure_behind_a_cut_network_is_not_held_against_the_agent() {
    let terms = terms(Protocol::Http);
    let mut stand_in = StandIn::serving(8080, |call| match call.line.as_str() {
        "POST /invocations" => call.json(500, "{}"),
        _ => sound(call),
    });
    let what = Reach::Address {
        to: "52.1.2.3:443".parse().unwrap(),
        protocol: "tcp".to_owned(),
        name: Some("bedrock-runtime.us-east-1.amazonaws.com".to_owned()),
    };
    let outcome = AttemptOutcome::Dropped;
    stand_in.attempts = Some(vec![Attempt { at: Duration::from_millis(1), what, outcome, times: 3 }]);
    let seen = stand_in.hold(&terms);
    let answers = clause(&terms, &seen, Clause::Answers);
    assert_eq!((answers.state, answers.reason), (State::Unknown, Some(Reason::ErrorStatus5xx)));
    assert!(answers.note.contains("bedrock-runtime.us-east-1.amazonaws.com:443"), "{}", answers.note);
    let mut diagnosed = terms.clone();
    let blocked = BTreeSet::from(["bedrock-runtime.us-east-1.amazonaws.com:443".to_owned()]);
    diagnosed.network = Network::AsDiagnosed { blocked };
    assert_eq!(clause(&diagnosed, &seen, Clause::Answers).state, State::Broken);
}

#[test]
fn a_blocked_event_loop_starves_ping() {
    let terms = terms(Protocol::Http);
    // One request at a time, as a server whose handler blocks its loop.
    let busy = Mutex::new(());
    let seen = StandIn::serving(8080, move |call| {
        let _one = busy.lock().unwrap();
        if call.line == "POST /invocations" {
            std::thread::sleep(Duration::from_millis(6500));
        }
        sound(call);
    })
    .hold(&terms);
    let judged = clause(&terms, &seen, Clause::HealthyWhileBusy);
    assert_eq!((judged.state, judged.reason), (State::Broken, Some(Reason::EventLoopBlocked)), "{judged:?}");
    assert_eq!(clause(&terms, &seen, Clause::Answers).state, State::Held);
}

#[test]
fn a_long_request_beside_answered_pings_is_fine() {
    let terms = terms(Protocol::Http);
    let seen = StandIn::serving(8080, |call| {
        if call.line == "POST /invocations" {
            std::thread::sleep(Duration::from_millis(400));
        }
        sound(call);
    })
    .hold(&terms);
    assert!(!seen.busy_pings.is_empty());
    assert_eq!(verdict(&judge(&terms, &seen)), Verdict::Passed);
}

#[test]
fn a_time_that_moves_with_every_ping_never_idles() {
    static NOW: AtomicU32 = AtomicU32::new(1_764_000_000);
    let terms = terms(Protocol::Http);
    let ping = |moving: bool| {
        move |call: Call| {
            if call.line == "GET /ping" {
                let now = if moving { NOW.fetch_add(1, Ordering::Relaxed) } else { 1_764_000_000 };
                call.json(200, &format!(r#"{{"status": "Healthy", "time_of_last_update": {now}}}"#));
            } else {
                sound(call);
            }
        }
    };
    let seen = StandIn::serving(8080, ping(true)).hold(&terms);
    let idles = clause(&terms, &seen, Clause::Idles);
    assert_eq!((idles.state, idles.reason), (State::Broken, Some(Reason::TimestampMoves)), "{idles:?}");
    let seen = StandIn::serving(8080, ping(false)).hold(&terms);
    assert_eq!(clause(&terms, &seen, Clause::Idles).state, State::Held);
}

#[test]
fn a_web_socket_is_optional_and_seen() {
    let terms = terms(Protocol::Http);
    let seen = StandIn::serving(8080, |call| {
        if call.line == "GET /ws" {
            let accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            call.raw(&[accept.as_bytes(), b"\x81\x02hi"].concat());
        } else {
            sound(call);
        }
    })
    .hold(&terms);
    let setting = Setting {
        image: "agent:1".to_owned(),
        digest: None,
        config_digest: None,
        platform: None,
        backend: Backend::Sandbox,
        environment_names: vec!["API_KEY".to_owned()],
        network: "none".to_owned(),
        with_credentials: false,
        distributions: std::collections::BTreeMap::new(),
        limits: serde_json::Value::Null,
    };
    let record = Record::of(setting, &terms, &seen);
    assert_eq!(record.web_socket.as_deref(), Some("open"));
    assert_eq!(record.passed, Some(true));
    let value = serde_json::to_value(&record).unwrap();
    assert_eq!(value["clauses"][2]["clause"], "listens");
    assert_eq!(value["clauses"][2]["text"], "the process listens on port 8080 within 120 s");
    assert_eq!(value["protocol"], "HTTP");
    assert_eq!(serde_json::from_value::<Record>(value).unwrap(), record);
}
