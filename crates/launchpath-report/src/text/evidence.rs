//! The last lines: how many calls this rests on, which were refused, and how to see them.

use launchpath_model::Outcome;

use crate::canvas::{Canvas, Ink, Rich};
use crate::diagnosis::Diagnosis;
use crate::{outline, wording};

pub(super) fn write(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    if diagnosis.evidence.is_empty() {
        return;
    }
    let denied = outline::denied(diagnosis);
    let number = wording::count(diagnosis.evidence.len(), "call");
    let mut summary = Rich::new().plain(&number);
    if !denied.is_empty() {
        summary = summary.plain(&format!(", {} refused", denied.len())).ids(&denied);
    }
    if let Some(time) = diagnosis.reference_time {
        summary = summary.plain(&format!("; as of {time}"));
    }
    let full = canvas.options().is_full();
    if !full {
        summary = summary.ink(Ink::Dim, "; each with its command: --format json");
    }
    canvas.heading("Evidence", summary);
    refused(canvas, diagnosis);
    if !full {
        return;
    }
    for record in &diagnosis.evidence {
        let (sign, ink) = match record.outcome {
            Outcome::Ok => ("✔", Ink::Good),
            Outcome::Error | Outcome::NotFound => ("✘", Ink::Bad),
            Outcome::Denied | Outcome::Throttled => ("?", Ink::Doubt),
        };
        let mut text = Rich::new()
            .ink(Ink::Strong, record.id.as_str())
            .plain(" ")
            .plain(&record.service)
            .plain(" ")
            .plain(&record.operation)
            .plain(", ")
            .ink(ink, wording::outcome(record.outcome));
        if let Some(at) = record.at {
            text = text.ink(Ink::Dim, &format!(" {at}"));
        }
        if let Some(error) = &record.error {
            text = text.plain(": ").plain(&error.code).plain(" ").plain(&error.message);
            if let Some(http) = error.http {
                text = text.plain(&format!(" (HTTP {http})"));
            }
        }
        canvas.hanging(Rich::new().ink(ink, &format!("  {sign} ")), "    ", text);
        if let Some(command) = outline::repeats(record) {
            canvas.verbatim(6, command);
        }
    }
}

/// What the refused calls leave open, and how to get the permission.
fn refused(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let gaps = outline::open_refusals(diagnosis);
    for refusal in &gaps {
        let text = Rich::new()
            .plain("refused: ")
            .plain(refusal.service)
            .plain(" ")
            .plain(refusal.operation)
            .ids(&refusal.calls)
            .ink(Ink::Dim, " leaves open ")
            .ink(Ink::Strong, &wording::codes(&refusal.faults));
        canvas.hanging(Rich::new().ink(Ink::Doubt, "  ? "), "    ", text);
    }
    if !gaps.is_empty() {
        canvas.verbatim(6, outline::PERMISSIONS);
    }
}
