//! The launch chain as a picture: a rail of signs, one line per stage, the break as a gap in it, and `╎` beside the
//! stages of which one breaks.
//!
//! ```text
//!   ✔ reached      Network attached    interface created by the service-linked role [c14 c22]
//! ──╳── break      between Network attached and Health check
//!  ╎? unknown      Image fetched       no pull was seen
//!  ╎✘ failed       Health check        424 Runtime health check failed or timed out [c3]
//!  ╰? unknown      Log delivery        beside the path: …
//! ```

use unicode_width::UnicodeWidthStr;

use crate::canvas::{Canvas, Ink, Rich};
use crate::diagnosis::{ChainStage, Diagnosis, StageState};
use crate::options::Options;
use crate::outline::{self, ChainRow};
use crate::{clean, wording};

use super::FULL;

/// Columns of the rail, the sign and the word: `  ✔ not reached  `.
const RAIL: usize = 17;
/// Narrower than this, title and note share a column.
const TWO_COLUMNS: usize = 72;
/// So many characters of a note are shown.
const NOTE: usize = 100;
/// The widest title column.
const TITLE: usize = 26;

pub(super) fn write(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    if diagnosis.chain.is_empty() {
        return;
    }
    canvas.gap();
    let rows = outline::chain_rows(diagnosis);
    let rows = if canvas.options().is_full() { rows } else { outline::join_runs(rows) };
    let title_columns = title_columns(&rows);
    for row in rows {
        match row {
            ChainRow::Break => gap(canvas, diagnosis),
            ChainRow::Stages { stages, inside } => stage(canvas, &stages, inside, title_columns),
        }
    }
    let clipped = |stage: &ChainStage| shown_note(canvas.options(), stage) != stage.note;
    if diagnosis.chain.iter().any(clipped) {
        canvas.paragraph(4, Rich::new().ink(Ink::Dim, &format!("notes that end in … are shortened: {FULL}")));
    }
    let absent = outline::not_applicable(diagnosis);
    if !absent.is_empty() {
        let (sign, ..) = wording::state(StageState::NotApplicable);
        let text = format!("not part of this launch: {}", absent.join(", "));
        canvas.hanging(
            Rich::new().ink(Ink::Dim, &format!("  {sign} ")),
            "    ",
            Rich::new().ink(Ink::Dim, &text),
        );
    }
}

fn title_columns(rows: &[ChainRow<'_>]) -> usize {
    let single = rows.iter().filter_map(|row| match row {
        ChainRow::Stages { stages, .. } if stages.len() == 1 => Some(clean::line(&stages[0].title).width()),
        _ => None,
    });
    single.max().unwrap_or(0).min(TITLE)
}

fn stage(canvas: &mut Canvas<'_>, stages: &[&ChainStage], inside: bool, title_columns: usize) {
    let first = stages[0];
    let (sign, word, ink) = wording::state(first.state);
    let rail = match (first.side, inside) {
        (true, _) => " ╰",
        (false, true) => " ╎",
        (false, false) => "  ",
    };
    let lead_rail = if inside && !first.side { " ╎" } else { "  " };
    let prefix =
        Rich::new().ink(Ink::Dim, rail).ink(ink, &format!("{sign} ")).padded(ink, word, 11).plain("  ");
    let titles = stages.iter().map(|stage| stage.title.as_str()).collect::<Vec<_>>().join(" → ");
    let says = !first.note.trim().is_empty();
    let mut note = Rich::new();
    if first.side {
        note = note.ink(Ink::Dim, if says { "beside the path:" } else { "beside the path" }).plain(" ");
    }
    note = note.plain(&shown_note(canvas.options(), first)).ids(&first.evidence);

    if canvas.columns() < TWO_COLUMNS || stages.len() > 1 {
        let lead = format!("{lead_rail}{}", " ".repeat(RAIL - 2));
        let title =
            Rich::new().ink(Ink::Strong, &titles).plain(if says || first.side { " – " } else { " " });
        return canvas.hanging(prefix, &lead, title.then(note));
    }
    let lead = format!("{lead_rail}{}", " ".repeat(RAIL + title_columns));
    let prefix = prefix.padded(Ink::Strong, &titles, title_columns);
    let prefix = if note.is_blank() { prefix } else { prefix.plain("  ") };
    canvas.hanging(prefix, &lead, note);
}

/// The note; a long one of a stage that did not fail is clipped, the whole being in the lists below or in JSON.
fn shown_note(options: &Options, stage: &ChainStage) -> String {
    if options.is_full() || stage.state == StageState::Failed {
        stage.note.clone()
    } else {
        wording::clipped(&stage.note, NOTE)
    }
}

fn gap(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let note = outline::break_note(diagnosis);
    // The word stands in the column of the states already.
    let note = note.strip_prefix("the launch breaks ").unwrap_or(&note);
    let prefix = Rich::new().ink(Ink::BadStrong, &format!("{:<RAIL$}", "──╳── break"));
    canvas.hanging(prefix, &" ".repeat(RAIL), Rich::new().ink(Ink::BadStrong, note));
}
