//! Why: the primary cause with its reasoning, then the other suspects with their share of the probability.

use crate::canvas::{Canvas, Ink, Rich};
use crate::clean;
use crate::diagnosis::{Because, Cause, Diagnosis};
use crate::{outline, wording};

use super::FULL;

/// So many suspects get a line of their own.
const SHOWN: usize = 8;
/// Cells of a probability bar.
const CELLS: usize = 10;
/// Narrower than this, a suspect has no bar.
const BAR_FROM: usize = 60;

pub(super) fn primary(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let Some(cause) = diagnosis.primary() else { return };
    let sure = format!("({}, {})", wording::status(cause.status), wording::percent(cause.probability));
    let text = Rich::new()
        .ink(Ink::Strong, &cause.fault)
        .plain(" – ")
        .plain(&cause.title)
        .plain(" ")
        .ink(Ink::Dim, &sure);
    canvas.heading("Why", text);
    subjects(canvas, cause, 2);
    reasons(canvas, &cause.because, 2);
}

pub(super) fn suspects(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let others = outline::other_causes(diagnosis);
    if others.is_empty() {
        return;
    }
    let title = if diagnosis.primary().is_some() { "Other suspects" } else { "Suspects" };
    canvas.heading(title, Rich::new());
    let full = canvas.options().is_full();
    let shown = if full || others.len() <= SHOWN + 1 { others.len() } else { SHOWN };
    for (rank, cause) in others[..shown].iter().enumerate() {
        suspect(canvas, cause);
        // Without a primary cause the first suspect is what the reader asks about.
        if full || (rank == 0 && diagnosis.primary().is_none()) {
            subjects(canvas, cause, 6);
            reasons(canvas, &cause.because, 6);
        }
    }
    let rest = &others[shown..];
    if let Some(next) = rest.first() {
        let codes: Vec<&str> = rest.iter().map(|cause| cause.fault.as_str()).collect();
        let most = wording::percent(next.probability);
        let most = if most.starts_with('<') { most } else { format!("at most {most}") };
        let text = format!("and {} more of {most} each: {}", rest.len(), codes.join(", "));
        canvas.paragraph(2, Rich::new().plain(&text));
    }
    if !full {
        canvas.paragraph(2, Rich::new().ink(Ink::Dim, &format!("the reasoning for each: {FULL}")));
    }
}

fn suspect(canvas: &mut Canvas<'_>, cause: &Cause) {
    let ink = Ink::Doubt;
    let mut prefix = Rich::new().plain("  ");
    let mut indent = 2 + 5 + 2 + 10;
    if canvas.columns() >= BAR_FROM {
        prefix = prefix.ink(ink, &bar(cause.probability)).plain(" ");
        indent += CELLS + 1;
    }
    prefix = prefix.plain(&format!("{:>5}", wording::percent(cause.probability))).plain("  ").padded(
        Ink::Plain,
        wording::status(cause.status),
        10,
    );
    let text = Rich::new().ink(Ink::Strong, &cause.fault).plain(" – ").plain(&cause.title);
    canvas.hanging(prefix, &" ".repeat(indent), text);
}

fn bar(share: f64) -> String {
    let cells = f64::from(u8::try_from(CELLS).unwrap_or(u8::MAX));
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and CELLS")]
    let full = (share * cells).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(CELLS - full))
}

/// The resources that the cause is about.
fn subjects(canvas: &mut Canvas<'_>, cause: &Cause, indent: usize) {
    if !cause.subjects.is_empty() {
        let indent = " ".repeat(indent);
        let prefix = Rich::new().ink(Ink::Dim, &format!("{indent}at "));
        canvas.hanging(prefix, &format!("{indent}   "), Rich::new().plain(&cause.subjects.join(", ")));
    }
}

/// The lines of the reasoning, each with the factor by which it changes the odds.
pub(super) fn reasons(canvas: &mut Canvas<'_>, because: &[Because], indent: usize) {
    for reason in because {
        let prefix = Rich::new()
            .plain(&" ".repeat(indent))
            .ink(Ink::Dim, &format!("{:>6}", wording::weight(reason.weight)))
            .plain("  ");
        let (text, quoted) = wording::split_quote(&reason.text);
        canvas.hanging(prefix, &" ".repeat(indent + 8), Rich::new().plain(text).ids(&reason.evidence));
        for line in quoted.map(clean::lines).into_iter().flatten() {
            canvas.verbatim(indent + 10, &line);
        }
    }
}
