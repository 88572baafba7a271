//! Faults of the tools between a person and the API.

mod network_config_dropped;
mod state_lost;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&network_config_dropped::FAULT, &state_lost::FAULT];
