//! The pages of the catalogue about the faults that were found.
//!
//! The pages are our own Markdown; what is shown of it is headings, paragraphs, lists, code and links.

use launchpath_diagnose::faults;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::{Report, code, section};
use crate::diagnosis::{Cause, CauseStatus, Diagnosis};
use crate::markup::Markup;

/// Pages of mere suspects: those of the first few.
const MOST_SUSPECTS: usize = 3;

/// The causes whose pages are shown, each kind once.
fn shown(diagnosis: &Diagnosis) -> Vec<&Cause> {
    let suspects =
        diagnosis.causes.iter().filter(|cause| cause.status == CauseStatus::Possible).take(MOST_SUSPECTS);
    let found = diagnosis.causes.iter().filter(|cause| cause.status != CauseStatus::Possible);
    let mut all: Vec<&Cause> = Vec::new();
    for cause in found.chain(&diagnosis.also_blocking).chain(suspects) {
        if all.iter().all(|known| known.fault != cause.fault) {
            all.push(cause);
        }
    }
    all
}

/// Whether the page about the cause's fault is shown.
pub(super) fn is_shown(diagnosis: &Diagnosis, cause: &Cause) -> bool {
    shown(diagnosis).iter().any(|shown| shown.fault == cause.fault)
}

pub(super) fn write(html: &mut Markup, report: &Report<'_>) {
    let pages: Vec<&faults::Fault> =
        shown(report.diagnosis).iter().filter_map(|cause| faults::find(&cause.fault)).collect();
    if pages.is_empty() {
        return;
    }
    section(html, "appendix", "About these kinds of fault", |html| {
        for fault in pages {
            let id = format!("page-{}", fault.code);
            html.element("details", &[("id", &id), ("class", "page")], |html| {
                html.element("summary", &[], |html| {
                    html.leaf("code", &[], fault.code);
                    html.text(&format!(" {}", fault.title));
                });
                document(html, fault.doc);
            });
        }
    });
}

/// One page.
fn document(html: &mut Markup, markdown: &str) {
    let mut events = Parser::new(markdown);
    while let Some(event) = events.next() {
        node(html, event, &mut events);
    }
}

/// Writes one event and, where it opens an element, everything up to its end.
fn node<'a>(html: &mut Markup, event: Event<'a>, rest: &mut Parser<'a>) {
    match event {
        Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => html.text(&text),
        Event::Code(text) => html.leaf("code", &[], &text),
        Event::SoftBreak | Event::HardBreak => html.text(" "),
        Event::Start(Tag::CodeBlock(_)) => {
            let mut text = String::new();
            for event in rest.by_ref() {
                match event {
                    Event::End(TagEnd::CodeBlock) => break,
                    Event::Text(part) => text.push_str(&part),
                    _ => {}
                }
            }
            code(html, &text);
        }
        Event::Start(tag) => {
            let end = tag.to_end();
            let mut inside = |html: &mut Markup| {
                while let Some(event) = rest.next() {
                    if event == Event::End(end) {
                        return;
                    }
                    node(html, event, rest);
                }
            };
            match tag {
                Tag::Heading { .. } => html.element("h3", &[], inside),
                Tag::Paragraph => html.element("p", &[], inside),
                Tag::List(None) => html.element("ul", &[], inside),
                Tag::List(Some(_)) => html.element("ol", &[], inside),
                Tag::Item => html.element("li", &[], inside),
                Tag::Strong => html.element("strong", &[], inside),
                Tag::Emphasis => html.element("em", &[], inside),
                Tag::Link { dest_url, .. } if dest_url.starts_with("https://") => {
                    html.element("a", &[("href", &dest_url), ("rel", "noreferrer")], inside);
                }
                _ => inside(html),
            }
        }
        _ => {}
    }
}
