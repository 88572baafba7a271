//! The protocols a runtime can be created with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `serverProtocol` of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// `/ping` and `/invocations`.
    Http,
    /// Model Context Protocol over HTTP.
    Mcp,
    /// Agent to agent: an agent card and JSON-RPC.
    A2a,
    /// AG-UI events.
    Agui,
}

impl Protocol {
    /// All of them, in the order in which an unknown server is tried.
    pub const ALL: [Self; 4] = [Self::Mcp, Self::A2a, Self::Http, Self::Agui];

    /// The service's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Mcp => "MCP",
            Self::A2a => "A2A",
            Self::Agui => "AGUI",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A protocol that AgentCore Runtime does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no protocol of AgentCore Runtime: {0:?}; expected HTTP, MCP, A2A or AGUI")]
pub struct UnknownProtocol(pub String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}
