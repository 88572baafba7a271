//! Whether the sandbox's network may explain a failure, and which words in the output do.

use std::time::Duration;

use crate::contract::facts::Facts;
use crate::contract::observation::Observations;
use crate::contract::terms::{Network, Terms};
use crate::subject::{Attempt, AttemptOutcome, Reach};

/// What of the network did not work here and may work in the service: up to three, named; `None` where nothing of the kind
/// happened up to `until`, or where this network is the diagnosed one.
pub(super) fn cut_network(terms: &Terms, seen: &Observations, until: Duration) -> Option<String> {
    if terms.network == Network::AsDiagnosed {
        return None;
    }
    let attempts = seen.attempts.as_ref()?;
    let mut names: Vec<String> = Vec::new();
    for attempt in attempts.iter().filter(|attempt| attempt.at <= until && is_missed(attempt)) {
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

fn is_missed(attempt: &Attempt) -> bool {
    match &attempt.what {
        Reach::Name(_) => attempt.outcome != AttemptOutcome::Answered,
        Reach::Address { to, .. } => attempt.outcome != AttemptOutcome::Answered && !to.ip().is_loopback(),
    }
}

/// What an attempt was after.
pub(crate) fn target(attempt: &Attempt) -> String {
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

/// What to do where a cut network may be the reason.
pub(super) const NETWORK_ADVICE: &str =
    "rehearse it with --network bundle:PATH, which lets through what the diagnosed VPC does";
