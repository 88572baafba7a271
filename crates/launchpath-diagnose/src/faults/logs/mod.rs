//! Faults of log delivery: they blind, they do not block.

mod app_silent;
mod kms_unusable;
mod role_cannot_write;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[&app_silent::FAULT, &kms_unusable::FAULT, &role_cannot_write::FAULT];
