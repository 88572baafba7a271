//! Faults that the service itself imposes: its own rules and quotas.

mod auth_mismatch;
mod mmdsv2_required;
mod opaque_create_failed;
mod quota;
mod session_conflict;
mod transient_cold_start;
mod update_drops_fields;
mod version_not_ready;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[
    &auth_mismatch::FAULT,
    &mmdsv2_required::FAULT,
    &opaque_create_failed::FAULT,
    &quota::FAULT,
    &session_conflict::FAULT,
    &transient_cold_start::FAULT,
    &update_drops_fields::FAULT,
    &version_not_ready::FAULT,
];
