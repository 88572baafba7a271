//! `listens`.

use std::net::SocketAddr;

use super::suspect::{network_advice, out_of_reach};
use super::{Ruling, measured, seconds};
use crate::contract::clause::{Clause, Judged, Reason};
use crate::contract::observation::{Ended, HealthRun, Observations};
use crate::contract::protocol::Protocol;
use crate::contract::terms::{Speed, Terms};
use crate::contract::wire::Outcome;
use crate::subject::BlindSpot;

pub(super) fn listens(terms: &Terms, seen: &Observations) -> Judged {
    let limit = terms.limit();
    let port = terms.port;
    let ruling =
        Ruling::on(Clause::Listens, format!("the process listens on port {port} within {}", seconds(limit)));
    if let Some(at) = seen.first_listen {
        return match doubt(terms, seen) {
            Some((reason, note, advice)) => ruling.unknown(reason, note).advise(advice),
            None => late(ruling, terms, at, "port took its first connection"),
        }
        .at(at);
    }
    if let Some(exit) = &seen.exit {
        return ruling.not_reached("the process ended first").at(exit.at);
    }
    if seen.ended == Ended::Interrupted {
        return ruling.unknown(None, "the rehearsal was stopped before anything listened");
    }
    let Some(listeners) = &seen.listeners else {
        let note =
            format!("no connection in {}; what listens inside cannot be seen here", seconds(seen.watched));
        return in_vain(ruling, terms, seen, Reason::NothingListens, note);
    };
    let (own, others): (Vec<SocketAddr>, Vec<SocketAddr>) =
        listeners.iter().map(|listener| listener.at).partition(|at| at.port() == port);
    if !own.is_empty() && own.iter().all(|at| at.ip().is_loopback()) {
        return loopback(ruling, &own, port);
    }
    if !own.is_empty() {
        let note = format!("{} listens, but takes no connection from outside over IPv4", list(&own));
        return in_vain(ruling, terms, seen, Reason::NothingListens, note);
    }
    if others.is_empty() {
        let note = format!("nothing listens on any port after {}", measured(terms, seen.watched));
        return in_vain(ruling, terms, seen, Reason::NothingListens, note);
    }
    wrong_port(ruling, terms, seen, &others)
}

/// Why a connection that came about says less than it seems to, where an engine ran the process.
fn doubt(terms: &Terms, seen: &Observations) -> Option<(Option<Reason>, String, String)> {
    // Some engines hold a published port with a socket that is never read.
    let answered = |run: &HealthRun| {
        !matches!(
            run.outcome,
            Outcome::Closed { .. } | Outcome::NotConnected(_) | Outcome::NoAnswer { received: 0, .. }
        )
    };
    if seen.blind.contains(&BlindSpot::Proxied) && !seen.health.iter().any(answered) {
        let note = "the container engine takes connections in the process's place, and nothing was answered"
            .to_owned();
        let advice =
            format!("start a server on 0.0.0.0:{}; the output says how far the start came", terms.port);
        return Some((None, note, advice));
    }
    seen.blind.contains(&BlindSpot::EngineMarker).then(|| {
        (
            Some(Reason::LoopbackOnly),
            "it listens, but in a container of Docker the AgentCore SDK binds every address because of /.dockerenv, which a \
             session does not have"
                .to_owned(),
            "set DOCKER_CONTAINER=1 in the image, or call app.run(host=\"0.0.0.0\"), or rehearse it in the sandbox".to_owned(),
        )
    })
}

fn loopback(ruling: Ruling, own: &[SocketAddr], port: u16) -> Judged {
    ruling
        .broken(
            Reason::LoopbackOnly,
            format!("it listens on {} only, which nobody outside the session reaches", list(own)),
        )
        .advise(format!(
            "bind 0.0.0.0:{port}; with BedrockAgentCoreApp set DOCKER_CONTAINER=1 in the image or call app.run(host=\"0.0.0.0\"): it binds loopback where neither that nor /.dockerenv is there"
        ))
}

