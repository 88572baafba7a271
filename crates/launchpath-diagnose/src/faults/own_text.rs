//! Faults that the service, or the caller's own library, names in a text of its own: shared by their checks.
//!
//! The text confirms the fault; a call that failed with another text speaks against it. The texts are data
//! (`launchpath-model/data/error_texts.json`).

use launchpath_model::{Gap, GapReason, Outcome};
use serde_json::json;

use super::{Certainty, Check, Context, DIRECT, Finding, because, trial};
use crate::chain::{Failure, Stage};
use crate::process_log::excerpt;
use crate::repair::Repair;

/// The failure whose text names the fault; what only a person reports does not count.
pub(super) fn named<'a>(context: &'a Context, code: &str) -> Option<&'a Failure> {
    context.progress.all_failures().find(|failure| failure.fault == Some(code) && !failure.reported)
}

/// The failure proves the fault, at the stage where it was met.
pub(super) fn found(context: &Context, failure: &Failure, repair: Repair) -> Check {
    found_at(failure.stage, context, failure, repair)
}

/// As [`found`], where the fault belongs to another stage than the failure.
pub(super) fn found_at(stage: Stage, context: &Context, failure: &Failure, repair: Repair) -> Check {
    let text = format!("the failure names it: {}", excerpt(&failure.text));
    let lines = vec![because(text, &failure.evidence, DIRECT)];
    let finding = Finding::new(Certainty::Proven, trial::runtime_subject(context.case), lines);
    Check::found(finding.map(|finding| finding.at(stage).with_repair(repair)))
}

/// No call that the input holds failed with the fault's text.
pub(super) fn not_named(context: &Context) -> Check {
    let case = context.case;
    if let Some(symptom) = case.symptom().filter(|symptom| !symptom.reported) {
        return Check::ruled_out(
            format!("the call failed with another text: {}", excerpt(&symptom.text)),
            symptom.evidence,
        );
    }
    if let Some(call) = case.latest_invocation().filter(|call| call.outcome == Outcome::Ok) {
        let Some((code, message)) = call.json_rpc_error() else {
            return Check::ruled_out("the last call was answered", vec![call.evidence.clone()]);
        };
        return Check::unknown(Gap {
            what: "whether the service or the server itself answered with an error".to_owned(),
            reason: GapReason::NotVisible {
                why: format!("the answer holds JSON-RPC error {code}: {}", excerpt(&message)),
            },
            evidence: vec![call.evidence.clone()],
            command: None,
        });
    }
    Check::unknown(Gap {
        what: "the text with which a call fails".to_owned(),
        reason: GapReason::NotAsked,
        evidence: Vec::new(),
        command: None,
    })
}

/// The latest call was answered with the JSON-RPC error by which the service tells the fault; a server may use the number, too.
pub(super) fn by_code(context: &Context, code: i64, means: &str, repair: Repair) -> Option<Check> {
    let call = context.case.latest_invocation()?;
    let (found, message) = call.json_rpc_error().filter(|(found, _)| *found == code)?;
    let text = format!("the answer is JSON-RPC error {found}, {means}: {}", excerpt(&message));
    let lines = vec![because(text, std::slice::from_ref(&call.evidence), 20.0)];
    let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(context.case), lines)?;
    Some(Check::found(Some(finding.with_repair(repair))))
}

/// A creation or an update was refused with another text.
pub(super) fn refused_otherwise(context: &Context) -> Option<Check> {
    let failure = context
        .progress
        .all_failures()
        .find(|failure| !failure.reported && failure.stage < Stage::Accepted)?;
    let text = format!("the request was refused with another text: {}", excerpt(&failure.text));
    Some(Check::ruled_out(text, failure.evidence.clone()))
}

/// As [`not_named`], for a text that a creation or an update fails with.
pub(super) fn accepted(context: &Context) -> Check {
    if let Some(refused) = refused_otherwise(context) {
        return refused;
    }
    if let Some(trace) = context.progress.traces.get(&Stage::Accepted).and_then(|all| all.first()) {
        return Check::ruled_out(trace.text.clone(), trace.evidence.clone());
    }
    Check::unknown(Gap {
        what: "how the service answered the creation".to_owned(),
        reason: GapReason::NotAsked,
        evidence: Vec::new(),
        command: Some(context.case.command(
            "cloudtrail",
            "LookupEvents",
            &json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "CreateAgentRuntime" }] }),
        )),
    })
}
