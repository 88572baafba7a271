//! Stages of the chain: their citations, and for the traces that have a checkable rule, that the rule holds.
//!
//! A rule says what a cited call must hold for the stage to be reached or failed. Start with [`check`], then [`reached`].

use std::borrow::Cow;

use serde_json::Value;

use crate::bundle::Bundle;
use crate::cause::Causes;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::{claim, list, text};

/// The role with which the service makes interfaces.
const NETWORK_ROLE: &str = "AWSServiceRoleForBedrockAgentCoreNetwork";

pub(crate) fn check(certificate: &Value, bundle: &Bundle, causes: &Causes, notes: &mut Notes) {
    let chain = list(certificate, "chain");
    let broken = &certificate["break"];
    let mut standings: Vec<Standing> = Vec::new();
    // From the end: a stage that follows from a later one needs that one's result.
    let mut results: Vec<(usize, Found)> = Vec::new();
    for (index, stage) in chain.iter().enumerate().rev() {
        let at = format!("/chain/{index}");
        let (_, all) = claim::check_all(certificate, stage, &at, bundle, notes);
        let found = if all {
            judge(certificate, bundle, causes, index, &standings)
        } else {
            fails("a citation does not hold")
        };
        standings.insert(0, found.0);
        results.push((index, found));
    }
    for (index, found) in results.into_iter().rev() {
        let stage = &chain[index];
        let name = text(stage, "stage");
        let what = format!("{name}: {} ({})", text(stage, "state"), text(stage, "note"));
        let ends = [&broken["last_reached"], &broken["first_unreached"]];
        let answer = name == "response" && text(stage, "state") == "reached";
        let at = format!("/chain/{index}");
        if answer || ends.iter().any(|end| end.as_str() == Some(name)) {
            notes.decisive(at, what, found);
        } else {
            notes.note(at, what, found);
        }
    }
}

/// `later`: the results of the stages after this one.
fn judge(certificate: &Value, bundle: &Bundle, causes: &Causes, index: usize, later: &[Standing]) -> Found {
    let chain = list(certificate, "chain");
    let stage = &chain[index];
    let state = text(stage, "state");
    match (state, text(&stage["follows"], "by")) {
        ("unknown" | "not_applicable", _) => not_checked("nothing is claimed"),
        ("reached", "later_stage") => {
            let reached = chain[index + 1..].iter().zip(later).find(|(after, standing)| {
                text(after, "state") == "reached"
                    && after["side"].as_bool() == Some(false)
                    && after["follows"].is_null()
                    && **standing != Standing::Fails
            });
            match reached {
                Some((after, Standing::Holds)) => {
                    holds(format!("{} comes after it and was reached", text(after, "stage")))
                }
                Some((after, _)) => not_checked(format!(
                    "{} comes after it; that it was reached was not re-checked",
                    text(after, "stage")
                )),
                None => fails("no later stage was reached"),
            }
        }
        ("not_reached", "break") => {
            let before = chain[..index].iter().any(|before| {
                before["side"].as_bool() == Some(false)
                    && matches!(text(before, "state"), "failed" | "not_reached")
            });
            if before { holds("an earlier stage was not reached") } else { fails("no earlier stage failed") }
        }
        ("failed", "cause") => {
            let fault = text(&stage["follows"], "fault");
            let all = list(certificate, "causes").iter().chain(list(certificate, "also_blocking"));
            let named =
                all.filter(|cause| text(cause, "fault") == fault && text(cause, "status") == "confirmed");
            let here = named.into_iter().any(|cause| text(cause, "stage") == text(stage, "stage"));
            match causes.get(fault) {
                _ if !here => fails(format!("no confirmed cause {fault} lies at this stage")),
                Some(Standing::Holds) => holds(format!("{fault} stops it")),
                Some(Standing::Fails) | None => fails(format!("{fault} does not hold")),
                Some(Standing::NotChecked) => {
                    not_checked(format!("{fault} stops it, and was not re-checked"))
                }
            }
        }
        (state, _) => {
            let calls: Vec<&Value> =
                list(stage, "evidence").iter().filter_map(|id| bundle.call(id.as_str()?)).collect();
            if calls.is_empty() {
                return fails("it rests on nothing");
            }
            let runtime = text(&certificate["runtime"], "id");
            let name = text(stage, "stage");
            let shown = calls.iter().find_map(|call| match state {
                "reached" => reached(name, call, runtime),
                "failed" => failed(name, call),
                _ => None,
            });
            match shown {
                Some(rule) => holds(rule),
                None => not_checked("its calls are there; no rule of this checker says what they prove"),
            }
        }
    }
}

