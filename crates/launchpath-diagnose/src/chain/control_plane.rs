//! Stages up to READY that the control plane shows: authorization, validation, acceptance, state.

use launchpath_model::aws::agentcore::RuntimeStatus;
use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::{EvidenceId, Row, service};

use super::{Failure, Sighting, Stage, Strength, Trace, TraceRule};
use crate::case::{Case, Mode, Platform, TRAIL_LAG_SECONDS};

pub(super) const RULES: &[&TraceRule] = &[&CREATE_EVENT, &RUNTIME_DESCRIBED, &RUNTIME_STATE];

static CREATE_EVENT: TraceRule = TraceRule {
    name: "create_event",
    stage: Stage::RequestValidation,
    always_left: false,
    delay_seconds: TRAIL_LAG_SECONDS,
    hidden_by: "CloudTrail's delay, its 90 days of event history, a filtered look-up",
    look: create_event,
};

static RUNTIME_DESCRIBED: TraceRule = TraceRule {
    name: "runtime_described",
    stage: Stage::Accepted,
    always_left: true,
    delay_seconds: 0,
    hidden_by: "another Region or account",
    look: runtime_described,
};

static RUNTIME_STATE: TraceRule = TraceRule {
    name: "runtime_state",
    stage: Stage::Ready,
    always_left: false,
    delay_seconds: 0,
    hidden_by: "nothing",
    look: runtime_state,
};

/// Whether a create or update event is about this runtime.
fn is_about(case: &Case, event: &TrailEvent) -> bool {
    let runtime = case.runtime();
    // A refused creation leaves no runtime: then the subject's own words name it, as a name or as name and suffix.
    let subject = case.world.subject.runtime.as_deref().filter(|_| runtime.is_none());
    if subject.is_some_and(|subject| {
        let asked = event.request_text("agentRuntimeName");
        asked.is_some() && (asked == Some(subject) || asked == subject.rsplit_once('-').map(|(name, _)| name))
    }) {
        return true;
    }
    let name = runtime.and_then(|r| r.agent_runtime_name.as_deref());
    let id = case.id.as_ref().map(launchpath_model::ids::RuntimeId::as_str);
    let answered =
        event.response_elements.as_ref().and_then(|v| v.get("agentRuntimeId")).and_then(|v| v.as_str());
    answered.is_some() && answered == id
        || (name.is_some() && event.request_text("agentRuntimeName") == name)
        || (id.is_some() && event.request_text("agentRuntimeId") == id)
}

fn create_event(case: &Case) -> Sighting {
    let mut events: Vec<&Row<TrailEvent>> = Vec::new();
    for name in ["CreateAgentRuntime", "UpdateAgentRuntime"] {
        events.extend(case.trail(name, |event| is_about(case, event)).rows);
    }
    events.sort_by_key(|row| row.value.event_time);
    let Some(last) = events.last() else {
        let selection = case.trail("CreateAgentRuntime", |_| true);
        return match selection.complete {
            Ok(_) => Sighting::NotApplicable,
            Err(gap) => Sighting::NotVisible(gap),
        };
    };
    let event = &last.value;
    if event.succeeded() {
        let trace = |stage, text: &str| Trace {
            stage,
            text: format!("{text} ({} at {})", event.event_name, time(event)),
            evidence: last.evidence.clone(),
            at: event.event_time,
            strength: Strength::Direct,
        };
        let traces = vec![
            trace(Stage::CallerAuthorization, "the call was allowed"),
            trace(Stage::RequestValidation, "the request passed validation"),
            trace(Stage::Accepted, "the service accepted it"),
        ];
        return Sighting::Seen(traces, Vec::new());
    }
    let code = event.error_code.as_deref().unwrap_or_default();
    let message = event.error_message.as_deref().unwrap_or_default();
    let known = service::recognise_error(message);
    let by_code =
        if code.contains("AccessDenied") { Stage::CallerAuthorization } else { Stage::RequestValidation };
    let stage = known.and_then(|k| k.fails.as_deref()).and_then(Stage::from_id).unwrap_or(by_code);
    Sighting::Seen(
        Vec::new(),
        vec![Failure {
            stage,
            text: format!("{} at {} failed: {code}: {message}", event.event_name, time(event)),
            evidence: last.evidence.clone(),
            fault: known.and_then(|k| k.fault.as_deref()),
            reported: false,
        }],
    )
}

fn time(event: &TrailEvent) -> String {
    event.event_time.map_or("an unknown time".to_owned(), |at| at.to_string())
}

fn runtime_described(case: &Case) -> Sighting {
    match case.known_runtime() {
        launchpath_model::Known::Known(fact) => {
            let created = fact.value.created_at.map(|at| format!(", created {at}")).unwrap_or_default();
            Sighting::Seen(
                vec![Trace {
                    stage: Stage::Accepted,
                    text: format!("the runtime exists{created}"),
                    evidence: fact.evidence,
                    at: fact.value.created_at,
                    strength: Strength::Direct,
                }],
                Vec::new(),
            )
        }
        launchpath_model::Known::Absent(absence) => {
            Sighting::Missing(absence, "the service knows no such runtime".to_owned())
        }
        launchpath_model::Known::Unknown(gap) => Sighting::NotVisible(gap),
    }
}

fn runtime_state(case: &Case) -> Sighting {
    let Some(status) = case.status() else {
        return Sighting::NotApplicable;
    };
    let evidence = case.runtime_evidence();
    match status {
        RuntimeStatus::Ready => Sighting::Seen(ready_traces(case, &evidence), Vec::new()),
        RuntimeStatus::CreateFailed | RuntimeStatus::UpdateFailed => {
            Sighting::Seen(Vec::new(), vec![failed_state(case, status, evidence)])
        }
        _ => Sighting::NotApplicable,
    }
}

fn ready_traces(case: &Case, evidence: &[EvidenceId]) -> Vec<Trace> {
    let at = case.changed_at();
    let means = match case.combination.platform {
        Platform::V1 => "V1: configuration accepted and network made; says nothing about a container",
        Platform::V2 => "V2: a container became healthy once at the build",
    };
    let trace =
        |stage, text: String, strength| Trace { stage, text, evidence: evidence.to_vec(), at, strength };
    let mut traces = vec![trace(Stage::Ready, format!("status READY ({means})"), Strength::Direct)];
    if case.combination.mode == Some(Mode::Vpc) && !case.combination.capacity_provider {
        // AWS: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-how-it-works.html
        traces.push(trace(
            Stage::NetworkAttach,
            "follows from READY: the network is made before (documented)".to_owned(),
            Strength::Implied,
        ));
    }
    traces
}

fn failed_state(case: &Case, status: &RuntimeStatus, evidence: Vec<EvidenceId>) -> Failure {
    let reason = case.runtime().and_then(|r| r.failure_reason.as_deref()).unwrap_or_default();
    let known = service::recognise_error(reason);
    let stage = known.and_then(|k| k.fails.as_deref()).and_then(Stage::from_id).unwrap_or(Stage::Ready);
    let text = if reason.is_empty() {
        format!("{status}, and the service gives no reason")
    } else {
        format!("{status}: {reason}")
    };
    Failure { stage, text, evidence, fault: known.and_then(|k| k.fault.as_deref()), reported: false }
}
