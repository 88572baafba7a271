//! The plan for human eyes: what `--dry-run` prints.

use std::collections::{BTreeMap, BTreeSet};

use super::{Step, steps};
use crate::operation::{self, INVOKE, Operation};
use crate::settings::{CollectError, Request};
use crate::target::Target;

/// What a collection would ask, without asking anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps, in the order of the bundle.
    pub steps: Vec<PlanStep>,
}

/// A group of calls that go out together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// Its name.
    pub name: &'static str,
    /// The longest chain of steps before it: steps of one wave go out at the same time.
    pub wave: usize,
    /// The steps whose answers it needs.
    pub needs: Vec<&'static str>,
    /// The condition for asking at all; empty when it always asks.
    pub when: &'static str,
    /// The operations.
    pub calls: Vec<PlannedCall>,
}

/// An operation with what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlannedCall {
    /// The AWS CLI's name of the service.
    pub service: &'static str,
    /// The API operation.
    pub operation: &'static str,
    /// The IAM actions it needs.
    pub actions: &'static [&'static str],
    /// What it is asked for.
    pub why: &'static str,
}

impl Plan {
    /// Every IAM action of the plan, sorted.
    pub fn actions(&self) -> Vec<&'static str> {
        let calls = self.steps.iter().flat_map(|step| &step.calls);
        let actions: BTreeSet<_> = calls.flat_map(|call| call.actions).copied().collect();
        actions.into_iter().collect()
    }

    /// Every operation of the plan, sorted.
    pub fn operations(&self) -> Vec<(&'static str, &'static str)> {
        let calls = self.steps.iter().flat_map(|step| &step.calls);
        let found: BTreeSet<_> = calls.map(|call| (call.service, call.operation)).collect();
        found.into_iter().collect()
    }
}

/// The plan of a request. Nothing is sent.
pub fn plan(request: &Request) -> Result<Plan, CollectError> {
    let mut targets = vec![Target::parse(&request.runtime)?];
    if let Some(against) = &request.against {
        targets.push(Target::parse(against)?);
    }
    let steps = steps(&targets);
    let mut waves: BTreeMap<&str, usize> = BTreeMap::new();
    let mut described = Vec::new();
    for step in &steps {
        let wave = step.needs.iter().filter_map(|need| waves.get(need)).max().map_or(0, |wave| wave + 1);
        waves.insert(step.name, wave);
        described.push(describe(step, wave));
    }
    if request.invoke.is_some() {
        described.push(PlanStep {
            name: "test invocation",
            wave: 1,
            needs: vec!["runtimes"],
            when: "",
            calls: vec![call(&INVOKE)],
        });
    }
    Ok(Plan { steps: described })
}

fn describe(step: &Step, wave: usize) -> PlanStep {
    let rows = step.operations.iter().filter_map(|(service, name)| operation::find(service, name));
    PlanStep {
        name: step.name,
        wave,
        needs: step.needs.clone(),
        when: step.when,
        calls: rows.map(call).collect(),
    }
}

fn call(row: &Operation) -> PlannedCall {
    PlannedCall { service: row.service, operation: row.name, actions: row.actions, why: row.why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(runtime: &str) -> Request {
        Request { runtime: runtime.to_owned(), ..Request::default() }
    }

    #[test]
    fn an_id_saves_the_wave_that_looks_up_a_name() {
        let depth = |name: &str| plan(&request(name)).unwrap().steps.iter().map(|s| s.wave).max();
        assert_eq!(depth("agent").unwrap(), depth("agent-7XCALx4Xuw").unwrap() + 1);
    }

    #[test]
    fn an_invocation_is_planned_only_on_request() {
        let without = plan(&request("agent")).unwrap();
        assert!(!without.actions().contains(&"bedrock-agentcore:InvokeAgentRuntime"));
        let with = plan(&Request { invoke: Some(b"{}".to_vec()), ..request("agent") }).unwrap();
        assert!(with.actions().contains(&"bedrock-agentcore:InvokeAgentRuntime"));
    }
}
