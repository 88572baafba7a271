//! Calls of the execution role that AWS refused, as the runtime's log and CloudTrail show them.
//!
//! What a refusal means for the launch is judged by the faults. Start with [`in_log`] and [`in_trail`].

use launchpath_model::world::LogRecord;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, Timestamp};

use crate::case::Case;
use crate::chain::{Failure, Progress, Stage};
use crate::denial_message::Denial;

/// A refusal that names the role and the action.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) action: String,
    /// What the text says; its principal is a session of the role.
    pub(crate) denial: Denial,
    pub(crate) text: String,
    pub(crate) evidence: Vec<EvidenceId>,
    pub(crate) at: Option<Timestamp>,
}

/// What the log of the current version shows.
#[derive(Default)]
pub(crate) struct Log<'a> {
    /// Refusals of the role, oldest first.
    pub(crate) named: Vec<Refusal>,
    /// The latest line that speaks of a refusal and does not say that it was the role's.
    pub(crate) unnamed: Option<&'a LogRecord>,
}

/// The refusals in the runtime's log; empty where the log holds no line.
pub(crate) fn in_log<'a>(case: &Case<'a>, role: &str) -> Log<'a> {
    let mut log = Log::default();
    let Known::Known(lines) = case.log_lines() else { return log };
    let since = case.version_since();
    for line in lines.value {
        let is_old = line.at.is_some() && line.at < since;
        let refused =
            line.message.contains("AccessDenied") || line.message.contains("not authorized to perform");
        if is_old || !refused {
            continue;
        }
        let text = line.message.trim().to_owned();
        match of_role(&text, role) {
            Some((action, denial)) => {
                let evidence = vec![line.evidence.clone()];
                log.named.push(Refusal { action, denial, text, evidence, at: line.at });
            }
            None => log.unnamed = Some(line),
        }
    }
    log
}

/// Services whose refusals are faults of their own: pulling the image, writing the log.
const OTHER_FAULTS: &[&str] = &["ecr.amazonaws.com", "logs.amazonaws.com"];

/// Whether the action only sends telemetry: exporters log that it was refused and go on.
///
/// Source: the OpenTelemetry specification, "Error handling in OpenTelemetry" (an exporter must not end the program).
pub(crate) fn is_telemetry(action: &str) -> bool {
    action.starts_with("xray:") || action.starts_with("logs:") || action == "cloudwatch:PutMetricData"
}

/// What is not known of a refusal that code gets over as a rule.
pub(crate) fn got_over(refusal: &Refusal) -> Gap {
    Gap {
        what: format!("whether the launch broke at the refused {}", refusal.action),
        reason: GapReason::NotVisible {
            why: "it only sends telemetry, and exporters log a refusal and go on".to_owned(),
        },
        evidence: refusal.evidence.clone(),
        command: None,
    }
}

/// The refusals that CloudTrail logged for sessions of the role since the current version was asked for. Where the event has no
/// text that says so, its name stands for the action.
pub(crate) fn in_trail(case: &Case, role: &str) -> Vec<Refusal> {
    let session = session_of(role);
    let since = case.version_since();
    let mut found: Vec<Refusal> = Vec::new();
    for (_, row) in case.world.trail.iter() {
        let event = &row.value;
        let Some(code) = event.error_code.as_deref().filter(|_| !event.dry_run_passed()) else { continue };
        let source = event.event_source.as_deref().unwrap_or_default();
        let refused = ["AccessDenied", "Unauthorized"].iter().any(|word| code.contains(word));
        let is_old = event.event_time.is_some() && event.event_time < since;
        let by_role = || event.user_identity.arn.as_deref().is_some_and(|arn| arn.contains(&session));
        if !refused || is_old || OTHER_FAULTS.contains(&source) || !by_role() {
            continue;
        }
        let message = event.error_message.clone().unwrap_or_default();
        let denial = Denial::read(&message).unwrap_or_default();
        let service = source.split('.').next().unwrap_or_default();
        let action = denial.action.clone().unwrap_or_else(|| format!("{service}:{}", event.event_name));
        let text = format!("CloudTrail: {} failed: {code}: {message}", event.event_name);
        found.push(Refusal { action, denial, text, evidence: row.evidence.clone(), at: event.event_time });
    }
    found.sort_by(|a, b| (a.at, &a.text).cmp(&(b.at, &b.text)));
    found
}

/// The action and the rest of a text that speaks of a session of the role.
pub(crate) fn of_role(text: &str, role: &str) -> Option<(String, Denial)> {
    let denial = Denial::read(text)?;
    let by_role = denial.principal.as_ref().is_some_and(|who| who.contains(&session_of(role)));
    let action = denial.action.clone().filter(|_| by_role)?;
    Some((action, denial))
}

fn session_of(role: &str) -> String {
    format!(":assumed-role/{role}/")
}

/// The failure on record when the launch breaks at the start of the process or at its first probe.
pub(crate) fn failed_start(progress: &Progress) -> Option<&Failure> {
    let stage = progress
        .first_failed()
        .filter(|stage| matches!(stage, Stage::ProcessStart | Stage::Health | Stage::SessionHealth))?;
    progress.failures.get(&stage)?.iter().find(|failure| !failure.reported)
}
