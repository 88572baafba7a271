//! Faults of requests: what no service would accept.

mod invalid;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&invalid::FAULT];
