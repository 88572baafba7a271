//! What a rehearsal holds a process to: protocol, port, path, limits, and what it sends.

use std::collections::BTreeSet;
use std::time::Duration;

use super::facts::Facts;
use super::protocol::Protocol;

/// What kind of artifact it is: it decides how long a start may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artifact {
    /// A container image.
    Container,
    /// A code zip for direct deployment.
    CodeZip,
}

/// What lies between the process and the network. Nothing outside is ever reached, so what fails for want of it decides
/// nothing, unless the diagnosed network is proved to block it, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing is reachable.
    Cut,
    /// What the diagnosed VPC lets through is answered by a stand-in.
    AsDiagnosed {
        /// What the process tried to reach ([`crate::contract::judge::target`]) and the VPC is proved to block.
        blocked: BTreeSet<String>,
    },
}

/// Whether code runs on its own architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// It does.
    Native,
    /// It is emulated: no limit of time is failed.
    Emulated,
}

/// Who chose the payload of the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadOrigin {
    /// The default one, which an agent need not understand.
    Default,
    /// The user.
    Given,
}

/// What a process is held to.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The protocol.
    pub protocol: Protocol,
    /// The port.
    pub port: u16,
    /// The path of requests.
    pub path: String,
    /// The kind of artifact.
    pub artifact: Artifact,
    /// How long readiness is waited for, past the service's limit to tell a slow start from none.
    pub patience: Duration,
    /// How long an answer to the first request is waited for.
    pub request_patience: Duration,
    /// The payload, for protocols that take any.
    pub payload: Vec<u8>,
    /// Who chose it.
    pub payload_origin: PayloadOrigin,
    /// The session.
    pub session: String,
    /// What is reachable.
    pub network: Network,
    /// Whether code is emulated.
    pub speed: Speed,
}

/// The payload where none is given.
pub const DEFAULT_PAYLOAD: &str = r#"{"prompt": "Hello"}"#;

/// How long the first request is waited for where nothing is said.
pub const REQUEST_PATIENCE: Duration = Duration::from_mins(1);

impl Terms {
    /// The service's own terms for a protocol and a kind of artifact.
    pub fn of(protocol: Protocol, artifact: Artifact, session: &str) -> Self {
        let own = Facts::get().protocol(protocol);
        Self {
            protocol,
            port: own.port.value,
            path: own.path.value.clone(),
            artifact,
            patience: limit(artifact) * 2,
            request_patience: REQUEST_PATIENCE,
            payload: DEFAULT_PAYLOAD.as_bytes().to_vec(),
            payload_origin: PayloadOrigin::Default,
            session: session.to_owned(),
            network: Network::Cut,
            speed: Speed::Native,
        }
    }

    /// The service's limit from the start to the first healthy answer.
    pub fn limit(&self) -> Duration {
        limit(self.artifact)
    }

    /// A time measured here as it would be natively; `None` where it is native.
    pub fn native_estimate(&self, measured: Duration) -> Option<Duration> {
        (self.speed == Speed::Emulated).then(|| measured / Facts::get().emulation_factor.value.max(1))
    }
}

fn limit(artifact: Artifact) -> Duration {
    match artifact {
        Artifact::Container => Facts::get().ready_container(),
        Artifact::CodeZip => Facts::get().ready_code_zip(),
    }
}
