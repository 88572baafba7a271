//! The analysis: symptom, launch chain, causes with their reasoning, what is ruled out, the comparison.

use crate::diagnosis::{Because, Cause, CauseStatus, Diagnosis, Difference, StageState};
use crate::outline::{self, ChainRow};
use crate::wording;

use super::escape::{Place, code, fence, text};
use super::{Page, cited, listed};

pub(super) fn symptom(page: &mut Page, diagnosis: &Diagnosis) {
    let failed = outline::failed_invocations(diagnosis);
    if failed.is_empty() && diagnosis.statements.is_empty() {
        return;
    }
    page.block("## Symptom");
    for record in failed {
        let at = record.at.map_or_else(String::new, |at| format!(" at {at}"));
        let id = code(Place::Flow, record.id.as_str());
        page.block(&format!("{}{at} ({id}):", text(Place::Flow, &record.operation)));
        let error = record.error.clone().unwrap_or_default();
        let message = crate::clean::line(&format!("{}: {}", error.code, error.message));
        page.block(&fence(0, "text", &[message]));
    }
    if !diagnosis.statements.is_empty() {
        page.block("Reported by people, not counted as proof:");
        page.gap();
        for saying in &diagnosis.statements {
            let by =
                saying.by.as_deref().map_or_else(String::new, |by| format!("{}: ", text(Place::Flow, by)));
            let said = text(Place::Flow, &saying.text);
            page.line(&format!("- {by}“{said}”{}", cited(Place::Flow, &saying.evidence)));
        }
    }
}

pub(super) fn chain(page: &mut Page, diagnosis: &Diagnosis) {
    if diagnosis.chain.is_empty() {
        return;
    }
    page.block("## How far the launch gets");
    page.block("| | Stage | State | What shows it | Evidence |\n|---|---|---|---|---|");
    for row in outline::chain_rows(diagnosis) {
        match row {
            ChainRow::Break => {
                let note = text(Place::Cell, &outline::break_note(diagnosis));
                page.line(&format!("| **╳** | **break** | | **{note}** | |"));
            }
            ChainRow::Stages { stages, inside } => {
                for stage in stages {
                    let (sign, word, _) = wording::state(stage.state);
                    let open = inside && !stage.side && stage.state == StageState::Unknown;
                    let inside = if open { " (in the break)" } else { "" };
                    let side = if stage.side { " (beside the path)" } else { "" };
                    let title = text(Place::Cell, &stage.title);
                    let note = text(Place::Cell, &stage.note);
                    let evidence = listed(Place::Cell, &stage.evidence);
                    page.line(&format!("| {sign} | {title}{side} | {word}{inside} | {note} | {evidence} |"));
                }
            }
        }
    }
    let absent = outline::not_applicable(diagnosis);
    if !absent.is_empty() {
        page.block(&format!("Not part of this launch: {}.", text(Place::Flow, &absent.join(", "))));
    }
}

pub(super) fn causes(page: &mut Page, diagnosis: &Diagnosis) {
    if let Some(cause) = diagnosis.primary() {
        page.block("## Root cause");
        self::cause(page, cause);
    }
    let others = outline::other_causes(diagnosis);
    if others.is_empty() {
        return;
    }
    page.block(if diagnosis.primary().is_some() { "## Other suspects" } else { "## Possible causes" });
    for cause in others {
        self::cause(page, cause);
    }
}

fn cause(page: &mut Page, cause: &Cause) {
    let sure = format!("{}, {}", wording::status(cause.status), wording::percent(cause.probability));
    page.block(&format!(
        "**{}** {} ({})",
        code(Place::Flow, &cause.fault),
        text(Place::Flow, &cause.title),
        text(Place::Flow, &sure)
    ));
    if !cause.subjects.is_empty() {
        let subjects: Vec<String> = cause.subjects.iter().map(|subject| code(Place::Flow, subject)).collect();
        let label = if cause.status == CauseStatus::Possible { "About" } else { "At fault" };
        page.block(&format!("{label}: {}", subjects.join(", ")));
    }
    reasons(page, &cause.because);
}

