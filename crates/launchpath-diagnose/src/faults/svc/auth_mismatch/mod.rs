//! `svc.auth_mismatch`: SigV4 and JWT, or the claims of a token, do not match the runtime's authorizer.

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, own_text, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.auth_mismatch",
    title: "The caller signs in another way than the runtime's authorizer asks for",
    stage: Stage::InvokeAdmission,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        if let Some(finding) = refused(context) {
            return Check::found(Some(finding));
        }
        return own_text::not_named(context);
    };
    own_text::found(context, failure, mend())
}

fn mend() -> Repair {
    let mut repair = Repair::new(
        "Call with what the runtime's authorizer asks for: a token of its issuer, or SigV4",
        Safety::Review,
        Vec::new(),
    );
    repair.steps = vec![
        "# authorizerConfiguration of get-agent-runtime names the issuer, audience and clients".to_owned(),
    ];
    repair
}

/// A call refused without an IAM action in its text, by a runtime that takes tokens.
fn refused(context: &Context) -> Option<Finding> {
    let call = context.case.latest_invocation()?;
    let error = call.error.as_ref().filter(|error| matches!(error.http, Some(401 | 403)))?;
    context.case.runtime()?.authorizer_configuration.as_ref()?;
    if error.message.contains("bedrock-agentcore:") {
        return None;
    }
    let mut evidence = context.case.runtime_evidence();
    evidence.push(call.evidence.clone());
    let text = "the runtime takes tokens of its authorizer only, and the call was refused without naming a permission";
    let finding = Finding::new(
        Certainty::Circumstantial,
        trial::runtime_subject(context.case),
        vec![because(text, &evidence, 10.0)],
    )?;
    Some(finding.with_repair(mend()))
}
