//! Faults of the contract between the service and the process: protocol, port, path.

mod protocol_mismatch;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&protocol_mismatch::FAULT];
