//! The record as text: the verdict, what broke, what to do, the start, every clause, the log's tail.

use launchpath_image::traceback;
use launchpath_rehearse::contract::clause::{Judged, State};
use launchpath_rehearse::contract::facts::Facts;
use launchpath_rehearse::contract::judge::Verdict;
use launchpath_rehearse::record::{Backend, NetworkAttempt, Record};
use launchpath_report::Options;

use crate::cli::HowMuch;
use crate::commands::page::Page;

/// Lines of output that are shown, unless everything is.
const TAIL: usize = 40;
/// Moments of the start that are shown, unless everything is.
const MOMENTS: usize = 30;

/// The report, ending in a line feed.
pub(crate) fn text(record: &Record, detail: HowMuch, options: &Options) -> String {
    let verdict = record.verdict();
    let mut page = Page::new(&headline(&verdict));
    page.paragraph(&about(record));
    decisive(&mut page, record, &verdict);
    clauses(&mut page, record);
    start(&mut page, record, detail);
    network(&mut page, record);
    printed(&mut page, record, detail);
    if !record.not_checked.is_empty() {
        page.section("Not checked");
        for gap in &record.not_checked {
            page.item(&format!("{}: {}", gap.clause, gap.why));
        }
    }
    if detail == HowMuch::Full {
        rests_on(&mut page, record);
    }
    page.finish(options)
}

fn headline(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "PASSED: every clause of the contract held".to_owned(),
        Verdict::Broken { clause, note, .. } => format!("BROKEN {}: {note}", clause.name()),
        Verdict::Undecided { clause: Some(clause), note } => format!("UNDECIDED {}: {note}", clause.name()),
        Verdict::Undecided { clause: None, note } => format!("UNDECIDED: {note}"),
    }
}

fn about(record: &Record) -> String {
    let mut text = record.image.clone();
    if let Some(platform) = &record.platform {
        text.push_str(&format!(", {}/{}", platform.os, platform.architecture));
        if record.emulated {
            text.push_str(" (emulated)");
        }
    }
    if let Some(digest) = &record.digest {
        text.push_str(&format!(", {digest}"));
    }
    text.push_str(&format!("; held to {} on port {}", record.protocol, record.port));
    if let Some(base) = &record.base {
        text.push_str(&format!("; on {} of {}, which is not AWS's", base.interpreter, base.image));
    }
    if record.backend == Backend::Engine {
        text.push_str(", in a container engine, which sees and holds less than the sandbox");
    }
    text
}

/// What broke, or could not be told, first.
fn decisive(page: &mut Page, record: &Record, verdict: &Verdict) {
    let wanted = match verdict {
        Verdict::Passed => return,
        Verdict::Broken { .. } => State::Broken,
        Verdict::Undecided { .. } => State::Unknown,
    };
    let Some(judged) = record.clauses.iter().find(|judged| judged.state == wanted) else { return };
    page.section(if wanted == State::Broken { "What broke" } else { "What could not be told" });
    page.item(&format!("clause: {}", judged.text));
    page.item(&format!("seen: {}", judged.note));
    if let Some(reason) = judged.reason {
        page.item(&format!("reason: {}", reason.name()));
    }
    if let Some(advice) = &judged.advice {
        page.item(&format!("do: {advice}"));
    }
}

fn clauses(page: &mut Page, record: &Record) {
    page.section("Clauses");
    for judged in &record.clauses {
        page.item(&line(judged));
    }
}

fn line(judged: &Judged) -> String {
    let state = match judged.state {
        State::Held => "held",
        State::Broken => "BROKEN",
        State::Unknown => "unknown",
        State::NotReached => "not reached",
        State::NotApplicable => "not applicable",
    };
    let mut text = format!("{} {state}", judged.clause.name());
    // A held clause with a reason is a remark.
    if let Some(reason) = judged.reason {
        text.push_str(&format!(" ({})", reason.name()));
    }
    text.push_str(&format!(": {}", judged.note));
    text
}

fn start(page: &mut Page, record: &Record, detail: HowMuch) {
    page.section("The start");
    let most = if detail == HowMuch::Full { usize::MAX } else { MOMENTS };
    for entry in record.timeline.iter().take(most) {
        page.item(&format!("{} {}", clock(entry.at_ms), entry.what));
    }
    if record.timeline.len() > most {
        page.item(&format!("and {} more; --detail full shows them", record.timeline.len() - most));
    }
    if let Some(estimate) = record.native_estimate_ms {
        page.item(&format!("healthy after about {} natively, estimated", clock(estimate)));
    }
    // Of a process that never started nothing is counted.
    if let Some(mebibytes) = record.peak_memory_bytes.map(|bytes| bytes >> 20).filter(|used| *used > 0) {
        page.item(&format!("at most {mebibytes} MiB of memory"));
    }
}

