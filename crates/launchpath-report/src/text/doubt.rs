//! What is not the cause, and what could not be decided.

use crate::canvas::{Canvas, Ink, Rich};
use crate::diagnosis::Diagnosis;
use crate::outline::{self, Gap};
use crate::wording;

/// So many observations that rule faults out are shown with their reason; of the others, the faults are named.
const REASONS: usize = 10;
/// So many missing pieces are shown with their command.
const GAPS: usize = 5;

pub(super) fn ruled_out(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let groups = outline::refutations(diagnosis);
    if groups.is_empty() {
        return;
    }
    canvas.heading("Ruled out", Rich::new().ink(Ink::Dim, &wording::theories(diagnosis.ruled_out.len())));
    let full = canvas.options().is_full();
    let shown = if full || groups.len() <= REASONS + 1 { groups.len() } else { REASONS };
    for group in &groups[..shown] {
        let codes: Vec<&str> = group.faults.iter().map(|fault| fault.fault.as_str()).collect();
        let mut text = Rich::new().ink(Ink::Strong, &codes.join(", "));
        // What several have in common has no title.
        if let [one] = group.faults.as_slice()
            && (full || one.fault.starts_with("belief."))
        {
            text = text.plain(" (").plain(&one.title).plain(")");
        }
        text = text.plain(" – ").plain(group.because).ids(group.evidence);
        canvas.hanging(Rich::new().ink(Ink::Good, "  – "), "    ", text);
    }
    let rest: Vec<&str> =
        groups[shown..].iter().flat_map(|group| &group.faults).map(|fault| fault.fault.as_str()).collect();
    if !rest.is_empty() {
        let text = Rich::new()
            .plain(&format!("and {} more: {} ", rest.len(), wording::codes(&rest)))
            .ink(Ink::Dim, &format!("(why: {})", super::FULL));
        canvas.hanging(Rich::new().ink(Ink::Good, "  – "), "    ", text);
    }
}

pub(super) fn unknown(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let gaps = outline::gaps(diagnosis);
    if gaps.is_empty() {
        return;
    }
    let number = wording::count(diagnosis.unknown.len(), "fault");
    canvas.heading("Not known", Rich::new().ink(Ink::Dim, &format!("{number} neither found nor ruled out")));
    let full = canvas.options().is_full();
    let shown = if full || gaps.len() <= GAPS + 1 { gaps.len() } else { GAPS };
    for gap in &gaps[..shown] {
        missing(canvas, gap);
    }
    if shown < gaps.len() {
        let named = gaps[..shown].iter().flat_map(|gap| &gap.faults).map(|fault| &fault.fault);
        let named: std::collections::BTreeSet<&String> = named.collect();
        let rest = diagnosis.unknown.iter().map(|fault| &fault.fault).filter(|fault| !named.contains(fault));
        let rest: Vec<&str> = rest.map(String::as_str).collect();
        let mut text = format!("and {}", wording::more(gaps.len() - shown, "missing piece"));
        if !rest.is_empty() {
            text.push_str(&format!(", leaving open {}", wording::codes(&rest)));
        }
        let text = Rich::new().plain(&text).ink(Ink::Dim, &format!(" ({})", super::FULL));
        canvas.hanging(Rich::new().ink(Ink::Doubt, "  ? "), "    ", text);
    }
}

fn missing(canvas: &mut Canvas<'_>, gap: &Gap<'_>) {
    let codes: Vec<&str> = gap.faults.iter().map(|fault| fault.fault.as_str()).collect();
    let open = Rich::new().ink(Ink::Strong, &wording::codes(&codes));
    let mark = Rich::new().ink(Ink::Doubt, "  ? ");
    if gap.evidence.is_empty() {
        return canvas.hanging(mark, "    ", open);
    }
    let text = Rich::new().plain(gap.evidence).plain(": ").plain(gap.reason).ids(gap.calls);
    canvas.hanging(mark, "    ", text);
    canvas.hanging(Rich::new().ink(Ink::Dim, "    leaves open "), "    ", open);
    if let Some(command) = gap.command.filter(|command| !command.trim().is_empty()) {
        canvas.verbatim(6, command);
    }
}
