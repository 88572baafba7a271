//! The record: what happened when, and every call with the command that repeats it.

use crate::diagnosis::Diagnosis;
use crate::{clean, outline, wording};

use super::escape::{Place, code, fence, text};
use super::{Page, cited, listed};

pub(super) fn timeline(page: &mut Page, diagnosis: &Diagnosis) {
    if diagnosis.timeline.is_empty() {
        return;
    }
    page.block("## Timeline");
    page.block("| UTC | Event | Evidence |\n|---|---|---|");
    for entry in &diagnosis.timeline {
        let (what, evidence) = (text(Place::Cell, &entry.text), listed(Place::Cell, &entry.evidence));
        page.line(&format!("| {} | {what} | {evidence} |", entry.at));
    }
}

pub(super) fn evidence(page: &mut Page, diagnosis: &Diagnosis) {
    if diagnosis.evidence.is_empty() {
        return;
    }
    page.block("## Evidence");
    page.block(
        "The calls this report rests on and those that were refused, each with the command that repeats it.",
    );
    refused(page, diagnosis);
    for record in &diagnosis.evidence {
        let at = record.at.map_or_else(String::new, |at| format!(" at {at}"));
        let error = record.error.as_ref().map_or_else(String::new, |error| {
            let http = error.http.map_or_else(String::new, |http| format!(" (HTTP {http})"));
            format!(": {}{http}", code(Place::Flow, &format!("{} {}", error.code, error.message)))
        });
        page.line(&format!(
            "- {} {} {}, {}{at}{error}",
            code(Place::Flow, record.id.as_str()),
            text(Place::Flow, &record.service),
            text(Place::Flow, &record.operation),
            wording::outcome(record.outcome),
        ));
        if let Some(command) = outline::repeats(record) {
            page.line(&fence(2, "sh", &[clean::line(command)]));
        }
    }
}

/// What the refused calls leave open, and how to get the permission.
pub(super) fn refused(page: &mut Page, diagnosis: &Diagnosis) {
    let refusals = outline::open_refusals(diagnosis);
    if refusals.is_empty() {
        page.gap();
        return;
    }
    page.block("Refused, and what that leaves open:");
    page.gap();
    for refusal in &refusals {
        let open: Vec<String> = refusal.faults.iter().map(|fault| code(Place::Flow, fault)).collect();
        let (service, operation) = (text(Place::Flow, refusal.service), text(Place::Flow, refusal.operation));
        let calls = cited(Place::Flow, &refusal.calls);
        page.line(&format!("- {service} {operation}{calls} leaves open {}", open.join(", ")));
    }
    page.block("The permissions that this program asks for, as a policy:");
    page.block(&fence(0, "sh", &[outline::PERMISSIONS.to_owned()]));
    page.gap();
}
