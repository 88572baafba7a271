//! `answers`.

use launchpath_image::traceback;

use super::suspect::{network_advice, out_of_reach, speaks_of_network};
use super::{Ruling, seconds};
use crate::contract::clause::{Clause, Judged, Reason};
use crate::contract::facts::Facts;
use crate::contract::observation::{Ended, Observations, Reply, Step};
use crate::contract::protocol::Protocol;
use crate::contract::script;
use crate::contract::terms::{PayloadOrigin, Speed, Terms};
use crate::contract::wire::Outcome;

pub(super) fn answers(terms: &Terms, seen: &Observations) -> Judged {
    let ruling = Ruling::on(Clause::Answers, sentence(terms));
    if seen.first_healthy.is_none() {
        return ruling.not_reached("it was never healthy");
    }
    let bad =
        seen.steps.iter().find(|step| !matches!(step.verdict, Reply::Good(_) | Reply::ProtocolError(_)));
    let Some(step) = bad else {
        return all_good(ruling, seen);
    };
    // The end of the process is its own clause, and closes the connection.
    if let Some(exit) = &seen.exit
        && matches!(step.verdict, Reply::Broken(_) | Reply::Silent)
    {
        return ruling.not_reached("the process ended before it answered").at(exit.at);
    }
    let judged = match &step.verdict {
        Reply::ServerError(status) => server_error(ruling, terms, seen, step, *status),
        Reply::NotFound(status) => not_found(ruling, terms, seen, step, *status),
        Reply::Refused(status) => refused(ruling, terms, seen, step, *status),
        Reply::Invalid(how) => invalid(ruling, terms, seen, step, how),
        Reply::SessionRefused(how) => ruling.broken(Reason::SessionRefused, how.clone()).advise(
            "run the server stateless (FastMCP: stateless_http=True), or accept session ids that it did not make",
        ),
        Reply::Broken(how) => {
            let note = format!("{}: {how}", step.name);
            match out_of_reach(terms, seen, end(seen)) {
                Some(targets) if speaks_of_network(&seen.output) => by_network(ruling, terms, Reason::NoAnswer, &note, &targets),
                _ => ruling.broken(Reason::NoAnswer, note).advise("the output says what the handler met"),
            }
        }
        Reply::Silent => silent(ruling, terms, seen, step),
        Reply::Good(_) | Reply::ProtocolError(_) => return all_good(ruling, seen),
    };
    judged.at(step.at)
}

fn sentence(terms: &Terms) -> String {
    let path = &terms.path;
    match terms.protocol {
        Protocol::Http => format!("POST {path} answers the first request"),
        Protocol::Mcp => {
            format!("POST {path} answers initialize and tools/list with a session that the service makes")
        }
        Protocol::A2a => format!("the agent card is served, and POST {path} answers in JSON-RPC"),
        Protocol::Agui => format!("POST {path} answers with AG-UI events"),
    }
}

fn all_good(ruling: Ruling, seen: &Observations) -> Judged {
    let Some(last) = seen.steps.last() else {
        return match &seen.exit {
            Some(exit) => {
                ruling.not_reached("the process ended before the first request was answered").at(exit.at)
            }
            None => ruling.unknown(None, "the rehearsal was stopped before an answer came"),
        };
    };
    // A conversation that was cut off is not a whole one.
    let finished = seen.busy.is_some_and(|busy| busy.to.is_some());
    let words: Vec<String> = seen
        .steps
        .iter()
        .map(|step| match &step.verdict {
            Reply::Good(what) | Reply::ProtocolError(what) => format!("{}: {what}", step.name),
            _ => step.name.clone(),
        })
        .collect();
    let note = words.join("; ");
    if finished {
        ruling.held(note).at(last.at)
    } else {
        ruling.unknown(None, format!("{note}; then the rehearsal ended")).at(last.at)
    }
}

fn end(seen: &Observations) -> std::time::Duration {
    seen.busy.and_then(|busy| busy.to).unwrap_or(std::time::Duration::MAX)
}

fn by_network(ruling: Ruling, terms: &Terms, reason: Reason, note: &str, targets: &str) -> Judged {
    ruling
        .unknown(
            Some(reason),
            format!("{note}; it tried to reach {targets}, which is out of reach in this rehearsal, so the answer may be another in the service"),
        )
        .advise(network_advice(terms))
}

