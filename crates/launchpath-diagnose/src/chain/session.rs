//! Stages of one call: admission, placement, answer. Read from invocations, metrics and the role's sessions.

use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::evidence::CallError;
use launchpath_model::{EvidenceId, Outcome, service};

use super::{Failure, Sighting, Stage, Strength, Trace, TraceRule};
use crate::case::{Case, Platform, TRAIL_LAG_SECONDS};

pub(super) const RULES: &[&TraceRule] = &[&INVOCATION, &REPORTED_ERROR, &MICROVM_SESSION, &USAGE_METRICS];

static INVOCATION: TraceRule = TraceRule {
    name: "invocation",
    stage: Stage::Response,
    always_left: false,
    delay_seconds: 0,
    hidden_by: "nobody kept the answer",
    look: invocation,
};

static REPORTED_ERROR: TraceRule = TraceRule {
    name: "reported_error",
    stage: Stage::Response,
    always_left: false,
    delay_seconds: 0,
    hidden_by: "nobody wrote it down",
    look: reported_error,
};

static MICROVM_SESSION: TraceRule = TraceRule {
    name: "microvm_session",
    stage: Stage::SessionPlacement,
    // Seen for every microVM in the field, but by too few observers to build a proof of absence on it.
    always_left: false,
    delay_seconds: TRAIL_LAG_SECONDS,
    hidden_by: "CloudTrail's delay; a role shared with other runtimes",
    look: microvm_session,
};

static USAGE_METRICS: TraceRule = TraceRule {
    name: "usage_metrics",
    stage: Stage::SessionPlacement,
    always_left: false,
    delay_seconds: 3600,
    hidden_by: "metrics up to an hour late",
    look: usage_metrics,
};

fn invocation(case: &Case) -> Sighting {
    let Some(call) = case.latest_invocation() else {
        return Sighting::NotApplicable;
    };
    let evidence = vec![call.evidence.clone()];
    let when = call.at.map(|at| format!(" at {at}")).unwrap_or_default();
    if call.outcome == Outcome::Ok {
        if let Some((code, message)) = call.json_rpc_error() {
            return json_rpc_failure(
                case,
                code,
                &format!("JSON-RPC error {code}{when}: {message}"),
                evidence,
            );
        }
        let trace = Trace {
            stage: Stage::Response,
            text: format!("an invocation{when} was answered"),
            evidence,
            at: call.at,
            strength: Strength::Direct,
        };
        return Sighting::Seen(vec![trace], Vec::new());
    }
    let error = call.error.clone().unwrap_or_default();
    let reading = read_error(case, &error);
    let traces = reading.proves.iter().map(|stage| Trace {
        stage: *stage,
        text: format!("the call{when} got this far: its failure lies further on"),
        evidence: evidence.clone(),
        at: call.at,
        strength: Strength::Direct,
    });
    let failure = failure(
        &reading,
        format!("{}{when}: {}", short(&error), reading.means),
        evidence.clone(),
        Reported::No,
    );
    Sighting::Seen(traces.collect(), vec![failure])
}

/// What the service's own JSON-RPC codes mean; every other code is the runtime's own answer.
fn json_rpc_failure(case: &Case, code: i64, text: &str, evidence: Vec<EvidenceId>) -> Sighting {
    let (fails, proves, means) = match code {
        -32010 => {
            (on_this_platform(case, Stage::Health), Stage::InvokeAdmission, "the runtime did not come up")
        }
        -32003 => (Stage::SessionPlacement, Stage::Ready, "a quota is used up"),
        -32005 => {
            (Stage::SessionPlacement, Stage::InvokeAdmission, "another operation of the session is under way")
        }
        -32603 => (Stage::Response, Stage::InvokeAdmission, "an internal error of the service or the server"),
        _ => {
            let trace = Trace {
                stage: Stage::Response,
                text: format!("the runtime answered, with {text}"),
                evidence,
                at: None,
                strength: Strength::Direct,
            };
            return Sighting::Seen(vec![trace], Vec::new());
        }
    };
    let reading = Reading { fails, proves: vec![proves], means: means.to_owned(), fault: None };
    let passed = Trace {
        stage: proves,
        text: "the call was admitted".to_owned(),
        evidence: evidence.clone(),
        at: None,
        strength: Strength::Direct,
    };
    Sighting::Seen(vec![passed], vec![failure(&reading, format!("{text}: {means}"), evidence, Reported::No)])
}

