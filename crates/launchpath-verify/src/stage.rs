//! Stages of the chain: their citations, and for the traces that have a checkable rule, that the rule holds.
//!
//! A rule says what a cited call must hold for the stage to be reached or failed. Start with [`check`], then [`reached`].

use std::borrow::Cow;

use serde_json::Value;

use crate::cause::Causes;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::subject::Subject;
use crate::{Shown, claim, list, text};

/// The role with which the service makes interfaces.
const NETWORK_ROLE: &str = "AWSServiceRoleForBedrockAgentCoreNetwork";

pub(crate) fn check(shown: &Shown, causes: &Causes, notes: &mut Notes) {
    let certificate = shown.certificate;
    let chain = list(certificate, "chain");
    let broken = &certificate["break"];
    let mut standings: Vec<Standing> = Vec::new();
    // From the end: a stage that follows from a later one needs that one's result.
    let mut results: Vec<(usize, Found)> = Vec::new();
    for (index, stage) in chain.iter().enumerate().rev() {
        let at = format!("/chain/{index}");
        let (_, all) = claim::check_all(certificate, stage, &at, shown.bundle, notes);
        let found =
            if all { judge(shown, causes, index, &standings) } else { fails("a citation does not hold") };
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
fn judge(shown: &Shown, causes: &Causes, index: usize, later: &[Standing]) -> Found {
    let certificate = shown.certificate;
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
            let name = text(stage, "stage");
            let here = named.into_iter().any(|cause| text(cause, "stage") == name);
            match causes.get(&(fault.to_owned(), name.to_owned())) {
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
                list(stage, "evidence").iter().filter_map(|id| shown.bundle.call(id.as_str()?)).collect();
            if calls.is_empty() {
                return fails("it rests on nothing");
            }
            let name = text(stage, "stage");
            let rule = calls.iter().find_map(|call| match state {
                "reached" => reached(name, call, shown),
                "failed" => failed(name, call, shown.subject),
                _ => None,
            });
            match rule {
                Some(rule) => holds(rule),
                None => not_checked("its calls are there; no rule of this checker says what they prove"),
            }
        }
    }
}

/// The rule by which the call shows that the stage was reached.
fn reached(stage: &str, call: &Value, shown: &Shown) -> Option<&'static str> {
    let subject = shown.subject;
    let operation = text(call, "operation");
    let ok = text(call, "outcome") == "ok";
    let response = &call["response"];
    match (stage, operation) {
        ("artifact_available", "DescribeImages") => (ok
            && subject.image().is_some_and(|image| image.is_in(call, "imageDetails")))
        .then_some("ecr describes the image"),
        ("artifact_available", "BatchGetImage") => (ok
            && subject.image().is_some_and(|image| image.is_in(call, "images")))
        .then_some("ecr gives the image's manifest"),
        ("artifact_available", "HeadObject") => (ok && is_code(call, subject)).then_some("s3 has the object"),
        ("accepted", "GetAgentRuntime" | "CreateAgentRuntime") => {
            is_described(call, subject).then_some("the runtime exists")
        }
        ("ready", "GetAgentRuntime") => (is_described(call, subject) && text(response, "status") == "READY")
            .then_some("its status is READY"),
        ("ready", "ListAgentRuntimeEndpoints") => {
            (ok && is_ready(call, shown)).then_some("the endpoint's status is READY")
        }
        ("caller_authorization" | "request_validation" | "accepted", "LookupEvents") => events(call)
            .any(|event| made_runtime(&event) && subject.made(&event))
            .then_some("CloudTrail has the call without an error"),
        ("eni_dry_run" | "vpc_validation", "LookupEvents") => events(call)
            .any(|event| {
                by_network_role(&event, subject) && text(&event, "errorCode").contains("DryRunOperation")
            })
            .then_some("CloudTrail has the service's dry run, which says that it would have succeeded"),
        ("network_attach", "LookupEvents") => events(call)
            .any(|event| by_network_role(&event, subject) && event["errorCode"].is_null())
            .then_some("CloudTrail has the service's CreateNetworkInterface without an error"),
        ("network_attach", "DescribeNetworkInterfaces") => list(response, "NetworkInterfaces")
            .iter()
            .any(|interface| text(interface, "InterfaceType") == "agentic_ai" && is_of(interface, subject))
            .then_some(
                "an interface of the service's type is there, in a subnet and with the groups of the runtime",
            ),
        ("response", "InvokeAgentRuntime") => (is_answered(call, subject) && is_latest(call, shown))
            .then_some("the latest invocation was answered"),
        ("invoke_admission", "InvokeAgentRuntime") => {
            let code = call.pointer("/error/code").and_then(Value::as_str);
            (is_answered(call, subject) || subject.invoked(call) && code == Some("RuntimeClientError"))
                .then_some(
                    "the service took the call: it failed with an error of the runtime, or was answered",
                )
        }
        ("process_start" | "log_delivery", "FilterLogEvents" | "GetLogEvents") => {
            (ok && subject.logged(call) && !list(response, "events").is_empty())
                .then_some("the process's log holds lines")
        }
        ("process_start", "Rehearse") => (response["passed"] == Value::Bool(true) && subject.rehearsed(call))
            .then_some("a rehearsal of the image passed"),
        _ => None,
    }
}

