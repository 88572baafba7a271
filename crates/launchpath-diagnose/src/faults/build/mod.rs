//! Faults of the build that should have made the artifact.

mod failed;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&failed::FAULT];
