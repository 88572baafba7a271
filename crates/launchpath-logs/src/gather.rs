//! Keeps what the scanner meets, within limits.

use std::collections::{BTreeMap, BTreeSet};

use launchpath_image::traceback::{self, Language};
use launchpath_model::service;

use crate::assembly::Assembly;
use crate::event::Event;
use crate::report::{Found, Place, Report, TracebackGroup};
use crate::signature::{Kind, table};

/// Groups of tracebacks that are kept apart.
const MOST_GROUPS: usize = 500;
/// Lines of a signature that a diagnosis gets to see: so many from the beginning, as many from the end.
const LINES_EACH_END: usize = 3;

/// What was met so far.
#[derive(Default)]
pub(crate) struct Gather {
    /// The file that is read, as it was named.
    pub(crate) file: String,
    found: BTreeMap<usize, Tally>,
    groups: BTreeMap<String, Group>,
    not_kept: u64,
}

struct Tally {
    count: u64,
    fault: Option<String>,
    means: String,
    first: Vec<Place>,
    last: Vec<Place>,
}

struct Group {
    plain: TracebackGroup,
    first: Vec<Event>,
    last: Vec<Event>,
}

impl Gather {
    /// A line holds these signatures.
    pub(crate) fn line(&mut self, signatures: &BTreeSet<usize>, event: &Event) {
        for &index in signatures {
            let signature = &table().signatures[index];
            let place = || Place { file: self.file.clone(), event: event.clone() };
            let tally = self.found.entry(index).or_insert_with(|| {
                let own = (signature.kind == Kind::Service)
                    .then(|| service::recognise_error(&event.text))
                    .flatten();
                Tally {
                    count: 0,
                    fault: signature.fault.clone().or_else(|| own.and_then(|own| own.fault.clone())),
                    means: own.map_or_else(|| signature.means.clone(), |own| own.means.clone()),
                    first: Vec::new(),
                    last: Vec::new(),
                }
            });
            tally.count += 1;
            if tally.first.len() < LINES_EACH_END {
                tally.first.push(place());
            } else {
                if tally.last.len() == LINES_EACH_END {
                    tally.last.remove(0);
                }
                tally.last.push(place());
            }
        }
    }

    /// A traceback came to its end.
    pub(crate) fn traceback(&mut self, assembly: Assembly) {
        let text = assembly.text();
        let Some(found) = traceback::find(&text).pop() else { return };
        let headline = found.headline();
        let Some(begin) = assembly.events.first() else { return };
        let place = Place { file: self.file.clone(), event: begin.clone() };
        if let Some(group) = self.groups.get_mut(&headline) {
            group.plain.count += 1;
            group.plain.last = place;
            group.last = assembly.events;
            return;
        }
        if self.groups.len() >= MOST_GROUPS {
            self.not_kept += 1;
            return;
        }
        let plain = TracebackGroup {
            headline: headline.clone(),
            language: language(found.language).to_owned(),
            count: 1,
            first: place.clone(),
            last: place,
            text: found.text,
        };
        self.groups.insert(headline, Group { plain, first: assembly.events, last: Vec::new() });
    }

    /// Everything, and the lines that are worth keeping.
    pub(crate) fn finish(self, report: &mut Report) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        for (index, tally) in self.found {
            let signature = &table().signatures[index];
            let places = || tally.first.iter().chain(&tally.last);
            events.extend(places().map(|place| place.event.clone()));
            let (Some(first), Some(last)) = (places().next(), places().next_back()) else { continue };
            report.found.push(Found {
                signature: signature.id.clone(),
                kind: signature.kind,
                means: tally.means,
                fault: tally.fault,
                count: tally.count,
                first: first.clone(),
                last: last.clone(),
            });
        }
        for group in self.groups.into_values() {
            events.extend(group.first);
            events.extend(group.last);
            report.tracebacks.push(group.plain);
        }
        report.tracebacks.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.headline.cmp(&b.headline)));
        report.tracebacks_not_kept = self.not_kept;
        events
    }
}

fn language(language: Language) -> &'static str {
    match language {
        Language::Python => "Python",
        Language::Node => "Node.js",
        Language::Java => "Java",
        Language::Go => "Go",
        Language::DotNet => ".NET",
        Language::Ruby => "Ruby",
    }
}
