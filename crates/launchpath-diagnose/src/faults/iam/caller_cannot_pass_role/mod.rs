//! `iam.caller_cannot_pass_role`: the caller may not pass the execution role to the service.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>

use launchpath_model::{Gap, GapReason, service};
use serde_json::json;

use crate::chain::{Failure, Stage};
use crate::denial_message::Denial;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.caller_cannot_pass_role",
    title: "The caller may not pass the execution role to the service",
    stage: Stage::CallerAuthorization,
    since: "0.1.0",
    prior: 0.5,
    needs: &["LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let all: Vec<&Failure> = context.progress.all_failures().filter(|failure| is_meant(failure)).collect();
    let Some(failure) = all.iter().find(|failure| !failure.reported) else {
        let Some(reported) = all.first() else {
            return Check::NotApplicable("no refusal to pass a role on record");
        };
        let names = json!([{ "AttributeKey": "EventName", "AttributeValue": "CreateAgentRuntime" }]);
        return Check::unknown(Gap {
            what: "the refused creation".to_owned(),
            reason: GapReason::NotVisible { why: "it is told, and no record of it was seen".to_owned() },
            evidence: reported.evidence.clone(),
            command: Some(context.case.command(
                "cloudtrail",
                "LookupEvents",
                &json!({ "LookupAttributes": names }),
            )),
        });
    };
    let denial = Denial::read(&failure.text).unwrap_or_default();
    if let Some(policy) = denial.policy.filter(|policy| policy.is_guardrail()) {
        let text =
            format!("the refusal to pass the role names a {}, not the caller's own policy", policy.words());
        return Check::ruled_out(text, failure.evidence.clone());
    }
    let caller = denial.principal.unwrap_or_else(|| "the caller".to_owned());
    let role = denial.resource.unwrap_or_else(|| "the execution role".to_owned());
    let text = format!("{caller} may not pass {role}: {}", failure.text);
    let lines = vec![because(text, &failure.evidence, DIRECT)];
    Check::found(Finding::new(Certainty::Proven, vec![caller, role], lines))
}

fn is_meant(failure: &Failure) -> bool {
    service::recognise_error(&failure.text).is_some_and(|known| known.id == "pass_role_denied")
}
