//! `healthy`.

use std::time::Duration;

use super::listens::{in_vain, late};
use super::{Ruling, seconds};
use crate::contract::clause::{Clause, Judged, Reason, State};
use crate::contract::facts::{Facts, Level};
use crate::contract::observation::{Ended, Health, HealthRun, Observations};
use crate::contract::protocol::Protocol;
use crate::contract::script;
use crate::contract::terms::Terms;
use crate::contract::wire::Outcome;

/// An answer that came so often, over so long, is the server's answer though the rehearsal was cut short.
const STEADY: Duration = Duration::from_secs(4);

pub(super) fn healthy(terms: &Terms, seen: &Observations) -> Judged {
    let ruling = Ruling::on(Clause::Healthy, sentence(terms));
    if let Some(at) = seen.first_healthy {
        let judged = late(ruling, terms, at, "the first healthy answer came");
        let judged = match seen.health.iter().rev().find_map(|run| case_remark(terms, &run.verdict)) {
            Some(remark) => with_remark(judged, &remark),
            None => judged,
        };
        return judged.at(at);
    }
    if let Some(exit) = &seen.exit {
        return ruling.not_reached("the process ended first").at(exit.at);
    }
    if seen.first_listen.is_none() {
        return ruling.not_reached("nothing took a connection on the port");
    }
    let Some(run) = seen.last_health() else {
        return ruling.unknown(None, "the rehearsal was stopped before an answer came");
    };
    let (reason, mut note) = said(terms, run);
    if run.times > 1 {
        note.push_str(&format!(", {} times", run.times));
    }
    let elsewhere = seen.elsewhere.iter().find(|found| found.port == terms.port);
    if matches!(run.verdict, Health::HostRefused) {
        return host_refused(ruling, terms, seen, &note).at(run.last_at);
    }
    if let Some(found) = elsewhere {
        return ruling
            .broken(
                Reason::OtherProtocol,
                format!("{note}; the server speaks {} ({})", found.protocol, found.shown_by),
            )
            .advise(format!(
                "create the runtime with serverProtocol {}, or serve {} in the image",
                found.protocol, terms.protocol
            ))
            .at(run.last_at);
    }
    let facts = Facts::get().protocol(terms.protocol);
    let missing = matches!(run.verdict, Health::NotFound | Health::WrongMethod);
    if missing && terms.protocol != Protocol::Mcp && facts.health.level == Level::Inferred {
        return ruling
            .unknown(
                Some(reason),
                format!(
                    "{note}; whether the service asks {} for {} is not documented",
                    terms.protocol, facts.health.value
                ),
            )
            .advise("serve GET /ping with {\"status\": \"Healthy\"}: it does no harm")
            .at(run.last_at);
    }
    if run.verdict.is_final() {
        let steady = run.last_at.saturating_sub(run.first_at) >= STEADY;
        if seen.ended == Ended::Settled || steady {
            return ruling.broken(reason, note).advise(advice(terms, &run.verdict)).at(run.last_at);
        }
        return ruling
            .unknown(Some(reason), format!("{note}; watched too briefly to be sure that it stays so"))
            .advise("give it more time with --timeout")
            .at(run.last_at);
    }
    let judged = in_vain(ruling, terms, seen, reason, note).at(run.last_at);
    match judged.state {
        State::Broken => judged.advise(advice(terms, &run.verdict)),
        _ => judged,
    }
}

fn sentence(terms: &Terms) -> String {
    let limit = seconds(terms.limit());
    match terms.protocol {
        Protocol::Mcp => {
            format!("POST {} initialize is answered on port {} within {limit}", terms.path, terms.port)
        }
        _ => format!(
            "GET /ping on port {} answers 200 with the status Healthy or HealthyBusy within {limit}",
            terms.port
        ),
    }
}

