//! Faults of what comes after an answer: sessions that end too early, too late or never.

mod idle_reaped;
mod never_idle;
mod session_expired;
mod session_pins_version;

use launchpath_model::service;

use super::Fault;
use crate::case::Case;

pub(super) const FAULTS: &[&Fault] =
    &[&idle_reaped::FAULT, &never_idle::FAULT, &session_expired::FAULT, &session_pins_version::FAULT];

/// Seconds after which a session that is not used ends, by the runtime's own setting or the service's default.
fn idle_limit(case: &Case) -> i64 {
    let lifecycle = case.runtime().and_then(|runtime| runtime.lifecycle_configuration.as_ref());
    let own = lifecycle.and_then(|lifecycle| lifecycle.get("idleRuntimeSessionTimeout")?.as_i64());
    own.unwrap_or_else(|| service::limit("idle_timeout_seconds").0)
}
