//! A runtime's ways to what it needs: every need from every subnet, shared where the answer must be the same.

use launchpath_model::ids::{SecurityGroupId, SubnetId};

use crate::answer::{Answer, Verdict};
use crate::needs::Need;
use crate::question::Source;
use crate::reach::Engine;

/// One need, from every subnet of the runtime.
#[derive(Clone, Debug)]
pub struct NeedPaths {
    /// The need.
    pub need: Need,
    /// The answer per subnet, in the runtime's order.
    pub by_subnet: Vec<(SubnetId, Answer)>,
}

impl NeedPaths {
    /// The verdict over all subnets: the service chooses the subnet.
    pub fn verdict(&self) -> Verdict {
        let verdicts = || self.by_subnet.iter().map(|(_, answer)| answer.verdict);
        if self.by_subnet.is_empty() {
            return Verdict::Unknown;
        }
        if verdicts().all(|v| v == Verdict::All) {
            return Verdict::All;
        }
        if verdicts().all(|v| v == Verdict::None) {
            return Verdict::None;
        }
        if verdicts().any(|v| v == Verdict::Unknown) {
            return Verdict::Unknown;
        }
        Verdict::Part
    }

    /// Whether the decided answers differ between subnets: then launches fail now and then.
    pub fn intermittent(&self) -> bool {
        let decided = || self.by_subnet.iter().map(|(_, a)| a.verdict).filter(|v| *v != Verdict::Unknown);
        let first = decided().next();
        decided().any(|verdict| Some(verdict) != first)
    }
}

/// The answer for each need from each subnet of a runtime.
///
/// Needs without a fixed name (mount targets) are left out: ask [`Engine::reach`] with their addresses.
pub fn runtime_paths(
    engine: &Engine<'_>,
    subnets: &[SubnetId],
    security_groups: &[SecurityGroupId],
    needs: &[Need],
) -> Vec<NeedPaths> {
    let named = needs.iter().filter(|need| !need.name.is_empty());
    named
        .map(|need| {
            let by_subnet = subnets
                .iter()
                .map(|subnet| {
                    let source = Source::runtime(subnet.clone(), security_groups.to_vec());
                    (subnet.clone(), engine.reach(&source, &need.destination(), &need.flow()))
                })
                .collect();
            NeedPaths { need: need.clone(), by_subnet }
        })
        .collect()
}
