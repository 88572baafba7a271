//! What happened when, from every dated piece of evidence about the runtime.

use launchpath_model::{Known, Outcome, Timestamp};

use crate::case::Case;
use crate::chain::short_digest;
use crate::diagnosis::TimelineEntry;

/// Events of a kind beyond this many are summed up in one entry.
const MOST_OF_A_KIND: usize = 12;

/// The timeline, oldest first.
pub(crate) fn timeline(case: &Case) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    let mut add = |at: Option<Timestamp>, text: String, evidence: Vec<launchpath_model::EvidenceId>| {
        if let Some(at) = at {
            entries.push(TimelineEntry { at, text, evidence });
        }
    };
    if let Known::Known(fact) = case.image() {
        let text = format!("image {} pushed", short_digest(&fact.value.image_digest));
        add(fact.value.image_pushed_at, text, fact.evidence);
    }
    if let Some(runtime) = case.runtime() {
        add(runtime.created_at, "runtime created".to_owned(), case.runtime_evidence());
        if runtime.last_updated_at != runtime.created_at {
            let status = runtime.status.as_ref().map_or(String::new(), |status| format!(" ({status})"));
            add(runtime.last_updated_at, format!("runtime last changed{status}"), case.runtime_evidence());
        }
    }
    let from = case.created_at().map(|at| at.plus_seconds(-300));
    let events: Vec<_> = case.world.trail.iter().filter(|(_, row)| row.value.event_time >= from).collect();
    for (_, row) in events.iter().take(MOST_OF_A_KIND) {
        let event = &row.value;
        let by = if event.by_network_role() { " by the network service-linked role" } else { "" };
        let outcome = match event.error_code.as_deref() {
            None => String::new(),
            Some(_) if event.dry_run_passed() => ": dry run passed".to_owned(),
            Some(code) => format!(": {code}"),
        };
        add(event.event_time, format!("{}{by}{outcome}", event.event_name), row.evidence.clone());
    }
    for call in case.invocations().iter().take(MOST_OF_A_KIND) {
        let text = match (&call.outcome, &call.error) {
            (Outcome::Ok, _) => call.json_rpc_error().map_or_else(
                || "invocation answered".to_owned(),
                |(code, message)| format!("invocation failed: JSON-RPC error {code}: {message}"),
            ),
            (_, Some(error)) => {
                format!("invocation failed: {}", error.message.split(". ").next().unwrap_or_default())
            }
            _ => "invocation failed".to_owned(),
        };
        add(call.at, text, vec![call.evidence.clone()]);
    }
    if let Known::Known(fact) = case.log_lines()
        && let (Some(first), Some(last)) = (fact.value.first(), fact.value.last())
    {
        add(first.at, "first log line".to_owned(), vec![first.evidence.clone()]);
        if last.at != first.at {
            add(last.at, "last log line".to_owned(), vec![last.evidence.clone()]);
        }
    }
    for (rehearsal, _) in crate::experiment::rehearsals(case) {
        add(rehearsal.at, "image rehearsed".to_owned(), vec![rehearsal.evidence.clone()]);
    }
    add(case.world.collected_at, "evidence collected".to_owned(), Vec::new());
    entries.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.text.cmp(&b.text)));
    entries
}
