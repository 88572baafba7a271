//! The launch chain as a line with its stations: the note and the calls of each stage on click.

use super::picture::rail::{self, Rail};
use super::{Report, section};
use crate::diagnosis::{ChainStage, StageState};
use crate::markup::Markup;
use crate::outline::{self, ChainRow};
use crate::wording;

pub(super) fn write(html: &mut Markup, report: &Report<'_>) {
    if report.diagnosis.chain.is_empty() {
        return;
    }
    section(html, "chain", "How far the launch gets", |html| {
        let rows = outline::chain_rows(report.diagnosis);
        let last = rows.len().saturating_sub(1);
        let mut number = 0;
        html.element("ol", &[("class", "chain")], |html| {
            for (index, row) in rows.iter().enumerate() {
                let ends = Rail { first: index == 0, last: index == last };
                match row {
                    ChainRow::Break => html.element("li", &[("class", "break")], |html| {
                        rail::broken(html, &ends);
                        let note = wording::sentence(&outline::break_note(report.diagnosis));
                        html.leaf("p", &[], &note);
                    }),
                    ChainRow::Stages { stages, inside } => {
                        for stage in stages {
                            station(html, report, stage, &Place { number, ends: &ends, inside: *inside });
                            number += 1;
                        }
                    }
                }
            }
        });
        let absent = outline::not_applicable(report.diagnosis);
        if !absent.is_empty() {
            html.leaf("p", &[("class", "fine")], &format!("Not part of this launch: {}.", absent.join(", ")));
        }
    });
}

/// Where a stage stands on the line.
struct Place<'a> {
    number: usize,
    ends: &'a Rail,
    inside: bool,
}

fn station(html: &mut Markup, report: &Report<'_>, stage: &ChainStage, place: &Place<'_>) {
    let (_, word, _) = wording::state(stage.state);
    let id = format!("stage-{}", place.number);
    html.element("li", &[("id", &id), ("class", class(stage.state))], |html| {
        rail::station(html, place.ends, stage);
        let open: &[(&str, &str)] = if stage.state == StageState::Failed { &[("open", "")] } else { &[] };
        html.element("details", open, |html| {
            html.element("summary", &[], |html| {
                html.leaf("strong", &[], &stage.title);
                html.leaf("span", &[("class", "state")], &format!(" {word}"));
                if stage.side {
                    html.leaf("span", &[("class", "fine")], " beside the path");
                } else if place.inside && stage.state == StageState::Unknown {
                    html.leaf("span", &[("class", "fine")], " in the break");
                }
            });
            let note = if stage.note.is_empty() { "Nothing more is known." } else { &stage.note };
            html.leaf("p", &[], &wording::sentence(note));
            calls(html, report, stage);
        });
    });
}

/// The calls that show it, with what they were.
fn calls(html: &mut Markup, report: &Report<'_>, stage: &ChainStage) {
    if stage.evidence.is_empty() {
        return;
    }
    html.element("ul", &[("class", "plain")], |html| {
        for id in &stage.evidence {
            html.element("li", &[], |html| {
                report.cited(html, std::slice::from_ref(id));
                if let Some((_, record)) = report.call(id) {
                    let at = record.at.map_or_else(String::new, |at| format!(" at {at}"));
                    let outcome = wording::outcome(record.outcome);
                    html.text(&format!("{} {}: {outcome}{at}", record.service, record.operation));
                }
            });
        }
    });
}

/// The style of a state.
pub(super) fn class(state: StageState) -> &'static str {
    match state {
        StageState::Reached => "reached",
        StageState::Failed => "failed",
        StageState::NotReached => "not-reached",
        StageState::Unknown => "unknown",
        StageState::NotApplicable => "not-applicable",
    }
}
