//! Which protocol a server speaks that does not speak the one it was started for.

use std::time::Duration;

use super::{a2a, agui, events, mcp, ping};
use crate::contract::facts::Facts;
use crate::contract::line::Line;
use crate::contract::observation::{Elsewhere, Health, Reply};
use crate::contract::protocol::Protocol;
use crate::contract::terms::Terms;
use crate::contract::wire::{Limits, Outcome, Request};

/// For one answer while trying: these servers answer at once or not at all.
const TRY: Duration = Duration::from_secs(3);

/// Tries the protocols on a port, `except` one, and names the first that is spoken, with what showed it.
pub(in crate::contract) fn identify(
    line: &Line,
    terms: &Terms,
    port: u16,
    except: Option<Protocol>,
) -> Option<Elsewhere> {
    Protocol::ALL.into_iter().filter(|protocol| Some(*protocol) != except).find_map(|protocol| {
        let shown_by = speaks(line, terms, port, protocol)?;
        Some(Elsewhere { port, protocol, shown_by })
    })
}

fn speaks(line: &Line, terms: &Terms, port: u16, protocol: Protocol) -> Option<String> {
    let host = line.host(port);
    let facts = Facts::get().protocol(protocol);
    let path = if protocol == terms.protocol { &terms.path } else { &facts.path.value };
    let limits = Limits { time: TRY, body: 64 * 1024, until: None };
    match protocol {
        Protocol::Mcp => {
            let limits = Limits { until: Some(events::holds_json_rpc), ..limits };
            // A guard of the Host header hides an MCP server; a local name gets past it.
            [host, format!("localhost:{port}")].iter().find_map(|host| {
                let outcome = line.send(port, &mcp::initialize_without_session(host, path), limits);
                match mcp::health(&outcome) {
                    Health::Good(what) => Some(format!("POST {path} initialize: {what}")),
                    _ => None,
                }
            })
        }
        Protocol::A2a => {
            let request = a2a::card_request(&host);
            match a2a::card(&line.send(port, &request, limits)) {
                Reply::Good(what) => Some(format!("{}: {what}", request.line())),
                _ => None,
            }
        }
        Protocol::Http => {
            let request = Request::get(&host, "/ping");
            let outcome = line.send(port, &request, limits);
            match (ping::health(&outcome), &outcome) {
                (Health::Good(status), Outcome::Answered(_)) => Some(format!("GET /ping: 200, {status}")),
                _ => None,
            }
        }
        Protocol::Agui => {
            let request = Request::post(&host, path, agui::run_input());
            match agui::mean(&line.send(port, &request, limits)) {
                Reply::Good(what) => Some(format!("POST {path}: {what}")),
                _ => None,
            }
        }
    }
}
