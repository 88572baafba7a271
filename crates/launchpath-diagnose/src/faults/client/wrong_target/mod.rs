//! `client.wrong_target`: the caller invokes something else than the runtime that is meant.

use launchpath_model::world::{DEFAULT_ENDPOINT, Invocation};
use launchpath_model::{Arn, Gap, GapReason, Known, Outcome};

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "client.wrong_target",
    title: "The call goes to another runtime, endpoint or Region",
    stage: Stage::InvokeAdmission,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "ListAgentRuntimeEndpoints", "InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some(finding) = endpoint_is_not_there(case) {
        return Check::found(Some(finding));
    }
    if let Some(call) = case.latest_invocation() {
        // Whoever was let in named something that is there; whoever was not may have named nothing.
        let let_in = call.outcome == Outcome::Ok
            || context.progress.trace_at_or_beyond(Stage::InvokeAdmission).is_some();
        if let Known::Unknown(gap) = case.known_endpoint(&call.qualifier)
            && !let_in
            && call.qualifier != DEFAULT_ENDPOINT
        {
            return Check::unknown(gap);
        }
        match (named_elsewhere(case, call), &call.runtime) {
            (Some(finding), _) if !let_in => return Check::found(Some(finding)),
            (None, Some(_)) => {
                let text = format!("the last call names this runtime and its endpoint {}", call.qualifier);
                return Check::ruled_out(text, vec![call.evidence.clone()]);
            }
            _ if let_in => {
                return Check::ruled_out("the last call was let in", vec![call.evidence.clone()]);
            }
            _ => {}
        }
        return Check::unknown(Gap {
            what: "which runtime the failing call names".to_owned(),
            reason: GapReason::NotVisible { why: "its record does not say".to_owned() },
            evidence: vec![call.evidence.clone()],
            command: None,
        });
    }
    if let Some(finding) = another_runtime(case) {
        return Check::found(Some(finding));
    }
    Check::unknown(Gap {
        what: "which runtime and endpoint the failing call names".to_owned(),
        reason: GapReason::NotAsked,
        evidence: Vec::new(),
        command: None,
    })
}

/// A failing call of an endpoint that a valid look-up does not have.
fn endpoint_is_not_there(case: &Case) -> Option<Finding> {
    case.id.as_ref()?;
    let call = case.latest_invocation().filter(|call| call.outcome != Outcome::Ok)?;
    let Known::Absent(absence) = case.known_endpoint(&call.qualifier) else { return None };
    let text = format!("the runtime has no endpoint {}, which the call names", call.qualifier);
    let mut evidence = absence.evidence().to_vec();
    evidence.push(call.evidence.clone());
    let finding = Finding::new(
        Certainty::Proven,
        trial::runtime_subject(case),
        vec![because(text, &evidence, DIRECT)],
    )?;
    Some(finding.with_repair(aim(case)))
}

/// A call that names a runtime of the same id in another account or Region.
fn named_elsewhere(case: &Case, call: &Invocation) -> Option<Finding> {
    let own: Arn = case.runtime()?.agent_runtime_arn.as_ref()?.parse().ok()?;
    let named: Arn = call.runtime.as_deref()?.parse().ok()?;
    if (&named.partition, &named.region, &named.account) == (&own.partition, &own.region, &own.account) {
        return None;
    }
    let mut evidence = case.runtime_evidence();
    evidence.push(call.evidence.clone());
    let text = format!("the failing call names {named}, and the runtime is {own}");
    let lines = vec![because(text, &evidence, 20.0)];
    let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(case), lines)?;
    Some(finding.with_repair(aim(case)))
}

/// Calls are on record, and all of them name another runtime.
fn another_runtime(case: &Case) -> Option<Finding> {
    let id = case.id.as_ref()?;
    let failed = |call: &&Invocation| call.outcome != Outcome::Ok;
    let call = case.world.invocations.iter().rfind(failed)?;
    let named = call.runtime.as_deref()?;
    let other = named.rsplit('/').next() != Some(id.as_str());
    let text = if other {
        format!("the failing call names {named}, not {id}")
    } else {
        format!("the failing call names the endpoint {}, not {}", call.qualifier, case.endpoint)
    };
    let lines = vec![because(text, std::slice::from_ref(&call.evidence), 20.0)];
    let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(case), lines)?;
    Some(finding.with_repair(aim(case)))
}

fn aim(case: &Case) -> Repair {
    let arn = case
        .runtime()
        .and_then(|runtime| runtime.agent_runtime_arn.clone())
        .unwrap_or_else(|| "ARN".to_owned());
    let mut repair = Repair::new(
        "Call the runtime and endpoint that are meant, in their Region",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec![format!(
        "aws bedrock-agentcore invoke-agent-runtime --agent-runtime-arn {arn} --qualifier DEFAULT --payload '{{}}' out.json"
    )];
    repair
}
