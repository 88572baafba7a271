//! Faults of permissions: who may assume, create, read, call.

mod caller_cannot_invoke;
mod caller_cannot_pass_role;
mod exec_role_ecr_denied;
mod exec_role_permissions;
mod policy_race;
mod runtime_api_denied;
mod scp_deny;
mod slr_missing_or_denied;
mod trust_policy;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[
    &caller_cannot_invoke::FAULT,
    &caller_cannot_pass_role::FAULT,
    &exec_role_ecr_denied::FAULT,
    &exec_role_permissions::FAULT,
    &policy_race::FAULT,
    &runtime_api_denied::FAULT,
    &scp_deny::FAULT,
    &slr_missing_or_denied::FAULT,
    &trust_policy::FAULT,
];
