//! IAM: roles and the policies on them.
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

use std::collections::BTreeSet;

use launchpath_model::World;
use launchpath_model::aws::role::{AttachedPolicy, ManagedPolicy, PolicyVersion, Role};
use launchpath_model::table::Table;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::decode;
use super::{Lowered, Recorded};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "GetRole" => get_role(world, call),
        "ListRoles" => list_roles(world, call),
        "ListRolePolicies" => {
            let role = role_of(world, call);
            list(&mut world.inline_policy_names, call, "PolicyNames", role, String::clone)
        }
        "GetRolePolicy" => role_policy(world, call),
        "ListAttachedRolePolicies" => {
            let role = role_of(world, call);
            list(&mut world.attached_policies, call, "AttachedPolicies", role, |policy: &AttachedPolicy| {
                policy.policy_arn.clone()
            })
        }
        "GetPolicy" => policy(world, call),
        "GetPolicyVersion" => policy_version(world, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

/// The role a list belongs to. The answer does not name it: a loose file tells it by its name, or there is only one.
fn role_of(world: &World, call: &Recorded) -> Option<String> {
    let arns = world.runtimes.iter().filter_map(|(_, row)| row.value.role_arn.as_deref());
    let of_runtimes = arns.map(|arn| arn.rsplit('/').next().unwrap_or(arn));
    let described = world.roles.iter().map(|(name, _)| name.as_str());
    // The service's own roles carry policies that nobody saves by hand.
    let candidates = of_runtimes.chain(described).filter(|name| !name.starts_with("AWSServiceRoleFor"));
    call.asked("RoleName").or_else(|| call.only_one_of(candidates)).map(str::to_owned)
}

fn with_document(mut role: Role) -> Role {
    role.assume_role_policy_document = role.assume_role_policy_document.map(decode);
    role
}

fn get_role(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(mut role) = call.object::<Role>("Role")? else {
        world.roles.record(call.read_without("Role"));
        return Ok(Lowered::Done);
    };
    if role.role_name.is_empty() {
        let Some(name) = call.asked("RoleName") else {
            return Ok(Lowered::NoKey("the role's name"));
        };
        name.clone_into(&mut role.role_name);
    }
    world.roles.record(call.read(1));
    world.roles.insert(role.role_name.clone(), with_document(role), call.evidence.id.clone());
    Ok(Lowered::Done)
}

/// The list leaves out boundary and last use: it never replaces a role that was asked for by name.
///
/// AWS: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>
fn list_roles(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.rows::<Role>("Roles", "RoleName")? else {
        world.roles.record(call.read_without("Roles"));
        return Ok(Lowered::Done);
    };
    world.roles.record(call.read(rows.len()));
    for row in rows {
        let known = world.roles.seen(&row.role_name).map(|known| known.value.clone());
        let role = known.unwrap_or_else(|| with_document(row));
        world.roles.insert(role.role_name.clone(), role, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

/// A list that is one value of its role. An empty list is a known value; a part of a list is joined to what is known.
fn list<T: DeserializeOwned + Clone>(
    table: &mut Table<String, Vec<T>>,
    call: &Recorded,
    member: &str,
    role: Option<String>,
    identity: impl Fn(&T) -> String,
) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.typed::<Vec<T>>(member)? else {
        table.record(call.read_without(member));
        return Ok(Lowered::Done);
    };
    table.record(call.read(rows.len()));
    let Some(role) = role else {
        return Ok(Lowered::NoKey("which role it belongs to"));
    };
    let mut all = table.seen(&role).map(|row| row.value.clone()).unwrap_or_default();
    let mut seen: BTreeSet<String> = all.iter().map(&identity).collect();
    all.extend(rows.into_iter().filter(|row| seen.insert(identity(row))));
    let is_part = call.asked("PathPrefix").is_some_and(|prefix| prefix != "/") || !call.evidence.complete;
    if !all.is_empty() || !is_part {
        table.insert(role, all, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

fn role_policy(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut world.inline_policies;
    let Some(document) = call.typed::<Value>("PolicyDocument")? else {
        table.record(call.read_without("PolicyDocument"));
        return Ok(Lowered::Done);
    };
    let role = call.text("RoleName").or_else(|| call.asked("RoleName"));
    let name = call.text("PolicyName").or_else(|| call.asked("PolicyName"));
    table.record(call.read(1));
    let (Some(role), Some(name)) = (role, name) else {
        return Ok(Lowered::NoKey("role and name of the policy"));
    };
    table.insert((role.to_owned(), name.to_owned()), decode(document), call.evidence.id.clone());
    Ok(Lowered::Done)
}

fn policy(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(mut policy) = call.object::<ManagedPolicy>("Policy")? else {
        world.managed_policies.record(call.read_without("Policy"));
        return Ok(Lowered::Done);
    };
    if policy.arn.is_empty() {
        let Some(arn) = call.asked("PolicyArn") else {
            return Ok(Lowered::NoKey("the policy's ARN"));
        };
        arn.clone_into(&mut policy.arn);
    }
    world.managed_policies.record(call.read(1));
    world.managed_policies.insert(policy.arn.clone(), policy, call.evidence.id.clone());
    Ok(Lowered::Done)
}

fn policy_version(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(mut version) = call.object::<PolicyVersion>("PolicyVersion")? else {
        world.policy_versions.record(call.read_without("PolicyVersion"));
        return Ok(Lowered::Done);
    };
    let managed = world.managed_policies.iter().map(|(arn, _)| arn.as_str());
    let attached =
        world.attached_policies.iter().flat_map(|(_, row)| row.value.iter().map(|p| p.policy_arn.as_str()));
    let arn =
        call.asked("PolicyArn").or_else(|| call.only_one_of(managed.chain(attached))).map(str::to_owned);
    let id = version.version_id.as_deref().or_else(|| call.asked("VersionId")).map(str::to_owned);
    world.policy_versions.record(call.read(1));
    let (Some(arn), Some(id)) = (arn, id) else {
        return Ok(Lowered::NoKey("which policy it is a version of"));
    };
    version.document = version.document.map(decode);
    world.policy_versions.insert((arn, id), version, call.evidence.id.clone());
    Ok(Lowered::Done)
}
