//! The whole chain in one line of signs, for the top of the page.

use super::super::chain::class;
use super::{number, sign};
use crate::diagnosis::{Diagnosis, StageState};
use crate::markup::Markup;
use crate::outline::{self, ChainRow};
use crate::wording;

const STEP: usize = 44;
const MIDDLE: usize = 20;

pub(in super::super) fn write(html: &mut Markup, diagnosis: &Diagnosis) {
    let rows = outline::chain_rows(diagnosis);
    if rows.is_empty() {
        return;
    }
    let width = rows.len() * STEP;
    let (view, wide) = (format!("0 0 {width} 40"), number(width));
    let described = description(diagnosis);
    let attributes = [
        ("class", "strip"),
        ("role", "img"),
        ("aria-label", described.as_str()),
        ("viewBox", view.as_str()),
        ("width", wide.as_str()),
        ("height", "40"),
    ];
    html.element("svg", &attributes, |html| {
        let end = number(width - STEP / 2);
        html.void("line", &[("x1", "22"), ("y1", "20"), ("x2", &end), ("y2", "20"), ("class", "line")]);
        for (index, row) in rows.iter().enumerate() {
            let x = index * STEP + STEP / 2;
            match row {
                ChainRow::Break => {
                    let tear = format!("M{x} 4 L{} 15 L{} 25 L{x} 36", x - 6, x + 6);
                    html.void("path", &[("d", &tear), ("class", "tear")]);
                }
                ChainRow::Stages { stages, .. } => {
                    for stage in stages {
                        html.element("g", &[("class", class(stage.state))], |html| {
                            let (_, word, _) = wording::state(stage.state);
                            html.leaf("title", &[], &format!("{}: {word}", stage.title));
                            sign(html, stage.state, x, MIDDLE, if stage.side { 8 } else { 12 });
                        });
                    }
                }
            }
        }
    });
}

fn description(diagnosis: &Diagnosis) -> String {
    let of = |state: StageState| diagnosis.chain.iter().filter(|stage| stage.state == state).count();
    let counts = [
        (of(StageState::Reached), "reached"),
        (of(StageState::Failed), "failed"),
        (of(StageState::NotReached), "not reached"),
        (of(StageState::Unknown), "unknown"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let broken = match outline::break_note(diagnosis) {
        note if note.is_empty() => String::new(),
        note => format!("; {note}"),
    };
    format!("Stages of the launch: {}{broken}", wording::list(&counts))
}