/// The rule by which the call shows that the stage was reached.
fn reached(stage: &str, call: &Value, runtime: &str) -> Option<&'static str> {
    let operation = text(call, "operation");
    let ok = text(call, "outcome") == "ok";
    let response = &call["response"];
    let described = ok && !runtime.is_empty() && text(response, "agentRuntimeId") == runtime;
    match (stage, operation) {
        ("artifact_available", "DescribeImages") => {
            (ok && !list(response, "imageDetails").is_empty()).then_some("ecr describes the image")
        }
        ("artifact_available", "BatchGetImage") => {
            (ok && !list(response, "images").is_empty()).then_some("ecr gives the image's manifest")
        }
        ("artifact_available", "HeadObject") => ok.then_some("s3 has the object"),
        ("accepted", "GetAgentRuntime" | "CreateAgentRuntime") => described.then_some("the runtime exists"),
        ("ready", "GetAgentRuntime") => {
            (described && text(response, "status") == "READY").then_some("its status is READY")
        }
        ("ready", "ListAgentRuntimeEndpoints") => list(response, "runtimeEndpoints")
            .iter()
            .any(|endpoint| text(endpoint, "status") == "READY")
            .then_some("an endpoint's status is READY"),
        ("caller_authorization" | "request_validation" | "accepted", "LookupEvents") => events(call)
            .any(|event| made_runtime(&event))
            .then_some("CloudTrail has the call without an error"),
        ("eni_dry_run" | "vpc_validation", "LookupEvents") => events(call)
            .any(|event| by_network_role(&event) && text(&event, "errorCode").contains("DryRunOperation"))
            .then_some("CloudTrail has the service's dry run, which says that it would have succeeded"),
        ("network_attach", "LookupEvents") => events(call)
            .any(|event| by_network_role(&event) && event["errorCode"].is_null())
            .then_some("CloudTrail has the service's CreateNetworkInterface without an error"),
        ("network_attach", "DescribeNetworkInterfaces") => list(response, "NetworkInterfaces")
            .iter()
            .any(|interface| text(interface, "InterfaceType") == "agentic_ai")
            .then_some("an interface of the service's type is there"),
        ("response", "InvokeAgentRuntime") => ok.then_some("an invocation was answered"),
        ("invoke_admission", "InvokeAgentRuntime") => {
            let code = call.pointer("/error/code").and_then(Value::as_str);
            (ok || code == Some("RuntimeClientError")).then_some(
                "the service took the call: it failed with an error of the runtime, or was answered",
            )
        }
        ("process_start" | "log_delivery", "FilterLogEvents" | "GetLogEvents") => {
            (ok && !list(response, "events").is_empty()).then_some("the process's log holds lines")
        }
        ("process_start", "Rehearse") => {
            (response["passed"] == Value::Bool(true)).then_some("a rehearsal of the image passed")
        }
        _ => None,
    }
}

/// The rule by which the call shows that the stage failed.
fn failed(stage: &str, call: &Value) -> Option<&'static str> {
    let message = call.pointer("/error/message").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    match (stage, text(call, "operation")) {
        ("health" | "session_health", "InvokeAgentRuntime") => {
            message.contains("health check failed").then_some("the service says that the health check failed")
        }
        ("process_start" | "health", "Rehearse") => (call["response"]["passed"] == Value::Bool(false))
            .then_some("a rehearsal of the image did not pass"),
        ("invoke_admission", "InvokeAgentRuntime") => (text(call, "outcome") == "denied"
            || message.contains("not authorized"))
        .then_some("the call was refused"),
        ("accepted" | "request_validation", "CreateAgentRuntime") => {
            (text(call, "outcome") != "ok").then_some("the creation was refused")
        }
        (_, "GetAgentRuntime" | "ListAgentRuntimeEndpoints") => {
            call["response"].to_string().contains("_FAILED\"").then_some("its status is a failed one")
        }
        _ => None,
    }
}

/// CloudTrail's records in an answer.
fn events(call: &Value) -> impl Iterator<Item = Cow<'_, Value>> {
    list(&call["response"], "Events").iter().filter_map(|event| match &event["CloudTrailEvent"] {
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        Value::Null => None,
        record => Some(Cow::Borrowed(record)),
    })
}

fn made_runtime(event: &Value) -> bool {
    matches!(text(event, "eventName"), "CreateAgentRuntime" | "UpdateAgentRuntime")
        && event["errorCode"].is_null()
}

fn by_network_role(event: &Value) -> bool {
    text(event, "eventName") == "CreateNetworkInterface"
        && event["userIdentity"].to_string().contains(NETWORK_ROLE)
}