/// The reason, and what was seen.
fn said(terms: &Terms, run: &HealthRun) -> (Reason, String) {
    let asked = match terms.protocol {
        Protocol::Mcp => format!("POST {}", terms.path),
        _ => "GET /ping".to_owned(),
    };
    let answered = |what: &str| format!("{asked} was answered {what}");
    match (&run.verdict, &run.outcome) {
        (Health::NotFound, Outcome::Answered(answer)) if answer.status != 404 => {
            let to = answer.header("location").unwrap_or("nowhere").chars().take(120).collect::<String>();
            let status = answer.status;
            (Reason::PathNotFound, answered(&format!("with a redirection ({status} to {to})")))
        }
        (Health::NotFound, _) => (Reason::PathNotFound, answered("404")),
        (Health::WrongMethod, _) => (Reason::MethodNotAllowed, answered("405")),
        (Health::HostRefused, Outcome::Answered(answer)) => {
            (Reason::HostRefused, answered(&format!("{}: the Host header was refused", answer.status)))
        }
        (Health::Status(status), _) => (Reason::ErrorStatus, answered(&status.to_string())),
        (Health::BadBody(how), _) => (Reason::BadBody, answered(&format!("200, but {how}"))),
        (Health::NotHttp, Outcome::NotHttp(bytes)) => {
            (Reason::NotHttp, format!("{asked} got {}", foreign(bytes)))
        }
        (Health::NotHttp, outcome) => (Reason::NotHttp, format!("{asked} got {}", script::words(outcome))),
        (_, outcome) => (Reason::NoAnswer, format!("{asked} got {}", script::words(outcome))),
    }
}

/// Bytes that are not HTTP, and what they look like.
pub(super) fn foreign(bytes: &[u8]) -> String {
    let looks = match bytes {
        [0x15 | 0x16, 0x03, ..] => "; it looks like TLS, and the service speaks plain HTTP",
        [0, 0, _, 4 | 7, ..] => "; it looks like HTTP/2 (gRPC?), and the service speaks HTTP/1.1",
        [b'S', b'S', b'H', b'-', ..] => "; it is an SSH server",
        _ => "",
    };
    let shown: String =
        bytes.iter().take(48).flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect();
    format!("bytes that are not HTTP: \"{shown}\"{looks}")
}

fn host_refused(ruling: Ruling, terms: &Terms, seen: &Observations, note: &str) -> Judged {
    let facts = &Facts::get().host_header;
    let proof = match &seen.with_local_host {
        Some(Outcome::Answered(answer)) if answer.status < 300 => {
            format!("; with Host: localhost the same request is answered {}", answer.status)
        }
        Some(outcome) => {
            format!("; with Host: localhost it gets {}", script::words(outcome))
        }
        None => String::new(),
    };
    ruling
        .broken(
            Reason::HostRefused,
            format!("{note}{proof}; probes come with {} ({})", facts.value, facts.level.name()),
        )
        .advise(match terms.protocol {
            Protocol::Mcp => "switch the server's DNS-rebinding guard off or allow every host (FastMCP: host=\"0.0.0.0\", or TransportSecuritySettings)",
            _ => "let the server accept every Host header (allowed hosts: *)",
        })
}

/// A status in another case than the documented one.
fn case_remark(terms: &Terms, verdict: &Health) -> Option<String> {
    let Health::Good(status) = verdict else { return None };
    let known = &Facts::get().ping_statuses.value;
    (terms.protocol != Protocol::Mcp && !known.contains(status)).then(|| {
        format!(
            "it says {status:?}; documented are {}, and whether the case matters is not",
            known.join(" and ")
        )
    })
}

fn with_remark(mut judged: Judged, remark: &str) -> Judged {
    judged.note = format!("{}; {remark}", judged.note);
    judged
}

fn advice(terms: &Terms, verdict: &Health) -> String {
    let path = &terms.path;
    match (terms.protocol, verdict) {
        (Protocol::Mcp, Health::NotFound | Health::WrongMethod) => {
            format!("serve MCP over streamable HTTP at exactly {path}, or set protocolConfiguration's path")
        }
        (_, Health::NotFound | Health::WrongMethod) => {
            "serve GET /ping at exactly this path and method, with 200 and {\"status\": \"Healthy\"}"
                .to_owned()
        }
        (Protocol::Mcp, Health::BadBody(_)) => "answer initialize with a JSON-RPC 2.0 result".to_owned(),
        (_, Health::BadBody(_)) => "answer 200 with the JSON body {\"status\": \"Healthy\"}".to_owned(),
        (_, Health::Status(_)) => "answer the health check 200 as soon as requests can be served".to_owned(),
        (_, Health::NotHttp) => format!("serve plain HTTP/1.1 on port {}", terms.port),
        (_, Health::Silent) => {
            "something blocks the server: answer the health check without waiting for anything".to_owned()
        }
        _ => "see the output for what the server met".to_owned(),
    }
}
