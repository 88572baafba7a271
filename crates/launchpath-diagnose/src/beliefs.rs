//! Theories people hold about such failures that are no fault kinds, refuted where the evidence refutes them.
//!
//! They cost the author of the founding report a day. Each is shown only while a launch fails, and only with a direct record.

use crate::case::{Case, Mode};
use crate::chain::{Progress, Stage, Strength, Trace};
use crate::diagnosis::RuledOut;

/// Beliefs that this input refutes.
pub(crate) fn refuted(case: &Case, progress: &Progress) -> Vec<RuledOut> {
    if case.combination.mode != Some(Mode::Vpc) || progress.all_failures().next().is_none() {
        return Vec::new();
    }
    let direct = |trace: &&Trace| trace.strength == Strength::Direct;
    let Some(attached) = progress.traces.get(&Stage::NetworkAttach).and_then(|all| all.iter().find(direct))
    else {
        return Vec::new();
    };
    let mut evidence = attached.evidence.clone();
    evidence.extend(case.runtime_evidence());
    let belief = |fault: &str, title: &str, because: String| RuledOut {
        fault: fault.to_owned(),
        title: title.to_owned(),
        because,
        evidence: evidence.clone(),
    };
    let mut all = vec![
        belief(
            "belief.account_not_enabled",
            "The account is not enabled for VPC mode",
            format!("the service accepted VPC mode and made the network: {}", attached.text),
        ),
        belief(
            "belief.interface_never_created",
            "The service never created a network interface",
            format!("{} (AgentCore leaves the description empty: search by tag or subnet)", attached.text),
        ),
    ];
    if case.vpc_config().is_some_and(|config| config.subnets.len() == 1) {
        all.push(belief(
            "belief.single_subnet",
            "VPC mode needs more than one subnet",
            format!("the API takes one subnet, and this one got its interface: {}", attached.text),
        ));
    }
    all
}
