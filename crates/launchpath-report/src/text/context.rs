//! What surrounds the cause: warnings, the comparison with a runtime that works, what people said, what happened when.

use launchpath_model::Timestamp;

use crate::canvas::{Canvas, Ink, Rich};
use crate::diagnosis::{Comparison, Diagnosis, Difference, TimelineEntry};
use crate::{outline, wording};

use super::FULL;
use super::remedy::left_out;

/// So many characters of a statement are shown.
const SAID: usize = 400;
/// So many events are shown.
const EVENTS: usize = 14;

pub(super) fn warnings(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    if diagnosis.warnings.is_empty() {
        return;
    }
    canvas.heading("Beware", Rich::new());
    for warning in &diagnosis.warnings {
        let text = Rich::new()
            .ink(Ink::Strong, &wording::capital(&warning.title))
            .ink(Ink::Dim, &format!(" ({})", warning.code));
        canvas.hanging(Rich::new().ink(Ink::DoubtStrong, "  ! "), "    ", text);
        if !warning.text.trim().is_empty() {
            canvas.paragraph(4, Rich::new().plain(&wording::capital(&warning.text)).ids(&warning.evidence));
        }
        if let Some(command) = warning.command.as_deref().filter(|command| !command.trim().is_empty()) {
            canvas.verbatim(6, command);
        }
    }
}

pub(super) fn comparison(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let Some(comparison) = &diagnosis.comparison else { return };
    let text = Rich::new()
        .ink(Ink::Heading, "Compared")
        .plain(" with ")
        .ink(Ink::Strong, &comparison.with)
        .plain(if outline::gets_further(comparison) { ", which gets further: " } else { ": " })
        .plain(&comparison.works_because)
        .ids(&comparison.evidence);
    canvas.title(text);
    contrast(canvas, comparison);
}

/// What differs, what of it can explain the outcome, what is the same, and what could not be compared.
pub(super) fn contrast(canvas: &mut Canvas<'_>, comparison: &Comparison) {
    let explaining = comparison.differences.iter().filter(|difference| difference.explains.is_some());
    let others = comparison.differences.iter().filter(|difference| difference.explains.is_none());
    for difference in explaining.chain(others) {
        let ink = if difference.explains.is_some() { Ink::DoubtStrong } else { Ink::Dim };
        let mark = Rich::new().ink(ink, "  ≠ ");
        let what = Rich::new().ink(Ink::Strong, &difference.what);
        match (&difference.explains, &difference.explains_not) {
            (Some(explains), _) => canvas.hanging(mark, "    ", what.plain(" – ").plain(explains)),
            (None, not) if is_short(difference) => {
                let sides = format!(": here {}, there {}", difference.here, difference.there);
                let not = not.as_ref().map(|not| format!(" – explains nothing: {not}")).unwrap_or_default();
                canvas.hanging(mark, "    ", what.plain(&sides).ink(Ink::Dim, &not));
                continue;
            }
            (None, Some(not)) => {
                canvas.hanging(mark, "    ", what.ink(Ink::Dim, &format!(" – explains nothing: {not}")));
            }
            (None, None) => canvas.hanging(mark, "    ", what),
        }
        for (side, value) in [("here", &difference.here), ("there", &difference.there)] {
            let prefix = Rich::new().plain("    ").padded(Ink::Dim, side, 7);
            canvas.hanging(prefix, "           ", Rich::new().plain(value));
        }
    }
    if !comparison.same.is_empty() {
        let text = Rich::new().ink(Ink::Dim, "the same: ").plain(&comparison.same.join(", "));
        canvas.hanging(Rich::new().ink(Ink::Dim, "  = "), "    ", text);
    }
    let full = canvas.options().is_full();
    if full {
        for open in &comparison.not_compared {
            let text = Rich::new().plain(&open.what).ink(Ink::Dim, &format!(" – {}", open.why));
            canvas.hanging(Rich::new().ink(Ink::Dim, "  ? "), "    ", text);
        }
    } else if !comparison.not_compared.is_empty() {
        let names: Vec<&str> = comparison.not_compared.iter().map(|open| open.what.as_str()).collect();
        let text = format!("not compared, for want of evidence: {} (why: {FULL})", names.join(", "));
        canvas.hanging(Rich::new().ink(Ink::Dim, "  ? "), "    ", Rich::new().ink(Ink::Dim, &text));
    }
}

/// Whether both sides are read at a glance on one line.
fn is_short(difference: &Difference) -> bool {
    difference.here.chars().count() + difference.there.chars().count() <= 60
}

pub(super) fn statements(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    if diagnosis.statements.is_empty() {
        return;
    }
    canvas.heading("Statements", Rich::new().ink(Ink::Dim, "shown, never counted as proof"));
    for saying in &diagnosis.statements {
        let by = saying.by.as_deref().filter(|by| !by.trim().is_empty()).unwrap_or("somebody");
        let said = if canvas.options().is_full() {
            saying.text.trim().to_owned()
        } else {
            wording::shortened(saying.text.trim(), SAID)
        };
        let text = Rich::new()
            .plain(by)
            .plain(" says (not evidence): “")
            .plain(&said)
            .plain("”")
            .ids(&saying.evidence);
        canvas.paragraph(2, text);
    }
}

pub(super) fn timeline(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let entries = &diagnosis.timeline;
    let Some(first) = entries.first() else { return };
    canvas.title(Rich::new().ink(Ink::Heading, "Timeline").plain(" (UTC)"));
    let full = canvas.options().is_full();
    // The end is where the failure is; the beginning says where it came from.
    let skipped = if full || entries.len() <= EVENTS + 1 { 0 } else { entries.len() - EVENTS };
    event(canvas, first, None);
    if skipped > 0 {
        left_out(canvas, skipped, "event");
    }
    let mut before = first.at;
    for entry in &entries[1 + skipped..] {
        event(canvas, entry, Some(before));
        before = entry.at;
    }
}

fn event(canvas: &mut Canvas<'_>, entry: &TimelineEntry, before: Option<Timestamp>) {
    let date = entry.at.date();
    let date = if before.is_some_and(|before| before.date() == date) { String::new() } else { date };
    let prefix = Rich::new()
        .plain("  ")
        .padded(Ink::Strong, &date, 10)
        .plain(" ")
        .plain(&entry.at.clock())
        .plain("  ");
    canvas.hanging(prefix, &" ".repeat(23), Rich::new().plain(&entry.text).ids(&entry.evidence));
}