fn wrong_port(ruling: Ruling, terms: &Terms, seen: &Observations, others: &[SocketAddr]) -> Judged {
    let port = terms.port;
    let elsewhere = seen.elsewhere.iter().find(|elsewhere| elsewhere.port != port);
    let note = match elsewhere {
        Some(found) => format!(
            "it listens on {}, not on port {port}; port {} speaks {} ({})",
            list(others),
            found.port,
            found.protocol,
            found.shown_by
        ),
        None => format!("it listens on {}, not on port {port}", list(others)),
    };
    let advice = match elsewhere {
        Some(found) if found.protocol != terms.protocol => format!(
            "create the runtime with serverProtocol {} (port {}), or serve {} on port {port}",
            found.protocol, found.port, terms.protocol
        ),
        Some(found) => {
            format!("listen on port {port}, or set protocolConfiguration's port to {}", found.port)
        }
        None => format!("listen on 0.0.0.0:{port}"),
    };
    let reason = match elsewhere {
        Some(found) if is_foreign(found.protocol, terms.protocol) => Reason::OtherProtocol,
        _ => Reason::WrongPort,
    };
    if elsewhere.is_some() && seen.ended == Ended::Settled {
        return ruling.broken(reason, note).advise(advice);
    }
    in_vain(ruling, terms, seen, reason, note).advise(advice)
}

/// Whether a server that was found shows another protocol. An answer to `/ping` does not, unless MCP was wanted: the others have
/// it in common.
fn is_foreign(found: Protocol, wanted: Protocol) -> bool {
    found != wanted && (found != Protocol::Http || wanted == Protocol::Mcp)
}

/// A thing that came: in time, or too late.
pub(super) fn late(ruling: Ruling, terms: &Terms, at: std::time::Duration, what: &str) -> Judged {
    let limit = terms.limit();
    let note = format!("{what} after {}", measured(terms, at));
    if at <= limit {
        return ruling.held(note);
    }
    match terms.speed {
        Speed::Native => ruling
            .broken(Reason::SlowStart, format!("{note}; the service waits {}", seconds(limit)))
            .advise("import and load less before listening: start the server first, load models and clients lazily"),
        Speed::Emulated => match terms.native_estimate(at) {
            Some(native) if native * 2 <= limit => {
                ruling.held(format!("{note}; emulated time is not held against it"))
            }
            _ => ruling
                .unknown(Some(Reason::SlowStart), format!("{note}; emulated time decides nothing"))
                .advise("rehearse it on a machine of its own architecture"),
        },
    }
}

/// What was waited for in vain: broken when it was waited for as long as the service waits, and nothing here explains it.
pub(super) fn in_vain(
    ruling: Ruling,
    terms: &Terms,
    seen: &Observations,
    reason: Reason,
    note: String,
) -> Judged {
    let limit = terms.limit();
    if terms.speed == Speed::Emulated {
        return ruling
            .unknown(Some(reason), format!("{note}; emulated time decides nothing"))
            .advise("rehearse it on a machine of its own architecture");
    }
    if seen.ended == Ended::Interrupted || seen.watched < limit {
        return ruling
            .unknown(
                Some(reason),
                format!(
                    "{note}; watched for {}, the service waits {}",
                    seconds(seen.watched),
                    seconds(limit)
                ),
            )
            .advise(format!("give it the service's time: --timeout {}", limit.as_secs()));
    }
    match out_of_reach(terms, seen, seen.watched) {
        Some(targets) => ruling
            .unknown(
                Some(reason),
                format!("{note}; it tried to reach {targets}, which is out of reach in this rehearsal, and may wait for that"),
            )
            .advise(network_advice(terms)),
        None => ruling.broken(reason, note).advise(advice_in_vain(reason, terms)),
    }
}

