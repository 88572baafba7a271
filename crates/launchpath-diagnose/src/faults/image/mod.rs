//! Faults of the image: absent, of another architecture, of a shape that is not handled.

mod arch_mismatch;
pub(in crate::faults) mod config;
mod file_permissions;
mod layers_user_overlay;
mod manifest_unsupported;
mod stale_tag;
mod tag_missing;
mod wrong_server_model;

use super::Fault;
use crate::chain::{Failure, Progress, Stage};
pub(in crate::faults) use tag_missing::needed_again_at;

pub(super) const FAULTS: &[&Fault] = &[
    &arch_mismatch::FAULT,
    &file_permissions::FAULT,
    &layers_user_overlay::FAULT,
    &manifest_unsupported::FAULT,
    &stale_tag::FAULT,
    &tag_missing::FAULT,
    &wrong_server_model::FAULT,
];

/// The stage at which the service's refusal of an image bites.
///
/// A runtime that exists was accepted, whatever its failed state names: the service then looked at the image once more on the
/// way to READY.
fn stage_of(refusal: &Failure, progress: &Progress) -> Stage {
    let passed = progress.trace_at_or_beyond(refusal.stage).is_some();
    if passed && progress.trace_at_or_beyond(Stage::Ready).is_none() { Stage::Ready } else { refusal.stage }
}
