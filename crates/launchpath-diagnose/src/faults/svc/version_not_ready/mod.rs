//! `svc.version_not_ready`: an endpoint or a call comes before the version is READY.

use launchpath_model::{Known, service};

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, own_text, trial};
use crate::process_log::excerpt;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.version_not_ready",
    title: "The version that is called is not READY yet",
    stage: Stage::Ready,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "InvokeAgentRuntime", "LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        if let Some(finding) = endpoint_refused(context.case) {
            return Check::found(Some(finding));
        }
        return endpoint(context);
    };
    own_text::found(context, failure, mend())
}

/// The endpoint lags the runtime: one that is seen not to be READY fits a call that was not let in.
fn endpoint(context: &Context) -> Check {
    let case = context.case;
    if !case.is_ready() {
        return own_text::not_named(context);
    }
    let mut evidence = case.runtime_evidence();
    let Known::Known(endpoint) = case.known_endpoint(&case.endpoint) else {
        return Check::ruled_out("runtime status READY", evidence);
    };
    evidence.extend(endpoint.evidence);
    let status = endpoint.value.status.as_ref().map(ToString::to_string).unwrap_or_default();
    let failed = case.symptom().filter(|symptom| !symptom.reported);
    let Some(failed) = failed.filter(|_| !status.is_empty() && status != "READY") else {
        return Check::ruled_out("runtime status READY", evidence);
    };
    evidence.extend(failed.evidence);
    let text = format!("the endpoint {} is {status}, and the runtime is READY", case.endpoint);
    let lines = vec![because(text, &evidence, 8.0)];
    let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(case), lines);
    Check::found(finding.map(|finding| finding.at(Stage::InvokeAdmission).with_repair(mend())))
}

/// An endpoint was asked for while the version was being created; CloudTrail holds the refusal.
fn endpoint_refused(case: &Case) -> Option<Finding> {
    let id = case.id.as_ref()?.as_str();
    let refused = case.trail("CreateAgentRuntimeEndpoint", |event| {
        let text = event.error_message.as_deref().unwrap_or_default();
        let known = service::recognise_error(text).and_then(|known| known.fault.as_deref());
        event.request_text("agentRuntimeId") == Some(id) && known == Some(FAULT.code)
    });
    let row = refused.rows.last()?;
    let text = format!(
        "CreateAgentRuntimeEndpoint was refused: {}",
        excerpt(row.value.error_message.as_deref().unwrap_or_default())
    );
    let lines = vec![because(text, &row.evidence, DIRECT)];
    Some(Finding::new(Certainty::Proven, trial::runtime_subject(case), lines)?.with_repair(mend()))
}

fn mend() -> Repair {
    let mut repair =
        Repair::new("Wait until runtime and endpoint are READY, then call", Safety::Safe, Vec::new());
    repair.steps = vec![
        "# poll get-agent-runtime and get-agent-runtime-endpoint: the endpoint lags the runtime".to_owned(),
    ];
    repair
}