/// The rule by which the call shows that the stage failed.
fn failed(stage: &str, call: &Value, subject: &Subject) -> Option<&'static str> {
    let message = call.pointer("/error/message").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let refused = matches!(text(call, "outcome"), "denied" | "error");
    match (stage, text(call, "operation")) {
        ("health" | "session_health", "InvokeAgentRuntime") => (subject.invoked(call)
            && message.contains("health check failed"))
        .then_some("the service says that the health check failed"),
        ("process_start" | "health", "Rehearse") => (broken_at(&call["response"]) == Some(stage)
            && subject.rehearsed(call))
        .then_some("a rehearsal of the image did not pass"),
        ("invoke_admission", "InvokeAgentRuntime") => (subject.invoked(call)
            && (text(call, "outcome") == "denied" || message.contains("not authorized")))
        .then_some("the call was refused"),
        ("accepted" | "request_validation", "CreateAgentRuntime") => (refused
            && subject.made(&serde_json::json!({ "requestParameters": call["request"] })))
        .then_some("the creation was refused"),
        (_, "GetAgentRuntime") if is_described(call, subject) && is_failed(&call["response"]) => {
            let reason = text(&call["response"], "failureReason").to_lowercase();
            let words = match stage {
                "ready" => "",
                "vpc_validation" => "unsupported availability zone",
                "request_validation" => "validat",
                "health" => "health check",
                _ => return None,
            };
            reason.contains(words).then_some("its status is a failed one, for a reason that names it")
        }
        ("ready", "ListAgentRuntimeEndpoints")
            if text(&call["request"], "agentRuntimeId") == subject.id() =>
        {
            list(&call["response"], "runtimeEndpoints")
                .iter()
                .any(is_failed)
                .then_some("an endpoint's status is a failed one")
        }
        _ => None,
    }
}

/// The stage at which a rehearsal that did not pass broke; of records of before clauses had names, only where the process ended.
fn broken_at(rehearsal: &Value) -> Option<&'static str> {
    if rehearsal["passed"] != Value::Bool(false) {
        return None;
    }
    match text(rehearsal, "clause") {
        "starts" | "stays_up" => Some("process_start"),
        "listens" | "healthy" => Some("health"),
        "" => rehearsal["exit_code"].as_i64().filter(|code| *code != 0).map(|_| "process_start"),
        _ => None,
    }
}

fn is_failed(described: &Value) -> bool {
    text(described, "status").ends_with("_FAILED")
}

/// Whether the call describes this runtime.
fn is_described(call: &Value, subject: &Subject) -> bool {
    text(call, "outcome") == "ok"
        && !subject.id().is_empty()
        && text(&call["response"], "agentRuntimeId") == subject.id()
}

/// Whether the endpoint that the certificate is about is READY.
fn is_ready(call: &Value, shown: &Shown) -> bool {
    let wanted = shown.certificate["runtime"]["endpoint"].as_str().unwrap_or("DEFAULT");
    text(&call["request"], "agentRuntimeId") == shown.subject.id()
        && list(&call["response"], "runtimeEndpoints")
            .iter()
            .any(|endpoint| text(endpoint, "name") == wanted && text(endpoint, "status") == "READY")
}

/// Whether the call found the runtime's own code zip.
fn is_code(call: &Value, subject: &Subject) -> bool {
    let configured = |member: &str| {
        let place = format!("/agentRuntimeArtifact/codeConfiguration/code/s3/{member}");
        subject.configured(&place).and_then(Value::as_str)
    };
    let request = &call["request"];
    configured("bucket").is_some()
        && request["Bucket"].as_str() == configured("bucket")
        && request["Key"].as_str() == configured("prefix")
}

/// Whether the interface is one that this runtime uses: runtimes of equal subnets and groups share theirs.
fn is_of(interface: &Value, subject: &Subject) -> bool {
    let mut groups: Vec<&str> =
        list(interface, "Groups").iter().map(|group| text(group, "GroupId")).collect();
    groups.sort_unstable();
    let same = subject.groups().is_none_or(|mut wanted| {
        wanted.sort_unstable();
        wanted == groups
    });
    same && subject.subnets().is_some_and(|all| all.contains(&text(interface, "SubnetId")))
}

/// Whether the runtime answered. An error of JSON-RPC may be the service's own, and proves no answer.
fn is_answered(call: &Value, subject: &Subject) -> bool {
    let response = &call["response"];
    let body = response.get("response").or_else(|| response.get("body")).unwrap_or(response);
    let read = body.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let body = read.as_ref().unwrap_or(body);
    let refused = body.get("jsonrpc").is_some() && body.get("error").is_some();
    text(call, "outcome") == "ok" && subject.invoked(call) && !refused
}

/// Whether no invocation of this runtime failed after the call, or at a time that cannot be compared.
fn is_latest(call: &Value, shown: &Shown) -> bool {
    let at = call["at"].as_str();
    shown.bundle.called("InvokeAgentRuntime").all(|other| {
        let earlier = at.is_some_and(|at| other["at"].as_str().is_some_and(|other| other < at));
        !shown.subject.invoked(other) || is_answered(other, shown.subject) || earlier
    })
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

/// Whether the network service-linked role asked for an interface in a subnet of this runtime.
fn by_network_role(event: &Value, subject: &Subject) -> bool {
    let subnet = event["requestParameters"]["subnetId"].as_str();
    text(event, "eventName") == "CreateNetworkInterface"
        && event["userIdentity"].to_string().contains(NETWORK_ROLE)
        && subject.subnets().is_some_and(|all| subnet.is_some_and(|subnet| all.contains(&subnet)))
}
