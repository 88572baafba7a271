//! `launchpath verify`: a certificate, re-checked against the bundle it is about.
//!
//! Everything is re-checked in `launchpath-verify`, which shares no code with the engine. Here: reading the two files and showing
//! the answer. Start with [`run`].

use launchpath_report::Options;
use launchpath_verify::{Outcome, Report, Standing};
use serde_json::Value;

use super::page::Page;
use crate::cli::{AnswerFormat, Global, HowMuch, VerifyArguments};
use crate::failure::Failure;
use crate::{disk, output, query};

/// Statements that were not re-checked and are shown unless all are asked for.
const MOST_SHOWN: usize = 12;

/// Runs the command: 0 everything decisive was re-checked and holds, 1 something does not hold, 3 something decisive could not be
/// re-checked.
pub(crate) fn run(global: &Global, arguments: &VerifyArguments) -> Result<u8, Failure> {
    let name = arguments.certificate.display();
    let malformed = |why: String| Failure::malformed(anyhow::anyhow!("{name}: {why}"));
    let bytes = disk::bytes(&arguments.certificate)?;
    let certificate: Value = serde_json::from_slice(&bytes)
        .map_err(|error| malformed(format!("expected a certificate: {error}")))?;
    let bundle = disk::document(&arguments.bundle)?;
    let report = launchpath_verify::check(&certificate, &bundle).map_err(|error| {
        malformed(error.to_string()).advise("`launchpath diagnose --format certificate` writes one")
    })?;
    let options = output::options(global, arguments.output.is_some(), arguments.detail);
    let json = || format!("{:#}\n", serde_json::to_value(&report).unwrap_or_default());
    let shown = query::shown(global.query.as_ref(), json, || match arguments.format {
        AnswerFormat::Json => json(),
        AnswerFormat::Text => text(&report, arguments.detail, &options),
    })?;
    output::deliver(&shown, arguments.output.as_deref())?;
    Ok(report.exit_code())
}

fn text(report: &Report, detail: HowMuch, options: &Options) -> String {
    let heading = match report.result {
        Outcome::Confirmed => "The certificate holds",
        Outcome::Refuted => "The certificate does not hold",
        Outcome::Incomplete => {
            "Nothing in the certificate fails, but not all that the verdict rests on could be re-checked"
        }
    };
    let mut page = Page::new(heading);
    page.paragraph(&format!("{}: {}.", report.runtime, report.verdict));
    let counts = report.counts;
    page.paragraph(&format!(
        "{} statements hold, {} fail, {} were not re-checked. What that is worth: docs/certificate.md.",
        counts.holds, counts.fails, counts.not_checked
    ));
    if report.of(Standing::Fails).any(|item| item.at == "/bundle/sha256") {
        page.paragraph("It is about another bundle, or this one was changed since.");
    }
    let sentence =
        |item: &launchpath_verify::Item| format!("{}: {} ({})", item.at, clipped(item.what.trim()), item.why);
    let mut section = |title: &str, items: Vec<&launchpath_verify::Item>, most: usize| {
        if items.is_empty() {
            return;
        }
        page.section(title);
        for item in items.iter().take(most) {
            page.item(&sentence(item));
        }
        if items.len() > most {
            page.item(&format!("and {} more (--detail full)", items.len() - most));
        }
    };
    let most = if detail == HowMuch::Full { usize::MAX } else { MOST_SHOWN };
    let decisive = |standing| report.of(standing).filter(|item| item.decisive).collect();
    section("What fails", report.of(Standing::Fails).collect(), most);
    section("What the verdict rests on, and was not re-checked", decisive(Standing::NotChecked), usize::MAX);
    section("What the verdict rests on, re-checked", decisive(Standing::Holds), usize::MAX);
    if detail == HowMuch::Full {
        let rest = |standing| report.of(standing).filter(|item| !item.decisive).collect();
        section("Not re-checked", rest(Standing::NotChecked), most);
        section("Re-checked", rest(Standing::Holds), most);
    }
    page.finish(options)
}

/// What a process printed may be of any length; a line of the answer is not.
fn clipped(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
