//! Faults that the service itself imposes: its own rules and quotas.

mod mmdsv2_required;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&mmdsv2_required::FAULT];
