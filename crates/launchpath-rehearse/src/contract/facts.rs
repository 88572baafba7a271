//! The table of what the service asks and how that is known: `data/contract.json`.
//!
//! Every number, path and header that the probes use comes from here, so that what is documented is never mixed up with
//! what was merely observed or inferred.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::protocol::Protocol;

/// How a fact about the service is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// AWS's documentation or service model.
    Documented,
    /// Seen in the field, or measured.
    Observed,
    /// Concluded from the facts beside it.
    Inferred,
}

impl Level {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Inferred => "inferred",
        }
    }
}

/// A fact with its source.
#[derive(Clone, Debug, Deserialize)]
pub struct Fact<T> {
    /// What it says.
    pub value: T,
    /// How it is known.
    pub level: Level,
    /// From where.
    pub source: String,
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
}

/// What one protocol asks.
#[derive(Clone, Debug, Deserialize)]
pub struct ProtocolFacts {
    /// Port where none is configured.
    pub port: Fact<u16>,
    /// Path of requests where none is configured.
    pub path: Fact<String>,
    /// How health is asked for.
    pub health: Fact<String>,
    /// Header that carries the session.
    pub session_header: Fact<String>,
    /// What answers look like.
    pub answer: Fact<String>,
    /// Path of the agent card.
    #[serde(default)]
    pub card: Option<Fact<String>>,
    /// Path of the optional WebSocket.
    pub web_socket: Option<Fact<String>>,
}

/// The whole table.
#[derive(Clone, Debug, Deserialize)]
pub struct Facts {
    protocols: BTreeMap<Protocol, ProtocolFacts>,
    /// Values of `status` in an answer to `/ping`.
    pub ping_statuses: Fact<Vec<String>>,
    /// Where a server must listen.
    pub bind_address: Fact<String>,
    /// What probes carry as `Host`.
    pub host_header: Fact<String>,
    /// First and last port that can be configured.
    pub ports_allowed: Fact<[u16; 2]>,
    ready_container_ms: Fact<u64>,
    ready_code_zip_ms: Fact<u64>,
    ping_interval_ms: Fact<u64>,
    ping_wait_ms: Fact<u64>,
    busy_unanswered_ms: Fact<u64>,
    busy_slow_ms: Fact<u64>,
    request_limit_ms: Fact<u64>,
    /// Largest frame of a WebSocket.
    pub web_socket_frame_bytes: Fact<usize>,
    /// Shortest and longest session id.
    pub session_id_characters: Fact<[usize; 2]>,
    /// How many times slower emulated code is.
    pub emulation_factor: Fact<u32>,
    /// Headers that come with requests.
    pub forwarded_headers: Fact<Vec<String>>,
    /// Version in `initialize`.
    pub mcp_version: Fact<String>,
    /// Words of failures that the network explains; lower case.
    pub network_errors: Fact<Vec<String>>,
    /// Words of writes to what cannot be written; lower case.
    pub read_only_errors: Fact<Vec<String>>,
    /// Words of refused files; lower case.
    pub permission_errors: Fact<Vec<String>>,
}

static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/contract.json"))
        .expect("data/contract.json is checked by a test")
});

