//! A root-cause analysis that a team can file, in the order in which engineers write them: summary, symptom, what was
//! looked at, cause, comparison, actions, timeline, and the evidence with the command for every call.
//!
//! It is for a ticket, where nobody can ask for more, so it always shows everything.

mod actions;
mod analysis;
mod escape;
mod record;

use std::collections::BTreeSet;

use launchpath_model::EvidenceId;

use crate::diagnosis::{Diagnosis, Verdict};
use crate::{outline, wording};
use escape::{Place, code, text};

/// The diagnosis as Markdown, ending in a line feed.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    let mut page = Page::default();
    header(&mut page, diagnosis);
    summary(&mut page, diagnosis);
    analysis::symptom(&mut page, diagnosis);
    analysis::chain(&mut page, diagnosis);
    analysis::causes(&mut page, diagnosis);
    analysis::also_blocking(&mut page, diagnosis);
    analysis::warnings(&mut page, diagnosis);
    analysis::ruled_out(&mut page, diagnosis);
    analysis::comparison(&mut page, diagnosis);
    actions::recommended(&mut page, diagnosis);
    actions::unknown(&mut page, diagnosis);
    record::timeline(&mut page, diagnosis);
    record::evidence(&mut page, diagnosis);
    page.finish()
}

/// The largest summary that GitHub takes for one step.
const MOST_SUMMARY_BYTES: usize = 1024 * 1024;

/// The page for `$GITHUB_STEP_SUMMARY`, ending in a line feed: what to know and to do, without the record; whole sections only, as
/// many as GitHub takes.
pub(crate) fn step_summary(diagnosis: &Diagnosis) -> String {
    let sections: [fn(&mut Page, &Diagnosis); 7] = [
        header,
        summary,
        analysis::causes,
        actions::recommended,
        analysis::chain,
        analysis::also_blocking,
        actions::unknown,
    ];
    let mut whole = String::new();
    for section in sections {
        let mut page = Page::default();
        section(&mut page, diagnosis);
        let part = page.finish();
        if whole.len() + part.len() + 1 > MOST_SUMMARY_BYTES {
            break;
        }
        if !whole.is_empty() && !part.is_empty() {
            whole.push('\n');
        }
        whole.push_str(&part);
    }
    whole
}

/// A page being written, block by block.
#[derive(Default)]
struct Page {
    out: String,
}

impl Page {
    /// A block of its own: what was before is closed by an empty line.
    fn block(&mut self, block: &str) {
        if !self.out.is_empty() {
            self.gap();
        }
        self.line(block);
    }

    /// An empty line, never two: what follows is a list.
    fn gap(&mut self) {
        if !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A line that goes on where the last one stopped: a list's next item, a table's next row.
    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn finish(self) -> String {
        self.out
    }
}

/// The calls a statement rests on, as ` (c3, c14)`; nothing when there are none.
fn cited(place: Place, ids: &[EvidenceId]) -> String {
    if ids.is_empty() { String::new() } else { format!(" ({})", listed(place, ids)) }
}

fn listed(place: Place, ids: &[EvidenceId]) -> String {
    let ids: BTreeSet<&EvidenceId> = ids.iter().collect();
    let ids: Vec<String> = ids.iter().map(|id| code(place, id.as_str())).collect();
    ids.join(", ")
}

fn header(page: &mut Page, diagnosis: &Diagnosis) {
    let kind = if diagnosis.verdict == Verdict::Launches { "Launch analysis" } else { "Root cause analysis" };
    page.block(&format!(
        "# {kind}: AgentCore runtime {}",
        text(Place::Flow, outline::runtime_name(diagnosis))
    ));
    let runtime = &diagnosis.runtime;
    let date = diagnosis.reference_time.map(|time| time.to_string());
    let facts = [
        ("Date", &date),
        ("Runtime ID", &runtime.id),
        ("Name", &runtime.name),
        ("ARN", &runtime.arn),
        ("Account", &runtime.account),
        ("Region", &runtime.region),
        ("Status", &runtime.status),
        ("Endpoint", &runtime.endpoint),
        ("Network mode", &runtime.network_mode),
        ("Platform version", &runtime.platform_version),
        ("Protocol", &runtime.protocol),
        ("Artifact", &runtime.artifact),
    ];
    page.block("| | |\n|---|---|");
    for (name, value) in facts {
        if let Some(value) = value {
            page.line(&format!("| **{name}** | {} |", code(Place::Cell, value)));
        }
    }
}

fn summary(page: &mut Page, diagnosis: &Diagnosis) {
    page.block("## Executive summary");
    let mut line = format!("**{}**: ", wording::verdict(diagnosis.verdict));
    if let Some(cause) = diagnosis.primary() {
        line.push_str(&format!("{} {}. ", wording::status(cause.status), code(Place::Flow, &cause.fault)));
    }
    line.push_str(&text(Place::Flow, &outline::headline(diagnosis)));
    page.block(&line);
    let broken = wording::capital(&outline::break_note(diagnosis));
    if !broken.is_empty() && !outline::headline(diagnosis).contains(&broken) {
        page.block(&text(Place::Flow, &wording::sentence(&broken)));
    }
    if let Some((kind, step)) = outline::first_step(diagnosis) {
        page.block(&format!("**{kind}**: {}", text(Place::Flow, &step)));
    }
}
