//! Faults of the agent's own process at start, from what it printed in its log or in a rehearsal.

pub(in crate::faults) mod crash;
mod dependency_drift;
mod dependency_not_packaged;
mod missing_source_file;
mod slow_init;
mod startup_exception;
mod wedged_state;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[
    &dependency_drift::FAULT,
    &dependency_not_packaged::FAULT,
    &missing_source_file::FAULT,
    &slow_init::FAULT,
    &startup_exception::FAULT,
    &wedged_state::FAULT,
];
