//! What to do: the repair with its proof, the next probe, and what would block after the repair.

use crate::canvas::{Canvas, Ink, Rich};
use crate::clean;
use crate::diagnosis::{Cause, Diagnosis, Fix, Safety};
use crate::{outline, wording};

use super::FULL;
use super::cause::reasons;

/// So many probes are shown.
const PROBES: usize = 3;

pub(super) fn fix(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let Some(fix) = outline::primary_fix(diagnosis) else { return };
    let ink = if fix.safety == Safety::Safe { Ink::Good } else { Ink::Doubt };
    let safety = format!("({})", wording::safety(fix.safety));
    canvas.heading("Fix", Rich::new().plain(&fix.summary).plain(" ").ink(ink, &safety));
    repair(canvas, diagnosis, fix, 4);
}

fn repair(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis, fix: &Fix, indent: usize) {
    for command in &fix.aws_cli {
        canvas.verbatim(indent, command);
    }
    if let Some(verified) = &fix.verified {
        let proof = wording::proof(verified, |stage| outline::stage_title(diagnosis, stage));
        let prefix = Rich::new().plain(&" ".repeat(indent - 2)).ink(Ink::Good, "✔ ");
        canvas.hanging(prefix, &" ".repeat(indent), Rich::new().plain(&proof));
    }
    let templates = [("Terraform", &fix.terraform), ("CloudFormation", &fix.cloudformation)];
    let present = templates.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
    let present: Vec<(&str, &String)> = present.collect();
    if canvas.options().is_full() {
        for (name, text) in present {
            canvas.paragraph(indent - 2, Rich::new().ink(Ink::Dim, &format!("as {name}:")));
            for line in clean::lines(text) {
                canvas.verbatim(indent, &line);
            }
        }
    } else if !present.is_empty() {
        let names: Vec<String> = present.iter().map(|(name, _)| (*name).to_owned()).collect();
        let text = format!("the same as {}: {FULL}", wording::list(&names));
        canvas.paragraph(indent - 2, Rich::new().ink(Ink::Dim, &text));
    }
}

pub(super) fn next(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let probes = &diagnosis.next_probes;
    if probes.is_empty() {
        return;
    }
    canvas.heading("Next", Rich::new().plain("what would decide, best first"));
    let shown = if canvas.options().is_full() { probes.len() } else { probes.len().min(PROBES) };
    for (index, probe) in probes[..shown].iter().enumerate() {
        let mut text = Rich::new().plain(&probe.what);
        if !probe.splits.is_empty() {
            text = text.ink(Ink::Dim, &format!(" (tells apart {})", splits(&probe.splits)));
        }
        let prefix = Rich::new().plain(&format!("{:>3}. ", index + 1));
        canvas.hanging(prefix, "     ", text);
        if !probe.command.trim().is_empty() {
            canvas.verbatim(7, &probe.command);
        }
    }
    left_out(canvas, probes.len() - shown, "probe");
}

pub(super) fn also_blocking(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let next = outline::blocking_next(diagnosis);
    if !next.is_empty() {
        canvas.heading("Also blocking", Rich::new().plain("what stops the launch after that"));
        causes(canvas, diagnosis, &next);
    }
    let beside = outline::beside(diagnosis);
    if !beside.is_empty() {
        canvas
            .heading("Beside the launch", Rich::new().plain("what stops nothing and is wrong all the same"));
        causes(canvas, diagnosis, &beside);
    }
}

fn causes(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis, causes: &[&Cause]) {
    for cause in causes {
        let mut text = Rich::new()
            .ink(Ink::Strong, &cause.fault)
            .plain(" at ")
            .plain(&outline::stage_title(diagnosis, &cause.stage))
            .plain(" – ")
            .plain(&cause.title);
        if !cause.subjects.is_empty() {
            text = text.ink(Ink::Dim, &format!(" ({})", cause.subjects.join(", ")));
        }
        canvas.hanging(Rich::new().ink(Ink::Bad, "  ✘ "), "    ", text);
        reasons(canvas, &cause.because, 4);
        if let Some(fix) = &cause.fix {
            let text =
                Rich::new().plain(&fix.summary).ink(Ink::Dim, &format!(" ({})", wording::safety(fix.safety)));
            canvas.hanging(Rich::new().ink(Ink::Strong, "    Fix: "), "    ", text);
            repair(canvas, diagnosis, fix, 6);
        }
    }
}

fn splits(faults: &[String]) -> String {
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    wording::codes(&faults)
}

/// Says how much of a list was not shown and where it is.
pub(super) fn left_out(canvas: &mut Canvas<'_>, number: usize, one: &str) {
    if number > 0 {
        let text = format!("and {}: {FULL}", wording::more(number, one));
        canvas.paragraph(2, Rich::new().ink(Ink::Dim, &text));
    }
}
