//! `iam.caller_cannot_invoke`: the caller may not invoke the runtime or its endpoint.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/resource-based-policies.html>

use launchpath_model::world::Invocation;
use launchpath_model::{Gap, GapReason, Outcome};

use crate::chain::Stage;
use crate::denial_message::{Denial, PolicyKind};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.caller_cannot_invoke",
    title: "The caller may not invoke the runtime or its endpoint",
    stage: Stage::InvokeAdmission,
    since: "0.1.0",
    prior: 0.5,
    needs: &["InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

/// The action and its variants (`…ForUser`, `…WithWebSocketStream`).
const ACTION: &str = "bedrock-agentcore:InvokeAgentRuntime";

fn check(context: &Context) -> Check {
    let Some(call) = context.case.latest_invocation().filter(|call| is_refused(call)) else {
        return Check::NotApplicable("the latest invocation was not refused as unauthorized");
    };
    let evidence = vec![call.evidence.clone()];
    let message = call.error.clone().unwrap_or_default().message;
    let denial = Denial::read(&message).unwrap_or_default();
    let Some(action) = &denial.action else {
        return Check::unknown(Gap {
            what: "which action the caller was refused, and by which policy".to_owned(),
            reason: GapReason::NotVisible { why: format!("the refusal does not say: {message}") },
            evidence,
            command: None,
        });
    };
    if !action.starts_with(ACTION) {
        return Check::ruled_out(format!("the caller was refused {action}, not {ACTION}"), evidence);
    }
    if let Some(policy) = denial.policy.filter(|policy| policy.is_guardrail()) {
        let text =
            format!("the refusal names a {}, not the caller's or the runtime's own policy", policy.words());
        return Check::ruled_out(text, evidence);
    }
    let caller = denial.principal.clone().unwrap_or_else(|| "the caller".to_owned());
    let resource = denial.resource.clone().unwrap_or_default();
    let mut lines = vec![because(format!("{caller} may not {action}: {message}"), &evidence, DIRECT)];
    lines.push(because(which(&resource, denial.policy), &evidence, 1.0));
    let subjects = [caller, resource].into_iter().filter(|subject| !subject.is_empty()).collect();
    Check::found(Finding::new(Certainty::Proven, subjects, lines))
}

/// A refusal of IAM's: a token that a JWT authorizer refuses is `UnauthorizedException` or 401.
fn is_refused(call: &Invocation) -> bool {
    let Some(error) = call.error.as_ref().filter(|_| call.outcome != Outcome::Ok) else { return false };
    matches!(error.code.as_str(), "AccessDeniedException" | "AccessDenied")
}

/// Which of the two resources the refusal names, and where the permission is missing.
fn which(resource: &str, policy: Option<PolicyKind>) -> String {
    let named = if resource.contains("/runtime-endpoint/") {
        "the refusal names the endpoint, not the runtime"
    } else if resource.contains(":runtime/") {
        "the refusal names the runtime, not the endpoint"
    } else {
        "the refusal names neither runtime nor endpoint"
    };
    let place = match policy {
        Some(PolicyKind::Resource) => "; it is the resource's own policy that refuses",
        Some(PolicyKind::Identity) => "; it is the caller's own policy that refuses",
        _ => "",
    };
    format!("{named}: {ACTION} is needed on both, RUNTIME_ARN and RUNTIME_ARN/runtime-endpoint/NAME{place}")
}