fn clock(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}

fn network(page: &mut Page, record: &Record) {
    let attempts = record.network.as_deref().unwrap_or_default();
    if attempts.is_empty() && record.stand_ins.is_empty() {
        return;
    }
    page.section("Network");
    for attempt in attempts.iter().take(TAIL) {
        page.item(&attempted(attempt));
    }
    if attempts.len() > TAIL {
        page.item(&format!("and {} more", attempts.len() - TAIL));
    }
    if !record.stand_ins.is_empty() {
        page.item(&format!(
            "answered by a stand-in, as the diagnosed VPC lets them through: {}",
            record.stand_ins.join(", ")
        ));
    }
}

fn attempted(attempt: &NetworkAttempt) -> String {
    let outcome = match attempt.outcome.as_str() {
        "answered" if attempt.address.is_some() => "answered by a stand-in",
        "answered" => "resolved",
        "no_such_name" => "no such name",
        "dropped" => "dropped",
        other => other,
    };
    let place = match (&attempt.name, &attempt.address, attempt.port) {
        (Some(name), Some(address), Some(port)) => format!("{name} ({address}) port {port}"),
        (None, Some(address), Some(port)) => format!("{address} port {port}"),
        (Some(name), ..) => format!("look-up of {name}"),
        (None, Some(address), None) => address.clone(),
        (None, None, _) => "something".to_owned(),
    };
    let times = if attempt.times > 1 { format!(", {} times", attempt.times) } else { String::new() };
    let diagnosed = if attempt.diagnosed.is_some() { "; the diagnosed VPC blocks it, too" } else { "" };
    format!("{} {place}: {outcome}{times}{diagnosed}", clock(attempt.at_ms))
}

fn printed(page: &mut Page, record: &Record, detail: HowMuch) {
    if record.output.trim().is_empty() {
        return;
    }
    if let Some(traceback) = traceback::find(&record.output).pop() {
        page.section("Last traceback");
        page.paragraph(&traceback.headline());
        if let Some(frame) = traceback.place() {
            page.paragraph(&format!("at {} line {}", frame.file, frame.line));
        }
    }
    let lines: Vec<&str> = record.output.lines().collect();
    let shown = if detail == HowMuch::Full { lines.len() } else { lines.len().min(TAIL) };
    let cut = lines.len() > shown || record.output_truncated;
    page.section(if cut { "Output, its end" } else { "Output" });
    page.block(&lines[lines.len() - shown..].join("\n"));
}

/// What the service asks, and how that is known.
fn rests_on(page: &mut Page, record: &Record) {
    page.section("What the contract rests on");
    for row in Facts::get().rows(record.protocol) {
        let note = row.note.map(|note| format!("; {note}")).unwrap_or_default();
        page.item(&format!("{}: {} ({}: {}{note})", row.what, row.value, row.level.name(), row.source));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use launchpath_rehearse::record::Record;
    use launchpath_report::{Colour, Detail, Options};

    use super::text;
    use crate::cli::HowMuch;

    /// A record of every kind of line, in which the process says hostile things.
    fn record() -> Record {
        serde_json::from_str(include_str!("../../../tests/golden/rehearse/record.json")).unwrap()
    }

    fn at(width: usize, detail: HowMuch) -> String {
        let options = Options { width, colour: Colour::Off, unicode: true, detail: Detail::Normal };
        text(&record(), detail, &options)
    }

    fn golden(name: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rehearse").join(name);
        if std::env::var_os("LAUNCHPATH_UPDATE").is_some() {
            std::fs::write(&path, text).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, known, "{name}: LAUNCHPATH_UPDATE=1 rewrites it");
    }

    #[test]
    fn the_report_fits_its_width() {
        golden("narrow.txt", &at(80, HowMuch::Normal));
        golden("wide.txt", &at(140, HowMuch::Normal));
        golden("full.txt", &at(100, HowMuch::Full));
        let lines = at(80, HowMuch::Normal);
        let prose = lines.lines().filter(|line| !line.starts_with("    "));
        assert!(prose.into_iter().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn nothing_the_process_says_reaches_the_terminal_as_it_came() {
        let text = at(100, HowMuch::Full);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
        assert!(text.contains("~~~~ not the end"), "a line of the output cannot end its block");
    }
}
