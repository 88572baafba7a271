//! Theories people hold about such failures that are no fault kinds, refuted where the evidence refutes them.
//!
//! They cost the author of the founding report a day. Each is shown only while a launch fails, or somebody says it, and only with a
//! direct record.

use crate::case::{Case, Mode};
use crate::chain::{Progress, Stage, Strength, Trace};
use crate::diagnosis::RuledOut;

/// Beliefs that this input refutes.
pub(crate) fn refuted(case: &Case, progress: &Progress) -> Vec<RuledOut> {
    in_vpc(case).into_iter().chain(of_the_interface(case, progress)).collect()
}

/// Somebody speaks of the runtime's VPC, and it has none.
fn in_vpc(case: &Case) -> Option<RuledOut> {
    if case.combination.mode != Some(Mode::Public) {
        return None;
    }
    let speaks = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.eq_ignore_ascii_case("vpc"))
    };
    let said = case.world.statements.iter().find(|said| speaks(&said.text))?;
    let mut evidence = case.runtime_evidence();
    evidence.push(said.evidence.clone());
    Some(RuledOut {
        fault: "belief.runtime_in_vpc".to_owned(),
        title: "The runtime is in VPC mode".to_owned(),
        because: "the service holds it in PUBLIC mode, without subnets or groups of a VPC; a statement speaks of one".to_owned(),
        evidence,
    })
}

fn of_the_interface(case: &Case, progress: &Progress) -> Vec<RuledOut> {
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
