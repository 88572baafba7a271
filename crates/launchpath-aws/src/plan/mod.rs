//! What is asked, and after what: the plan of a collection as a graph of steps.
//!
//! A [`Step`] needs the answers of other steps and turns what is known so far into requests; it
//! never sends them ([`crate::collect`] does). One file per subject: `runtime`, `network`,
//! `identity`, `artifact`, `trace`. To add a call: a row in [`crate::operation::READ`], its wire
//! facts, and a step here.

mod artifact;
mod describe;
mod identity;
mod known;
mod network;
mod runtime;
mod trace;

pub use describe::{Plan, PlanStep, PlannedCall, plan};
pub(crate) use known::{Known, Subject, text, texts};

use serde_json::Value;

use crate::target::Target;

/// A group of calls that can go out as soon as what they need is known.
pub(crate) struct Step {
    /// Its name, which other steps need.
    pub(crate) name: &'static str,
    /// The steps that must have ended, with whatever outcome, before this one begins.
    pub(crate) needs: Vec<&'static str>,
    /// The operations it may ask.
    pub(crate) operations: &'static [(&'static str, &'static str)],
    /// When it asks at all; empty when always.
    pub(crate) when: &'static str,
    /// The requests, from what is known.
    pub(crate) asks: fn(&Known) -> Vec<Planned>,
}

/// A request to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    /// `None`: the Region that is collected.
    pub(crate) region: Option<String>,
    pub(crate) request: Value,
    pub(crate) max_pages: usize,
    pub(crate) max_items: usize,
}

impl Planned {
    /// A request in the collected Region, with as many pages as there are (within reason).
    pub(crate) fn new(service: &'static str, operation: &'static str, request: Value) -> Self {
        Self { service, operation, region: None, request, max_pages: 50, max_items: 10_000 }
    }

    fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    fn at_most(mut self, pages: usize, items: usize) -> Self {
        self.max_pages = pages;
        self.max_items = items;
        self
    }
}

/// Every step, in the order of the bundle. A step stands after those it needs.
pub(crate) fn steps(targets: &[Target]) -> Vec<Step> {
    let by_name = targets.iter().any(|target| target.id.is_none());
    let mut steps = runtime::steps(by_name);
    steps.extend(network::steps());
    steps.extend(identity::steps());
    steps.extend(artifact::steps());
    steps.extend(trace::steps(by_name));
    steps
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::operation;

    #[test]
    fn a_step_needs_only_earlier_steps_and_asks_only_what_the_table_has() {
        for name in ["agent", "agent-7XCALx4Xuw"] {
            let mut seen = BTreeSet::new();
            for step in steps(&[Target::parse(name).unwrap()]) {
                for need in &step.needs {
                    assert!(seen.contains(need), "{} needs {need}", step.name);
                }
                for (service, operation) in step.operations {
                    let ours = *service == "launchpath";
                    assert!(ours || operation::find(service, operation).is_some(), "{operation}");
                }
                assert!(seen.insert(step.name), "{} twice", step.name);
            }
        }
    }

    #[test]
    fn every_operation_of_the_table_is_in_a_step() {
        let steps = steps(&[Target::parse("agent").unwrap()]);
        let asked: BTreeSet<_> = steps.iter().flat_map(|step| step.operations).copied().collect();
        for row in operation::READ {
            assert!(asked.contains(&(row.service, row.name)), "{} is never asked", row.name);
        }
    }
}