fn advice_in_vain(reason: Reason, terms: &Terms) -> String {
    match reason {
        Reason::NothingListens => {
            format!("start a server on 0.0.0.0:{}; the output says how far the start came", terms.port)
        }
        Reason::WrongPort | Reason::OtherProtocol => format!("listen on 0.0.0.0:{}", terms.port),
        _ => "see the output for what the process was doing".to_owned(),
    }
}

/// Addresses in a row.
pub(super) fn list(addresses: &[SocketAddr]) -> String {
    let mut texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    texts.sort();
    texts.dedup();
    let more = texts.len().saturating_sub(6);
    texts.truncate(6);
    let mut text = texts.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::listens;
    use crate::contract::clause::{Reason, State};
    use crate::contract::observation::{Elsewhere, Ended, Health, HealthRun, Observations};
    use crate::contract::protocol::Protocol;
    use crate::contract::terms::{Artifact, Terms};
    use crate::contract::wire::Outcome;
    use crate::subject::{BlindSpot, Listener};

    #[test]
    fn a_server_on_another_port_is_of_another_protocol_only_where_it_shows_that() {
        let found = |wanted: Protocol, protocol: Protocol| {
            let at = Listener { at: SocketAddr::from(([0, 0, 0, 0], 7000)) };
            let shown_by = "an answer".to_owned();
            let seen = Observations {
                listeners: Some(vec![at]),
                elsewhere: vec![Elsewhere { port: 7000, protocol, shown_by }],
                ended: Ended::Settled,
                ..Observations::default()
            };
            let judged = listens(&Terms::of(wanted, Artifact::Container, "a-session"), &seen);
            assert_eq!(judged.state, State::Broken);
            judged.reason.unwrap()
        };
        assert_eq!(found(Protocol::Http, Protocol::Mcp), Reason::OtherProtocol);
        assert_eq!(found(Protocol::Mcp, Protocol::Http), Reason::OtherProtocol);
        assert_eq!(found(Protocol::A2a, Protocol::Agui), Reason::OtherProtocol);
        assert_eq!(found(Protocol::Agui, Protocol::Http), Reason::WrongPort, "every one of them has /ping");
        assert_eq!(found(Protocol::Http, Protocol::Http), Reason::WrongPort);
    }

    fn connected(blind: BlindSpot, outcome: Outcome) -> Observations {
        let at = Duration::from_millis(9);
        let run = HealthRun { outcome, verdict: Health::Broken, first_at: at, last_at: at, times: 1 };
        Observations {
            first_listen: Some(at),
            blind: [blind].into(),
            health: vec![run],
            ..Observations::default()
        }
    }

    #[test]
    fn a_connection_that_an_engine_takes_is_none_of_the_process() {
        let terms = Terms::of(Protocol::Http, Artifact::Container, "a-session");
        let closed = || Outcome::Closed { after: Duration::ZERO };
        let judged = listens(&terms, &connected(BlindSpot::Proxied, closed()));
        assert_eq!((judged.state, judged.reason), (State::Unknown, None));
        let silent = Outcome::NoAnswer { waited: Duration::from_secs(2), received: 0 };
        assert_eq!(listens(&terms, &connected(BlindSpot::Proxied, silent)).state, State::Unknown);
        let answered = Outcome::NotHttp(b"SSH-2.0".to_vec());
        assert_eq!(listens(&terms, &connected(BlindSpot::Proxied, answered)).state, State::Held);
        assert_eq!(listens(&terms, &connected(BlindSpot::Attempts, closed())).state, State::Held);
    }

    #[test]
    fn what_a_server_binds_for_the_engines_marker_says_nothing_of_a_session() {
        let terms = Terms::of(Protocol::Http, Artifact::Container, "a-session");
        let outcome = Outcome::NotHttp(b"SSH-2.0".to_vec());
        let judged = listens(&terms, &connected(BlindSpot::EngineMarker, outcome));
        assert_eq!((judged.state, judged.reason), (State::Unknown, Some(Reason::LoopbackOnly)));
    }
}
