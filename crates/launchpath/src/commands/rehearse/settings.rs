//! What the process is held to, from the command line and the evidence.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::time::Duration;

use launchpath_rehearse::contract::Protocol;
use launchpath_rehearse::contract::facts::Facts;
use launchpath_rehearse::contract::terms::{Artifact, PayloadOrigin, Terms};

use super::network::Configured;
use crate::cli::RehearseArguments;
use crate::disk;
use crate::failure::Failure;

/// Longest payload that the service takes.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/bedrock-agentcore-limits.html>
const MAX_PAYLOAD: usize = 100 * 1024 * 1024;

/// The terms of a command line.
pub(crate) fn terms(arguments: &RehearseArguments, configured: &Configured) -> Result<Terms, Failure> {
    let protocol = arguments.protocol.or(configured.protocol).unwrap_or(Protocol::Http);
    let artifact = if configured.is_code { Artifact::CodeZip } else { Artifact::Container };
    let session = match &arguments.session_id {
        Some(session) => checked_session(session)?,
        None => new_session(),
    };
    let mut terms = Terms::of(protocol, artifact, &session);
    // The evidence's port and path belong to its protocol.
    let same = arguments.protocol.is_none() || arguments.protocol == configured.protocol;
    if let Some(port) = arguments.port.or(configured.port.filter(|_| same)) {
        terms.port = port;
    }
    if let Some(path) = arguments.path.clone().or(configured.path.clone().filter(|_| same)) {
        terms.path = checked_path(path)?;
    }
    if let Some(seconds) = arguments.timeout {
        terms.patience = Duration::from_secs(seconds);
    }
    terms.request_patience = Duration::from_secs(arguments.request_timeout);
    if let Some(payload) = &arguments.payload {
        terms.payload = self::payload(payload)?;
        terms.payload_origin = PayloadOrigin::Given;
    }
    Ok(terms)
}

/// How long an emulated start is waited for: long enough to learn something, and decided by nothing.
pub(crate) fn emulated_patience(terms: &Terms) -> Duration {
    terms.limit() * 3
}

fn checked_session(session: &str) -> Result<String, Failure> {
    let [shortest, longest] = Facts::get().session_id_characters.value;
    let count = session.chars().count();
    if !(shortest..=longest).contains(&count) {
        return Err(Failure::usage(anyhow::anyhow!(
            "--session-id: {count} characters; the service takes {shortest} to {longest}"
        )));
    }
    if session.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(Failure::usage(anyhow::anyhow!(
            "--session-id: characters that cannot stand in a header; expected letters, digits and signs"
        )));
    }
    Ok(session.to_owned())
}

fn checked_path(path: String) -> Result<String, Failure> {
    let fits =
        path.starts_with('/') && path.len() <= 2048 && path.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(path)
    } else {
        Err(Failure::usage(anyhow::anyhow!(
            "--path: {path:?}; expected a path that begins with / and has at most 2048 characters"
        )))
    }
}

fn payload(word: &str) -> Result<Vec<u8>, Failure> {
    let bytes = match word.strip_prefix('@') {
        Some(path) => disk::bytes(Path::new(path))?,
        None => word.as_bytes().to_vec(),
    };
    if bytes.len() > MAX_PAYLOAD {
        return Err(Failure::usage(anyhow::anyhow!(
            "--payload: {} bytes; the service takes 100 MB",
            bytes.len()
        )));
    }
    Ok(bytes)
}

/// A session id as a client would make one. It need only differ from run to run.
fn new_session() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("launchpath-{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::{checked_path, checked_session, new_session};

    #[test]
    fn sessions_are_as_long_as_the_service_takes() {
        assert!(checked_session(&new_session()).is_ok());
        assert_ne!(new_session(), new_session());
        assert!(checked_session("short").is_err());
        assert!(checked_session(&"x".repeat(257)).is_err());
        assert!(checked_session(&format!("{}\r\nX: y", "x".repeat(40))).is_err());
    }

    #[test]
    fn paths_are_paths() {
        assert!(checked_path("/mcp".to_owned()).is_ok());
        for path in ["mcp", "/a b", "/a\r\n", ""] {
            assert!(checked_path(path.to_owned()).is_err(), "{path:?}");
        }
    }
}
