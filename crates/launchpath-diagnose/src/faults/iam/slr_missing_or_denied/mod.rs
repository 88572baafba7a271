//! `iam.slr_missing_or_denied`: the network service-linked role is missing, cannot be created, or is refused.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html>
//!
//! Three ways to find it, from direct to circumstantial: a call of the role that EC2 refused, the service's or CloudTrail's word
//! that the role could not be created, an account without the role.

use launchpath_model::aws::role::Role;
use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::{Fact, Gap, GapReason, Known, Row};

use crate::case::{Case, Mode};
use crate::chain::{Failure, Stage, Strength};
use crate::denial_message::Denial;
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

/// The role every first runtime of an account needs, in PUBLIC mode as well.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/service-linked-roles.html>
const IDENTITY_ROLE: &str = "AWSServiceRoleForBedrockAgentCoreRuntimeIdentity";

/// The service that assumes the network role.
const NETWORK_PRINCIPAL: &str = "network.bedrock-agentcore.amazonaws.com";

fn check(context: &Context) -> Check {
    let case = context.case;
    let role = case.role(NETWORK_ROLE);
    let named = context.progress.all_failures().find(|f| f.fault == Some(FAULT.code) && !f.reported);
    if let Some(failure) = named {
        // A refusal that blames a control policy or a boundary is that fault: the role that was refused is there.
        let blamed = Denial::read(&failure.text).and_then(|denial| denial.policy);
        if let Some(policy) =
            blamed.filter(|policy| policy.is_guardrail() && failure.stage == Stage::EniDryRun)
        {
            let text = format!("the role acts, and what refused it is a {}", policy.words());
            return Check::ruled_out(text, failure.evidence.clone());
        }
        return Check::found(said(context, failure, &role));
    }
    if case.vpc_config().is_none() {
        return Check::NotApplicable("only in VPC mode");
    }
    let acted = context.progress.traces.values().flatten().find(|trace| {
        trace.strength == Strength::Direct && matches!(trace.stage, Stage::EniDryRun | Stage::NetworkAttach)
    });
    if let Some(acted) = acted {
        let mut evidence = acted.evidence.clone();
        evidence.extend(role.evidence().to_vec());
        return Check::ruled_out(format!("the role did its work: {}", acted.text), evidence);
    }
    match role {
        Known::Known(fact) if fact.value.create_date.is_some_and(|made| Some(made) > case.changed_at()) => {
            Check::unknown(Gap {
                what: "whether the role was there when the service needed it".to_owned(),
                reason: GapReason::NotVisible {
                    why: "it was created after the runtime was last changed: a new attempt passes".to_owned(),
                },
                evidence: fact.evidence,
                command: None,
            })
        }
        Known::Known(fact) => {
            Check::ruled_out("the role exists, and its policy is AWS's: it cannot be edited", fact.evidence)
        }
        Known::Unknown(gap) => Check::unknown(gap),
        Known::Absent(absence) => {
            let text = "the account has no network service-linked role; it is made at the first VPC configuration, with the \
                        caller's rights";
            let mut lines = vec![because(text, absence.evidence(), 8.0)];
            let mut certainty = Certainty::Circumstantial;
            if let Some(refused) = creation_refused(case) {
                let event = &refused.value;
                let code = event.error_code.as_deref().unwrap_or_default();
                let message = event.error_message.as_deref().unwrap_or_default();
                if let Some(policy) = Denial::read(message).and_then(|denial| denial.policy)
                    && policy.is_guardrail()
                {
                    let text = format!("the refused creation of the role blames a {}", policy.words());
                    return Check::ruled_out(text, refused.evidence.clone());
                }
                let text =
                    format!("CreateServiceLinkedRole for {NETWORK_PRINCIPAL} failed: {code}: {message}");
                lines.push(because(text, &refused.evidence, DIRECT));
                certainty = Certainty::Proven;
            }
            let finding = Finding::new(certainty, vec![NETWORK_ROLE.to_owned()], lines);
            Check::found(finding.map(|finding| finding.with_repair(create())))
        }
    }
}

/// The service, or EC2, says so itself. The creation text names no role: in PUBLIC mode it is the other role of a first runtime, in
/// VPC mode the network role unless that is there.
fn said(context: &Context, failure: &Failure, role: &Known<&Role>) -> Option<Finding> {
    let case = context.case;
    let mut lines = vec![because(failure.text.clone(), &failure.evidence, DIRECT)];
    let network = vec![NETWORK_ROLE.to_owned()];
    if failure.stage == Stage::EniDryRun {
        // The role is there and was refused: nothing about its creation would change that.
        return Finding::new(Certainty::Proven, network, lines).map(|finding| finding.at(failure.stage));
    }
    let stage = broken(context, failure.stage);
    if case.combination.mode == Some(Mode::Public) {
        let identity = vec![IDENTITY_ROLE.to_owned()];
        return Finding::new(Certainty::Proven, identity, lines).map(|finding| finding.at(stage));
    }
    if let Known::Known(Fact { evidence, .. }) = role {
        let text = format!(
            "{NETWORK_ROLE} exists now: it was made since, and a new attempt passes, or {IDENTITY_ROLE} is meant"
        );
        lines.push(because(text, evidence, 1.0));
        let subjects = vec![IDENTITY_ROLE.to_owned(), NETWORK_ROLE.to_owned()];
        return Finding::new(Certainty::Proven, subjects, lines).map(|finding| finding.at(stage));
    }
    let finding = Finding::new(Certainty::Proven, network, lines);
    finding.map(|finding| finding.at(stage).with_repair(create()))
}

/// The stage that failed: the request itself, or, once that was accepted, what came after it.
fn broken(context: &Context, named: Stage) -> Stage {
    let progress = context.progress;
    if progress.trace_at_or_beyond(named).is_none() {
        return named;
    }
    if progress.position(FAULT.stage).is_some() { FAULT.stage } else { Stage::Ready }
}

/// A refused creation of the role on record. IAM's events are written in the partition's global Region.
pub(super) fn creation_refused<'a>(case: &Case<'a>) -> Option<&'a Row<TrailEvent>> {
    let refused = |event: &TrailEvent| {
        !event.succeeded()
            && event.event_time >= case.created_at()
            && ["aWSServiceName", "awsServiceName"]
                .iter()
                .any(|name| event.request_text(name) == Some(NETWORK_PRINCIPAL))
    };
    case.trail("CreateServiceLinkedRole", refused).rows.into_iter().next_back()
}

fn create() -> Repair {
    Repair::new(
        "Create the service-linked role once, with an identity that may",
        Safety::Safe,
        vec![Change::NetworkServiceLinkedRole],
    )
}
