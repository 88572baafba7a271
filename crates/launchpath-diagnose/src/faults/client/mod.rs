//! Faults of the caller: it gives up, or calls something else.

mod timeout;
mod wrong_target;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&timeout::FAULT, &wrong_target::FAULT];