fn reasons(page: &mut Page, because: &[Because]) {
    if because.is_empty() {
        return;
    }
    page.block("| Odds | Why | Evidence |\n|---:|---|---|");
    for reason in because {
        let (said, _) = wording::split_quote(&reason.text);
        let (weight, why) = (wording::weight(reason.weight), text(Place::Cell, said));
        page.line(&format!("| {weight} | {why} | {} |", listed(Place::Cell, &reason.evidence)));
    }
    for quoted in because.iter().filter_map(|reason| wording::split_quote(&reason.text).1) {
        page.block(&fence(0, "text", &crate::clean::lines(quoted)));
    }
}

pub(super) fn also_blocking(page: &mut Page, diagnosis: &Diagnosis) {
    let next = outline::blocking_next(diagnosis);
    if !next.is_empty() {
        page.block("## Also blocking");
        page.block("Once the first cause is mended, the launch stops here next.");
        for cause in next {
            self::cause(page, cause);
        }
    }
    let beside = outline::beside(diagnosis);
    if !beside.is_empty() {
        page.block("## Beside the launch");
        page.block("This stops no launch and is wrong all the same.");
        for cause in beside {
            self::cause(page, cause);
        }
    }
}

pub(super) fn warnings(page: &mut Page, diagnosis: &Diagnosis) {
    if diagnosis.warnings.is_empty() {
        return;
    }
    page.block("## Beware");
    page.gap();
    for warning in &diagnosis.warnings {
        let (title, code) =
            (text(Place::Flow, &wording::capital(&warning.title)), code(Place::Flow, &warning.code));
        let what = text(Place::Flow, &wording::capital(&warning.text));
        page.line(&format!("- **{title}** ({code}) {what}{}", cited(Place::Flow, &warning.evidence)));
        if let Some(command) = &warning.command {
            page.line(&fence(2, "sh", &[crate::clean::line(command)]));
        }
    }
}

pub(super) fn ruled_out(page: &mut Page, diagnosis: &Diagnosis) {
    if diagnosis.ruled_out.is_empty() {
        return;
    }
    page.block("## Ruled out");
    page.block("| Theory | How we know | Evidence |\n|---|---|---|");
    for group in outline::refutations(diagnosis) {
        for fault in &group.faults {
            page.line(&format!(
                "| {} {} | {} | {} |",
                code(Place::Cell, &fault.fault),
                text(Place::Cell, &fault.title),
                text(Place::Cell, group.because),
                listed(Place::Cell, group.evidence)
            ));
        }
    }
}

fn explanation(difference: &Difference) -> String {
    match (&difference.explains, &difference.explains_not) {
        (Some(how), _) => format!("yes: {}", text(Place::Cell, how)),
        (None, Some(not)) => format!("no: {}", text(Place::Cell, not)),
        (None, None) => "–".to_owned(),
    }
}

pub(super) fn comparison(page: &mut Page, diagnosis: &Diagnosis) {
    let Some(comparison) = &diagnosis.comparison else { return };
    let further = outline::gets_further(comparison);
    page.block(&format!(
        "## Comparison with {}",
        if further { "a runtime that gets further" } else { "another runtime" }
    ));
    page.block(&format!(
        "{}{}: {}{}",
        code(Place::Flow, &comparison.with),
        if further { " gets further" } else { "" },
        text(Place::Flow, &comparison.works_because),
        cited(Place::Flow, &comparison.evidence)
    ));
    if !comparison.differences.is_empty() {
        page.block("| Aspect | Here | There | Can it explain the break? |\n|---|---|---|---|");
    }
    for difference in &comparison.differences {
        page.line(&format!(
            "| {} | {} | {} | {} |",
            text(Place::Cell, &difference.what),
            text(Place::Cell, &difference.here),
            text(Place::Cell, &difference.there),
            explanation(difference)
        ));
    }
    if !comparison.same.is_empty() {
        page.block(&format!("The same: {}.", text(Place::Flow, &comparison.same.join(", "))));
    }
    if !comparison.not_compared.is_empty() {
        page.block("Not compared, for want of evidence:");
        page.gap();
        for open in &comparison.not_compared {
            page.line(&format!("- {}: {}", text(Place::Flow, &open.what), text(Place::Flow, &open.why)));
        }
    }
}
