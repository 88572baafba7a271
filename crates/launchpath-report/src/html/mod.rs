//! One self-contained page: verdict and cause first, the chain and the network paths as pictures, evidence on click.
//!
//! The page opens from a disk without a network: style and script are inside, and its content security policy allows those two
//! by their digests and nothing else, so that even a hole in the escaping could load and run nothing. It reads and works without
//! JavaScript; the script adds buttons that copy and opens what a link points into.
//!
//! Start with [`render`] (the order of the sections), then `markup.rs` (escaping), `picture/` (the drawings).

mod analysis;
mod appendix;
mod chain;
mod doubt;
mod header;
mod picture;
mod record;
mod remedy;

use launchpath_model::EvidenceId;
use sha2::{Digest, Sha256};

use crate::diagnosis::{Diagnosis, EvidenceRecord};
use crate::markup::Markup;
use crate::outline;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The diagnosis as a page, ending in a line feed.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    let report = Report { diagnosis };
    let mut html = Markup::default();
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| head(html, diagnosis));
        html.element("body", &[], |html| {
            html.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the report");
            header::write(html, &report);
            html.element("main", &[("id", "main")], |html| body(html, &report));
            html.element("footer", &[], |html| header::colophon(html, diagnosis));
            html.element("script", &[], |html| html.own(SCRIPT));
        });
    });
    html.into_html()
}

fn body(html: &mut Markup, report: &Report<'_>) {
    analysis::cause(html, report);
    remedy::fix(html, report);
    remedy::plans(html, report);
    analysis::symptom(html, report);
    chain::write(html, report);
    picture::lane::write(html, report);
    analysis::also_blocking(html, report);
    analysis::suspects(html, report);
    remedy::next(html, report);
    analysis::warnings(html, report);
    doubt::ruled_out(html, report);
    doubt::unknown(html, report);
    record::timeline(html, report);
    record::comparison(html, report);
    record::evidence(html, report);
    appendix::write(html, report);
}

fn head(html: &mut Markup, diagnosis: &Diagnosis) {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    html.void("meta", &[("charset", "utf-8")]);
    html.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    html.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    html.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    html.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    let verdict = crate::wording::verdict(diagnosis.verdict);
    html.leaf("title", &[], &format!("{verdict}: {}", outline::runtime_name(diagnosis)));
    // Without one a browser asks the server for an icon.
    html.void("link", &[("rel", "icon"), ("href", "data:,")]);
    html.element("style", &[], |html| html.own(STYLE));
}

/// A source as the content security policy names it.
fn digest(source: &str) -> String {
    use base64::Engine as _;
    let digest = Sha256::digest(source.as_bytes());
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(digest))
}

/// The diagnosis and what the page says of its calls.
struct Report<'a> {
    diagnosis: &'a Diagnosis,
}

impl<'a> Report<'a> {
    /// The call and its place in the list. Ids come from outside: an anchor is made of the place.
    fn call(&self, id: &EvidenceId) -> Option<(usize, &'a EvidenceRecord)> {
        self.diagnosis.evidence.iter().enumerate().find(|(_, record)| record.id == *id)
    }

    /// Links to the calls that a statement rests on; nothing when there are none.
    fn cited(&self, html: &mut Markup, ids: &[EvidenceId]) {
        if ids.is_empty() {
            return;
        }
        let mut ids: Vec<&EvidenceId> = ids.iter().collect();
        ids.sort();
        ids.dedup();
        html.text(" ");
        html.element("span", &[("class", "cited")], |html| {
            for id in ids {
                match self.call(id) {
                    Some((place, record)) => {
                        let title = format!("{} {}", record.service, record.operation);
                        let href = format!("#call-{place}");
                        html.leaf("a", &[("href", &href), ("title", &title)], id.as_str());
                    }
                    None => html.leaf("code", &[], id.as_str()),
                }
                html.text(" ");
            }
        });
    }
}

/// A section with its heading.
fn section(html: &mut Markup, id: &str, title: &str, inside: impl FnOnce(&mut Markup)) {
    let heading = format!("{id}-title");
    html.element("section", &[("id", id), ("aria-labelledby", &heading)], |html| {
        html.leaf("h2", &[("id", &heading)], title);
        inside(html);
    });
}

/// A block that can be copied; the script adds the button.
fn code(html: &mut Markup, text: &str) {
    html.element("pre", &[("class", "copy"), ("tabindex", "0")], |html| {
        html.element("code", &[], |html| html.lines(text));
    });
}

/// A table that scrolls by itself where the page is narrow.
fn table(html: &mut Markup, label: &str, columns: &[&str], rows: impl FnOnce(&mut Markup)) {
    let attributes = [("class", "scroll"), ("role", "region"), ("aria-label", label), ("tabindex", "0")];
    html.element("div", &attributes, |html| {
        html.element("table", &[], |html| {
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for column in columns {
                        html.leaf("th", &[("scope", "col")], column);
                    }
                });
            });
            html.element("tbody", &[], rows);
        });
    });
}
