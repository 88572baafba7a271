//! Repairs: a change of the world as data, its proof in memory, its rendering for people.
//!
//! A repair is applied to a copy of the world and the diagnosis runs again (`engine.rs`); one that changes nothing is
//! never shown. Start with [`Repair`] and [`Change`].

mod render;
pub(crate) mod rewrite;

use launchpath_model::World;
use launchpath_model::aws::agentcore::MetadataConfiguration;
use launchpath_model::aws::image::ImageDetail;
use launchpath_model::aws::role::Role;
use launchpath_model::ids::{RuntimeId, SubnetId, VpcEndpointId};
use launchpath_model::{EvidenceId, Outcome};
use launchpath_net::Edit;
use serde_json::Value;

use crate::diagnosis::Safety;

/// What a repair changes in the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Something in the network.
    Network(Edit),
    /// Subnets leave the runtime's configuration.
    DropSubnets {
        /// The runtime.
        runtime: RuntimeId,
        /// The subnets that leave.
        subnets: Vec<SubnetId>,
    },
    /// A role's trust policy is replaced.
    TrustPolicy {
        /// The role.
        role: String,
        /// The new document.
        document: Value,
    },
    /// An inline policy is added to a role.
    RolePolicy {
        /// The role.
        role: String,
        /// The policy's name.
        name: String,
        /// The document.
        document: Value,
    },
    /// The network service-linked role is created.
    NetworkServiceLinkedRole,
    /// An image is pushed under the tag the runtime names.
    PushImage {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// The image is rebuilt: what the old one printed no longer speaks.
    RebuildImage {
        /// The runtime.
        runtime: RuntimeId,
    },
    /// The policy of a VPC endpoint is replaced.
    EndpointPolicy {
        /// The endpoint.
        endpoint: VpcEndpointId,
        /// The new document.
        document: Value,
    },
    /// The runtime requires version 2 of the metadata service.
    RequireMmdsv2 {
        /// The runtime.
        runtime: RuntimeId,
    },
}

/// A repair that is not yet proven.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// What to change, one sentence.
    pub summary: String,
    /// Whether it can do harm.
    pub safety: Safety,
    /// The changes.
    pub changes: Vec<Change>,
    /// Commands that go before those of the changes: building an image, for example.
    pub steps: Vec<String>,
    /// What its proof takes for granted.
    pub assumes: Option<String>,
}

impl Repair {
    /// A repair made of changes.
    pub fn new(summary: impl Into<String>, safety: Safety, changes: Vec<Change>) -> Self {
        Self { summary: summary.into(), safety, changes, steps: Vec::new(), assumes: None }
    }

    /// Its commands.
    pub fn aws_cli(&self, world: &World) -> Vec<String> {
        let mut commands = self.steps.clone();
        commands.extend(self.changes.iter().flat_map(|change| render::aws_cli(change, world)));
        commands
    }

    /// The same as Terraform, when every change has a form there.
    pub fn terraform(&self, world: &World) -> Option<String> {
        blocks(self.changes.iter().map(|change| render::terraform(change, world)))
    }

    /// The same as CloudFormation, when every change has a form there.
    pub fn cloudformation(&self, world: &World) -> Option<String> {
        blocks(self.changes.iter().map(|change| render::cloudformation(change, world)))
    }

    /// Applies it to a copy of the world. `None` when a change does not fit the world.
    pub fn applied_to(&self, world: &World) -> Option<World> {
        let mut world = world.clone();
        for change in &self.changes {
            apply(change, &mut world)?;
        }
        forget_failures(&mut world);
        Some(world)
    }
}

fn blocks(parts: impl Iterator<Item = Option<String>>) -> Option<String> {
    let parts: Option<Vec<String>> = parts.collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("\n"))
}

/// The evidence id of what only a repair makes.
fn proposed() -> EvidenceId {
    EvidenceId::from(launchpath_net::edit::PROPOSED)
}

fn apply(change: &Change, world: &mut World) -> Option<()> {
    match change {
        Change::Network(edit) => edit.apply(&mut world.network).ok()?,
        Change::DropSubnets { runtime, subnets } => {
            let row = world.runtimes.seen_mut(runtime)?;
            let config = row.value.network_configuration.as_mut()?.network_mode_config.as_mut()?;
            config.subnets.retain(|subnet| !subnets.contains(subnet));
        }
        Change::TrustPolicy { role, document } => {
            let row = world.roles.seen_mut(role)?;
            row.value.assume_role_policy_document = Some(document.clone());
        }
        Change::RolePolicy { role, name, document } => {
            world.inline_policies.insert((role.clone(), name.clone()), document.clone(), proposed());
            let names = world.inline_policy_names.seen(role).map(|row| row.value.clone()).unwrap_or_default();
            let names = names.into_iter().chain([name.clone()]).collect();
            world.inline_policy_names.insert(role.clone(), names, proposed());
        }
        Change::NetworkServiceLinkedRole => {
            let name = crate::faults::NETWORK_ROLE.to_owned();
            let role = Role { role_name: name.clone(), ..Role::default() };
            world.roles.insert(name, role, proposed());
        }
        Change::PushImage { repository, tag } => {
            let digest = "sha256:proposed".to_owned();
            let detail = ImageDetail {
                repository_name: repository.clone(),
                image_digest: digest.clone(),
                image_tags: Some(vec![tag.clone()]),
                ..ImageDetail::default()
            };
            world.images.insert((repository.clone(), digest), detail, proposed());
        }
        Change::RebuildImage { runtime } => {
            let group_prefix = world.runtimes.seen(runtime)?.value.log_group("");
            let groups: Vec<String> = world
                .log_events
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|n| n.starts_with(&group_prefix))
                .collect();
            for group in groups {
                world.log_events.remove(&group);
            }
            world.rehearsals.clear();
            world.inspections.clear();
            world.manifests = launchpath_model::Table::default();
            world.image_configs = launchpath_model::Table::default();
        }
        Change::EndpointPolicy { endpoint, document } => {
            let row = world.network.vpc_endpoints.seen_mut(endpoint)?;
            row.value.policy_document = Some(document.clone());
        }
        Change::RequireMmdsv2 { runtime } => {
            let row = world.runtimes.seen_mut(runtime)?;
            row.value.metadata_configuration = Some(MetadataConfiguration { require_mmdsv2: Some(true) });
        }
    }
    Some(())
}

/// After a repair the next launch starts afresh: the failures on record were of the old one.
fn forget_failures(world: &mut World) {
    use launchpath_model::aws::agentcore::RuntimeStatus;
    world.invocations.retain(|call| call.outcome == Outcome::Ok);
    world.statements.clear();
    let failed: Vec<RuntimeId> = world
        .runtimes
        .iter()
        .filter(|(_, row)| {
            matches!(row.value.status, Some(RuntimeStatus::CreateFailed | RuntimeStatus::UpdateFailed))
        })
        .map(|(id, _)| id.clone())
        .collect();
    for id in failed {
        if let Some(row) = world.runtimes.seen_mut(&id) {
            row.value.status = Some(RuntimeStatus::Creating);
            row.value.failure_reason = None;
        }
    }
    let old: Vec<String> =
        world.trail.iter().filter(|(_, row)| !row.value.succeeded()).map(|(id, _)| id.clone()).collect();
    for id in old {
        world.trail.remove(&id);
    }
}
