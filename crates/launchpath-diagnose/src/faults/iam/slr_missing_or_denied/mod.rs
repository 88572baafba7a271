//! `iam.slr_missing_or_denied`: the network service-linked role is missing, cannot be created, or is refused.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html>

use launchpath_model::Known;

use crate::chain::{Stage, Strength};
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, NETWORK_ROLE, because};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.slr_missing_or_denied",
    title: "The network service-linked role is missing or refused",
    stage: Stage::VpcValidation,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "GetRole", "LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let create = || {
        Repair::new(
            "Create the service-linked role once, with an identity that may",
            Safety::Safe,
            vec![Change::NetworkServiceLinkedRole],
        )
    };
    let subjects = vec![NETWORK_ROLE.to_owned()];
    if let Some(failure) =
        context.progress.all_failures().find(|f| f.fault == Some(FAULT.code) && !f.reported)
    {
        let lines = vec![because(failure.text.clone(), &failure.evidence, DIRECT)];
        let finding = Finding::new(Certainty::Proven, subjects, lines);
        return Check::found(finding.map(|f| f.at(failure.stage).with_repair(create())));
    }
    if case.vpc_config().is_none() {
        return Check::NotApplicable("only in VPC mode");
    }
    let acted = context.progress.traces.values().flatten().find(|trace| {
        trace.strength == Strength::Direct && matches!(trace.stage, Stage::EniDryRun | Stage::NetworkAttach)
    });
    let role = case.role(NETWORK_ROLE);
    if let Some(acted) = acted {
        let mut evidence = acted.evidence.clone();
        evidence.extend(role.evidence().to_vec());
        return Check::ruled_out(format!("the role did its work: {}", acted.text), evidence);
    }
    match role {
        Known::Known(fact) => {
            Check::ruled_out("the role exists, and its policy is AWS's: it cannot be edited", fact.evidence)
        }
        Known::Unknown(gap) => Check::unknown(gap),
        Known::Absent(absence) => {
            let lines = vec![because(
                "the account has no network service-linked role; it is made at the first VPC configuration, with the caller's rights",
                absence.evidence(),
                8.0,
            )];
            Check::found(
                Finding::new(Certainty::Circumstantial, subjects, lines).map(|f| f.with_repair(create())),
            )
        }
    }
}