fn reported_error(case: &Case) -> Sighting {
    let Some(symptom) = case.symptom().filter(|symptom| symptom.reported) else {
        return Sighting::NotApplicable;
    };
    let error = CallError { code: String::new(), message: symptom.text.clone(), http: None };
    let reading = read_error(case, &error);
    Sighting::Seen(Vec::new(), vec![failure(&reading, symptom.text.clone(), symptom.evidence, Reported::Yes)])
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reported {
    Yes,
    No,
}

fn failure(reading: &Reading, text: String, evidence: Vec<EvidenceId>, reported: Reported) -> Failure {
    Failure {
        stage: reading.fails,
        text,
        evidence,
        fault: reading.fault,
        reported: reported == Reported::Yes,
    }
}

/// The error without the service's advice, for one line.
fn short(error: &CallError) -> String {
    let first = error.message.split(". ").next().unwrap_or_default().trim_end_matches('.');
    match (error.code.is_empty(), error.http) {
        (true, _) => first.to_owned(),
        (false, Some(http)) => format!("{} ({http}): {first}", error.code),
        (false, None) => format!("{}: {first}", error.code),
    }
}

struct Reading {
    fails: Stage,
    proves: Vec<Stage>,
    means: String,
    fault: Option<&'static str>,
}

fn read_error(case: &Case, error: &CallError) -> Reading {
    if let Some(known) = service::recognise_error(&error.message) {
        let fails = known.fails.as_deref().and_then(Stage::from_id).unwrap_or(Stage::Response);
        let mut proves: Vec<Stage> = known.proves.iter().filter_map(|id| Stage::from_id(id)).collect();
        // AWS: "Received error (502)" also stands for no valid HTTP answer; any other status is the process speaking.
        if known.id == "answered_with_error" && !error.message.contains("(502)") {
            proves.push(Stage::Request);
        }
        let fault = known.fault.as_deref();
        return Reading { fails: on_this_platform(case, fails), proves, means: known.means.clone(), fault };
    }
    let reading = |fails, proves: &[Stage], means: &str| Reading {
        fails,
        proves: proves.to_vec(),
        means: means.to_owned(),
        fault: None,
    };
    match (error.code.as_str(), error.http) {
        ("AccessDeniedException" | "UnauthorizedException" | "AccessDenied", _) | (_, Some(401 | 403)) => {
            reading(Stage::InvokeAdmission, &[], "the caller was refused")
        }
        ("ServiceQuotaExceededException", _) | (_, Some(402)) => {
            reading(Stage::SessionPlacement, &[Stage::Ready], "a quota is used up")
        }
        ("ThrottlingException", _) | (_, Some(429)) => reading(
            Stage::InvokeAdmission,
            &[],
            "the call was throttled; that says nothing about the runtime",
        ),
        ("RuntimeClientError", _) | (_, Some(424)) => reading(
            on_this_platform(case, Stage::Health),
            &[Stage::InvokeAdmission],
            "the runtime did not come up or did not answer; the text is not one this program knows",
        ),
        ("ResourceNotFoundException", _) | (_, Some(404)) => {
            reading(Stage::InvokeAdmission, &[], "no such runtime or endpoint for this call")
        }
        ("ValidationException", _) | (_, Some(400)) => {
            reading(Stage::InvokeAdmission, &[], "the request was refused as invalid")
        }
        _ => reading(Stage::Response, &[], "the invocation failed; the text is not one this program knows"),
    }
}

/// On V2 a READY runtime was healthy at its build: what fails at a call is the restored session.
fn on_this_platform(case: &Case, stage: Stage) -> Stage {
    if case.combination.platform != Platform::V2 || !case.is_ready() {
        return stage;
    }
    match stage {
        Stage::Health => Stage::SessionHealth,
        Stage::ProcessStart | Stage::ArtifactFetch => Stage::SessionRestore,
        other => other,
    }
}

fn microvm_session(case: &Case) -> Sighting {
    let Some(role) = case.runtime().and_then(|r| r.role_arn.as_deref()) else {
        return Sighting::NotApplicable;
    };
    let shared =
        case.world.runtimes.iter().filter(|(_, row)| row.value.role_arn.as_deref() == Some(role)).count() > 1;
    if shared {
        // The session's name holds the endpoint, not the runtime: it cannot be told whose microVM it was.
        return Sighting::NotApplicable;
    }
    let since = case.changed_at();
    let started = |event: &TrailEvent| {
        let name = event.request_text("roleSessionName").unwrap_or_default();
        let prefix =
            name.strip_prefix("AgentCore-MicroVM-").is_some_and(|rest| rest.ends_with(&case.endpoint));
        prefix
            && event.succeeded()
            && event.request_text("roleArn") == Some(role)
            && event.event_time >= since
    };
    let selection = case.trail("AssumeRole", started);
    let Some(row) = selection.rows.last() else {
        return selection.complete.map_or_else(Sighting::NotVisible, |_| Sighting::NotApplicable);
    };
    let when = row.value.event_time.map(|at| format!(" at {at}")).unwrap_or_default();
    Sighting::Seen(
        vec![Trace {
            stage: Stage::SessionPlacement,
            text: format!("the execution role was assumed for a microVM{when}"),
            evidence: row.evidence.clone(),
            at: row.value.event_time,
            strength: Strength::Direct,
        }],
        Vec::new(),
    )
}

fn usage_metrics(case: &Case) -> Sighting {
    let Some(arn) = case.runtime().and_then(|r| r.agent_runtime_arn.clone()) else {
        return Sighting::NotApplicable;
    };
    let since = case.changed_at();
    let used = |name: &str| {
        let row = case.world.metrics.seen(&(arn.clone(), name.to_owned()))?;
        let recent: f64 =
            row.value.points.iter().filter(|(at, _)| Some(*at) >= since).map(|(_, value)| value).sum();
        (recent > 0.0).then(|| row.evidence.clone())
    };
    let mut traces = Vec::new();
    if let Some(evidence) = used("Invocations") {
        traces.push(metric_trace(Stage::InvokeAdmission, "the metric Invocations counts calls", evidence));
    }
    if let Some(evidence) = used("CPUUsed-vCPUHours") {
        traces.push(metric_trace(
            Stage::SessionPlacement,
            "the metric CPUUsed-vCPUHours shows that a microVM ran",
            evidence,
        ));
    }
    Sighting::Seen(traces, Vec::new())
}

fn metric_trace(stage: Stage, text: &str, evidence: Vec<EvidenceId>) -> Trace {
    Trace { stage, text: text.to_owned(), evidence, at: None, strength: Strength::Direct }
}
