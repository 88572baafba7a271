//! A world of many runtimes as many worlds of one: each with the calls about it and those about nobody in particular.
//!
//! A call is about a runtime when its request names something that is the runtime's own: its id or ARN, its role, its repository, its
//! log group. What several share belongs to each of them. Nothing is judged here; start with [`World::per_runtime`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::World;
use crate::aws::agentcore::Runtime;
use crate::aws::image::ImageUri;
use crate::aws::trail::TrailEvent;
use crate::evidence::{Evidence, EvidenceId};
use crate::ids::RuntimeId;

/// Where the service writes what a runtime prints.
const LOG_GROUPS: &str = "/aws/bedrock-agentcore/runtimes/";

/// The numbers of the runtimes that calls and names are about.
pub(crate) struct Owners {
    calls: BTreeMap<EvidenceId, Vec<usize>>,
    names: BTreeMap<String, Vec<usize>>,
}

impl Owners {
    /// Empty for a call that is about none in particular.
    pub(crate) fn of(&self, id: &EvidenceId) -> &[usize] {
        self.calls.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whom an event of the trail names.
    fn of_event(&self, event: &TrailEvent) -> &[usize] {
        [&event.request_parameters, &event.response_elements]
            .into_iter()
            .flatten()
            .find_map(|members| named(&self.names, members))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Gives what a call brought to those whom it is about, or to all.
    fn give<T>(&self, id: &EvidenceId, parts: &mut [T], mut give: impl FnMut(&mut T)) {
        match self.of(id) {
            [] => parts.iter_mut().for_each(give),
            owned => {
                for part in owned {
                    give(&mut parts[*part]);
                }
            }
        }
    }
}

impl World {
    /// One world for each runtime described, in the order of their ids, each with that runtime as its subject.
    pub fn per_runtime(&self) -> Vec<Self> {
        let ids: Vec<RuntimeId> = self.runtimes.iter().map(|(id, _)| id.clone()).collect();
        let owners = self.owners();
        // Without what is dealt out call by call below.
        let common = Self { evidence: Arc::default(), invocations: Vec::new(), ..self.clone() };
        let mut parts: Vec<Self> = ids
            .iter()
            .map(|id| {
                let mut world = common.clone();
                world.subject.runtime = Some(id.to_string());
                world
            })
            .collect();
        macro_rules! part {
            ($($table:ident),*) => {$(
                for (world, table) in parts.iter_mut().zip(self.$table.parted(ids.len(), &owners, |_| &[])) {
                    world.$table = table;
                }
            )*};
        }
        part!(
            runtimes,
            runtime_list,
            runtime_versions,
            refused_runtimes,
            runtime_endpoints,
            images,
            manifests,
            image_configs,
            repositories,
            repository_policies,
            code_objects,
            roles,
            inline_policy_names,
            inline_policies,
            attached_policies,
            managed_policies,
            policy_versions,
            log_groups,
            log_streams,
            log_events,
            metrics,
            key_policies
        );
        let events = self.trail.parted(ids.len(), &owners, |event| owners.of_event(event));
        for (world, events) in parts.iter_mut().zip(events) {
            world.trail = events;
        }
        let mut evidence = vec![Vec::new(); ids.len()];
        for (id, call) in self.evidence.iter() {
            owners.give(id, &mut evidence, |part| part.push((id.clone(), Arc::clone(call))));
        }
        let mut invocations = vec![Vec::new(); ids.len()];
        for call in &self.invocations {
            owners.give(&call.evidence, &mut invocations, |part| part.push(call.clone()));
        }
        for ((world, evidence), invocations) in parts.iter_mut().zip(evidence).zip(invocations) {
            world.evidence = Arc::new(evidence.into_iter().collect());
            world.invocations = invocations;
        }
        parts
    }

    fn owners(&self) -> Owners {
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, (id, row)) in self.runtimes.iter().enumerate() {
            for name in own_names(id, &row.value) {
                names.entry(name).or_default().push(number);
            }
        }
        let about = |call: &Evidence| named(&names, call.request.as_ref()?).cloned();
        let calls = self.evidence.iter().filter_map(|(id, call)| Some((id.clone(), about(call)?))).collect();
        Owners { calls, names }
    }
}

/// Those whom a member of a request names.
fn named<'a>(names: &'a BTreeMap<String, Vec<usize>>, request: &Value) -> Option<&'a Vec<usize>> {
    let owners = |value: &Value| match value.as_str()?.strip_prefix(LOG_GROUPS) {
        Some(group) => by_group(names, group),
        None => names.get(value.as_str()?),
    };
    request.as_object()?.values().find_map(owners)
}

/// What is a runtime's own, by the names that requests use.
fn own_names(id: &RuntimeId, runtime: &Runtime) -> Vec<String> {
    let role = runtime.role_arn.as_ref().and_then(|arn| arn.rsplit('/').next());
    let repository =
        runtime.container_uri().and_then(|uri| uri.parse::<ImageUri>().ok()).map(|uri| uri.repository);
    let names = [
        Some(id.to_string()),
        runtime.agent_runtime_name.clone(),
        runtime.agent_runtime_arn.clone(),
        role.map(str::to_owned),
        runtime.role_arn.clone(),
        repository,
    ];
    let names: BTreeSet<String> = names.into_iter().flatten().collect();
    names.into_iter().collect()
}

/// A group is named after the runtime's id and an endpoint; a prefix may be shorter.
fn by_group<'a>(names: &'a BTreeMap<String, Vec<usize>>, group: &str) -> Option<&'a Vec<usize>> {
    let mut name = group;
    loop {
        if let Some(owners) = names.get(name) {
            return Some(owners);
        }
        name = name.rsplit_once('-')?.0;
    }
}
