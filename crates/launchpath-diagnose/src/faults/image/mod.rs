//! Faults of the image: absent, of another architecture, of a shape that is not handled.

mod arch_mismatch;
mod manifest_unsupported;
mod tag_missing;

use super::Fault;
pub(in crate::faults) use tag_missing::needed_again_at;

pub(super) const FAULTS: &[&Fault] =
    &[&arch_mismatch::FAULT, &manifest_unsupported::FAULT, &tag_missing::FAULT];