fn server_error(ruling: Ruling, terms: &Terms, seen: &Observations, step: &Step, status: u16) -> Judged {
    let note = format!("{} was answered {status}{}", step.name, excerpt(step));
    // A traceback about something else is the agent's own.
    let own = traceback::find(&seen.output).pop().is_some_and(|found| !speaks_of_network(&found.text));
    if let Some(targets) = out_of_reach(terms, seen, end(seen)).filter(|_| !own) {
        return by_network(ruling, terms, Reason::ErrorStatus5xx, &note, &targets);
    }
    let payload = match terms.payload_origin {
        PayloadOrigin::Default => {
            "; if the agent needs other members in its payload than the default, give one with --payload"
        }
        PayloadOrigin::Given => "",
    };
    ruling.broken(Reason::ErrorStatus5xx, note).advise(format!(
        "mend what the output says; the service takes a 5xx on a new session for a failed start{payload}"
    ))
}

fn not_found(ruling: Ruling, terms: &Terms, seen: &Observations, step: &Step, status: u16) -> Judged {
    let note = match (&step.outcome, status) {
        (Outcome::Answered(answer), 300..=399) => {
            let to = answer.header("location").unwrap_or("nowhere").chars().take(120).collect::<String>();
            format!("{} was answered with a redirection ({status} to {to})", step.name)
        }
        _ => format!("{} was answered {status}", step.name),
    };
    if let Some(judged) = other_protocol(terms, seen, &note) {
        return judged(ruling);
    }
    ruling.broken(Reason::PathNotFound, note).advise(match terms.protocol {
        Protocol::A2a => {
            "serve the agent card at /.well-known/agent-card.json and JSON-RPC at the path".to_owned()
        }
        _ => format!("serve POST {} at exactly this path, or set protocolConfiguration's path", terms.path),
    })
}

fn refused(ruling: Ruling, terms: &Terms, seen: &Observations, step: &Step, status: u16) -> Judged {
    let note = format!("{} was answered {status}{}", step.name, excerpt(step));
    if let Some(judged) = other_protocol(terms, seen, &note) {
        return judged(ruling);
    }
    let is_payload = matches!(terms.protocol, Protocol::Http | Protocol::Agui)
        && terms.payload_origin == PayloadOrigin::Default
        && status != 405;
    if is_payload {
        return ruling
            .unknown(
                Some(Reason::Refused),
                format!("{note}; it was the default payload, which an agent need not take"),
            )
            .advise("give a payload that the agent takes: --payload '{…}' or --payload @FILE");
    }
    ruling
        .broken(Reason::Refused, note)
        .advise("accept the request that the service passes on; the body of the answer says what is missing")
}

fn invalid(ruling: Ruling, terms: &Terms, seen: &Observations, step: &Step, how: &str) -> Judged {
    let what = match &step.outcome {
        Outcome::NotHttp(bytes) => super::healthy::foreign(bytes),
        _ => how.to_owned(),
    };
    let note = format!("{}: {what}", step.name);
    if let Some(judged) = other_protocol(terms, seen, &note) {
        return judged(ruling);
    }
    ruling
        .broken(Reason::InvalidResponse, note)
        .advise(format!("answer with {}", Facts::get().protocol(terms.protocol).answer.value))
}

fn other_protocol<'a>(
    terms: &'a Terms,
    seen: &'a Observations,
    note: &'a str,
) -> Option<impl FnOnce(Ruling) -> Judged + 'a> {
    let found = seen.elsewhere.iter().find(|found| found.port == terms.port)?;
    Some(move |ruling: Ruling| {
        ruling
            .broken(
                Reason::OtherProtocol,
                format!("{note}; the server speaks {} ({})", found.protocol, found.shown_by),
            )
            .advise(format!(
                "create the runtime with serverProtocol {}, or serve {} in the image",
                found.protocol, terms.protocol
            ))
    })
}

fn silent(ruling: Ruling, terms: &Terms, seen: &Observations, step: &Step) -> Judged {
    let limit = Facts::get().request_limit();
    let note = format!("{} got {}", step.name, script::words(&step.outcome));
    if seen.ended == Ended::Interrupted || terms.request_patience < limit || terms.speed == Speed::Emulated {
        let judged = match out_of_reach(terms, seen, end(seen)) {
            Some(targets) => return by_network(ruling, terms, Reason::NoAnswer, &note, &targets),
            None => ruling
                .unknown(Some(Reason::NoAnswer), format!("{note}; the service waits {}", seconds(limit))),
        };
        return judged
            .advise("wait longer with --request-timeout, or see in the output what the handler waits for");
    }
    match out_of_reach(terms, seen, end(seen)) {
        Some(targets) => by_network(ruling, terms, Reason::NoAnswer, &note, &targets),
        _ => ruling.broken(Reason::NoAnswer, note).advise("answer in time, or stream"),
    }
}

/// The beginning of an answer's body.
fn excerpt(step: &Step) -> String {
    let Outcome::Answered(answer) = &step.outcome else { return String::new() };
    let text: String = answer.text().split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = text.chars().take(200).collect();
    if cut.is_empty() { String::new() } else { format!(": {cut}") }
}
