//! `request.invalid`: a request that no service would accept, or that the caller's library does not know.

use launchpath_model::{Outcome, service};

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, own_text, trial};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "request.invalid",
    title: "The request is malformed",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 1.0,
    needs: &["CreateAgentRuntime", "InvokeAgentRuntime", "LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        if let Some(finding) = refused(context) {
            return Check::found(Some(finding));
        }
        if context.case.symptom().is_some_and(|symptom| !symptom.reported) {
            return own_text::not_named(context);
        }
        return own_text::accepted(context);
    };
    // The request of a runtime that is there was one to call it.
    let there = context.progress.trace_at_or_beyond(failure.stage).is_some();
    let stage = if there { Stage::InvokeAdmission } else { failure.stage };
    own_text::found_at(stage, context, failure, mend())
}

fn mend() -> Repair {
    let mut repair =
        Repair::new("Correct the request, or upgrade the library that sends it", Safety::Safe, Vec::new());
    repair.steps = vec![
        "# the text names the member; boto3 1.39.8 knows the service, later ones its VPC members".to_owned(),
    ];
    repair
}

/// A call that was refused as invalid, with a text that is not one of the table.
fn refused(context: &Context) -> Option<Finding> {
    let call = context.case.latest_invocation().filter(|call| call.outcome != Outcome::Ok)?;
    let error = call.error.as_ref().filter(|error| error.code == "ValidationException")?;
    let evidence = std::slice::from_ref(&call.evidence);
    let (shortest, _) = service::limit("session_id_min_length");
    let length = call.session.as_ref().and_then(|id| i64::try_from(id.chars().count()).ok());
    let (certainty, line) = match length.filter(|length| *length < shortest) {
        Some(length) => {
            let text =
                format!("the session id has {length} characters; the service takes {shortest} or more");
            (Certainty::Proven, because(text, evidence, DIRECT))
        }
        None if service::recognise_error(&error.message).is_some() => return None,
        None => {
            let text = format!(
                "the service refuses the request as invalid: {}",
                process_log::excerpt(&error.message)
            );
            (Certainty::Circumstantial, because(text, evidence, 20.0))
        }
    };
    let finding = Finding::new(certainty, trial::runtime_subject(context.case), vec![line])?;
    Some(finding.at(Stage::InvokeAdmission).with_repair(mend()))
}
