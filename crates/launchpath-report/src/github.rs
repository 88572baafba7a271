//! GitHub Actions: workflow commands that annotate a run.
//!
//! An annotation is a line `::error title=…::message`. Foreign text is escaped as the runner unescapes it, so no log line can
//! become a command of its own. The page for `$GITHUB_STEP_SUMMARY` is Markdown: `markdown/mod.rs` writes it.

use crate::clean;
use crate::diagnosis::{Cause, CauseStatus, Diagnosis, Verdict};
use crate::{outline, wording};

/// Suspects with an annotation of their own: a run shows ten of each level, and the warnings are notices as well.
const MOST_SUSPECTS: usize = 5;

/// The diagnosis as annotations, ending in a line feed.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    let level = match diagnosis.verdict {
        Verdict::Launches => "notice",
        Verdict::Blocked => "error",
        Verdict::Undecided | Verdict::NoFaultFound => "warning",
    };
    let title = format!("{}: {}", wording::verdict(diagnosis.verdict), outline::runtime_name(diagnosis));
    let mut message = wording::sentence(&outline::headline(diagnosis));
    if let Some((kind, step)) = outline::first_step(diagnosis) {
        message.push_str(&format!("\n{kind}: {}", wording::sentence(&step)));
    }
    annotate(&mut out, level, &title, &message);
    let all = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
    let (suspects, found): (Vec<&Cause>, Vec<&Cause>) =
        all.partition(|cause| cause.status == CauseStatus::Possible);
    for cause in found.iter().chain(suspects.iter().take(MOST_SUSPECTS)) {
        self::cause(&mut out, cause);
    }
    if let Some(rest) = suspects.get(MOST_SUSPECTS..).filter(|rest| !rest.is_empty()) {
        let lines = rest.iter().map(|cause| {
            format!("{} – {} ({})", cause.fault, cause.title, wording::percent(cause.probability))
        });
        let title = wording::more(rest.len(), "suspect");
        annotate(&mut out, "notice", &title, &lines.collect::<Vec<String>>().join("\n"));
    }
    for warning in &diagnosis.warnings {
        let title = format!("{} – {}", warning.code, wording::capital(&warning.title));
        annotate(&mut out, "notice", &title, &wording::sentence(&warning.text));
    }
    out
}

fn cause(out: &mut String, cause: &Cause) {
    let level = match cause.status {
        CauseStatus::Confirmed => "error",
        CauseStatus::Likely => "warning",
        CauseStatus::Possible => "notice",
    };
    let sure = match cause.status {
        CauseStatus::Confirmed => "confirmed".to_owned(),
        status => format!("{} {}", wording::status(status), wording::percent(cause.probability)),
    };
    let title = format!("{} – {} ({sure})", cause.fault, cause.title);
    let mut lines: Vec<String> = Vec::new();
    if !cause.subjects.is_empty() {
        lines.push(format!("At fault: {}", cause.subjects.join(", ")));
    }
    // What a line quotes stands in the report, not here.
    let line = |text: &str| wording::split_quote(text).0.trim_end_matches(':').to_owned();
    lines.extend(cause.because.iter().map(|because| line(&because.text)));
    lines.extend(cause.fix.iter().map(|fix| format!("Fix: {}", fix.summary)));
    annotate(out, level, &title, &lines.join("\n"));
}

fn annotate(out: &mut String, level: &str, title: &str, message: &str) {
    let message = clean::lines(message).join("\n");
    out.push_str(&format!("::{level} title={}::{}\n", property(title), data(&message)));
}

/// A message as the runner reads it back: `toCommandValue` and `escapeData` of its toolkit.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: as a message, and neither ends the property nor the properties.
fn property(text: &str) -> String {
    data(&clean::line(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{annotate, data, property};

    #[test]
    fn nothing_ends_a_message_or_a_property() {
        assert_eq!(data("50 %\n::error::x"), "50 %25%0A::error::x");
        assert_eq!(property("a:b,c%\nd"), "a%3Ab%2Cc%25 d");
        let mut out = String::new();
        annotate(&mut out, "error", "t\n::add-mask::x", "one\r\n::set-output name=a::b");
        assert_eq!(out.lines().count(), 1, "{out}");
    }
}
