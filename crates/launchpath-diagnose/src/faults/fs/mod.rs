//! Faults of file systems that a runtime mounts.

mod byo_mount;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&byo_mount::FAULT];
