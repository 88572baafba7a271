//! Whether the sandbox's network may explain a failure, and which words in the output do.

use std::net::IpAddr;
use std::time::Duration;

use crate::contract::facts::Facts;
use crate::contract::observation::Observations;
use crate::contract::terms::{Network, Terms};
use crate::subject::{Attempt, AttemptOutcome, Reach};

/// What the process tried to reach, up to `until`, that is out of reach here and may answer in the service: up to three,
/// named; `None` where there is nothing of the kind.
pub(super) fn out_of_reach(terms: &Terms, seen: &Observations, until: Duration) -> Option<String> {
    let attempts = seen.attempts.as_ref()?;
    let mut names: Vec<String> = Vec::new();
    for attempt in attempts.iter().filter(|attempt| attempt.at <= until && is_excuse(terms, attempt)) {
        let name = target(attempt);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return None;
    }
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let mut text = names.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    Some(text)
}

/// Whether what came of an attempt may be another in the service. A stand-in that answers is not the service behind it.
fn is_excuse(terms: &Terms, attempt: &Attempt) -> bool {
    if let Network::AsDiagnosed { blocked } = &terms.network
        && blocked.contains(&target(attempt))
    {
        return false;
    }
    match &attempt.what {
        Reach::Name(_) => attempt.outcome != AttemptOutcome::Answered,
        Reach::Address { to, .. } => match to.ip() {
            // The metadata service is there.
            IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
            IpAddr::V6(address) => !address.is_loopback(),
        },
    }
}

/// What an attempt was after.
pub fn target(attempt: &Attempt) -> String {
    match &attempt.what {
        Reach::Name(name) => name.clone(),
        Reach::Address { to, name: Some(name), .. } => format!("{name}:{}", to.port()),
        Reach::Address { to, name: None, .. } => to.to_string(),
    }
}

/// Whether a text speaks of the network.
pub(super) fn speaks_of_network(text: &str) -> bool {
    let text = text.to_lowercase();
    Facts::get().network_errors.value.iter().any(|words| text.contains(words.as_str()))
}

/// What to do where the network may be the reason.
pub(super) fn network_advice(terms: &Terms) -> &'static str {
    match terms.network {
        Network::Cut => {
            "rehearse it with --network bundle:PATH, which holds it to what the diagnosed VPC lets through"
        }
        Network::AsDiagnosed { .. } => {
            "ask `launchpath reach` about it; the diagnosed network does not block it for certain"
        }
    }
}
