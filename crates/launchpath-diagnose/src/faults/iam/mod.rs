//! Faults of permissions: who may assume, create, read.

mod exec_role_ecr_denied;
mod slr_missing_or_denied;
mod trust_policy;

use super::Fault;

pub(super) const FAULTS: &[&Fault] =
    &[&exec_role_ecr_denied::FAULT, &slr_missing_or_denied::FAULT, &trust_policy::FAULT];
