//! Faults of what comes after an answer: sessions that end too early, too late or never.

mod idle_reaped;
mod never_idle;
mod session_expired;
mod session_pins_version;

use super::Fault;

pub(super) const FAULTS: &[&Fault] =
    &[&idle_reaped::FAULT, &never_idle::FAULT, &session_expired::FAULT, &session_pins_version::FAULT];
