//! Faults of what comes after an answer: sessions that end too early, too late or never.

mod never_idle;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&never_idle::FAULT];