impl Facts {
    /// The table of this version.
    pub fn get() -> &'static Self {
        &FACTS
    }

    /// What a protocol asks.
    pub fn protocol(&self, protocol: Protocol) -> &ProtocolFacts {
        &self.protocols[&protocol]
    }

    /// Time to the first healthy answer, for containers.
    pub fn ready_container(&self) -> Duration {
        Duration::from_millis(self.ready_container_ms.value)
    }

    /// Time to the first healthy answer, for code zips.
    pub fn ready_code_zip(&self) -> Duration {
        Duration::from_millis(self.ready_code_zip_ms.value)
    }

    /// Between two pings.
    pub fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval_ms.value)
    }

    /// For the answer to one ping.
    pub fn ping_wait(&self) -> Duration {
        Duration::from_millis(self.ping_wait_ms.value)
    }

    /// A ping that waits so long during a request starves.
    pub fn busy_unanswered(&self) -> Duration {
        Duration::from_millis(self.busy_unanswered_ms.value)
    }

    /// A ping that waits so long during a request is doubtful.
    pub fn busy_slow(&self) -> Duration {
        Duration::from_millis(self.busy_slow_ms.value)
    }

    /// For the answer to a synchronous request.
    pub fn request_limit(&self) -> Duration {
        Duration::from_millis(self.request_limit_ms.value)
    }

    /// The lines of the table that a rehearsal under `protocol` rests on: what, how it is known, from where.
    pub fn rows(&self, protocol: Protocol) -> Vec<Row> {
        let own = self.protocol(protocol);
        let ms = |fact: &Fact<u64>| format!("{} s", fact.value / 1000);
        let mut rows = vec![
            row("port", &own.port, own.port.value.to_string()),
            row("path", &own.path, own.path.value.clone()),
            row("health check", &own.health, own.health.value.clone()),
            row("session header", &own.session_header, own.session_header.value.clone()),
            row("answers", &own.answer, own.answer.value.clone()),
        ];
        rows.extend(own.card.as_ref().map(|fact| row("agent card", fact, fact.value.clone())));
        rows.extend(own.web_socket.as_ref().map(|fact| row("WebSocket", fact, fact.value.clone())));
        rows.extend([
            row("ping statuses", &self.ping_statuses, self.ping_statuses.value.join(", ")),
            row("bind address", &self.bind_address, self.bind_address.value.clone()),
            row("Host header", &self.host_header, self.host_header.value.clone()),
            row("healthy within, container", &self.ready_container_ms, ms(&self.ready_container_ms)),
            row("healthy within, code zip", &self.ready_code_zip_ms, ms(&self.ready_code_zip_ms)),
            row("ping interval", &self.ping_interval_ms, ms(&self.ping_interval_ms)),
            row("wait for one ping", &self.ping_wait_ms, ms(&self.ping_wait_ms)),
            row("ping unanswered during a request", &self.busy_unanswered_ms, ms(&self.busy_unanswered_ms)),
            row("synchronous request", &self.request_limit_ms, ms(&self.request_limit_ms)),
            row("headers", &self.forwarded_headers, self.forwarded_headers.value.join(", ")),
            row("emulation slows by", &self.emulation_factor, self.emulation_factor.value.to_string()),
        ]);
        if protocol == Protocol::Mcp {
            rows.push(row("MCP version asked for", &self.mcp_version, self.mcp_version.value.clone()));
        }
        rows
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Of what.
    pub what: &'static str,
    /// What it says.
    pub value: String,
    /// How it is known.
    pub level: Level,
    /// From where.
    pub source: String,
    /// What else is to be said.
    pub note: Option<String>,
}

fn row<T>(what: &'static str, fact: &Fact<T>, value: String) -> Row {
    Row { what, value, level: fact.level, source: fact.source.clone(), note: fact.note.clone() }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Level};
    use crate::contract::protocol::Protocol;

    #[test]
    fn the_table_is_whole() {
        let facts = Facts::get();
        let ports: Vec<u16> = [Protocol::Http, Protocol::Mcp, Protocol::A2a, Protocol::Agui]
            .map(|protocol| facts.protocol(protocol).port.value)
            .to_vec();
        assert_eq!(ports, [8080, 8000, 9000, 8080]);
        assert!(facts.busy_slow() < facts.busy_unanswered());
        for words in [&facts.network_errors, &facts.read_only_errors, &facts.permission_errors] {
            assert!(words.value.iter().all(|word| *word == word.to_lowercase() && !word.is_empty()));
        }
        for protocol in Protocol::ALL {
            let rows = facts.rows(protocol);
            assert!(rows.iter().all(|row| !row.source.is_empty()));
            // The health check of the protocols that do not document one says so.
            let health = rows.iter().find(|row| row.what == "health check").unwrap();
            let documented = matches!(protocol, Protocol::Http | Protocol::A2a);
            assert_eq!(health.level == Level::Documented, documented, "{protocol}");
        }
    }
}
