//! The expect block: what the diagnosis must say, one line each.
//!
//! ```text
//! verdict: blocked            launches, blocked, undecided, no_fault_found
//! exit: 1
//! primary: CODE [on SUBJECT]  the primary cause, with one of its subjects; `primary: none`
//! status: confirmed           of the primary cause
//! found: CODE [on SUBJECT]    a confirmed or likely cause, primary or also blocking
//! also: CODE                  in also_blocking
//! suspect: CODE               a possible cause
//! top: CODE                   the first of the causes
//! not: PATTERN                no confirmed or likely cause of that code (`net.*` for an area, `*` for any)
//! ruled out: CODE             and not: `not ruled out: CODE`
//! unknown: CODE
//! warning: CODE               and `not warning: CODE`, `no warnings`
//! beware: TEXT                some warning holds the text
//! because: TEXT               some line of the primary cause holds the text
//! fix: TEXT                   the primary cause's fix holds the text, and was proven
//! reaches: STAGE              up to where the proof of the primary cause's fix gets
//! reached: STAGE  failed: STAGE  unclear: STAGE    state of a stage
//! break: LAST..FIRST
//! ```

use launchpath_diagnose::diagnosis::{Cause, CauseStatus, Diagnosis, StageState};

/// One expectation.
pub(crate) struct Expectation {
    key: String,
    value: String,
}

impl Expectation {
    /// Reads `key: value`, or `no warnings`.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        if line == "no warnings" {
            return Ok(Self { key: line.to_owned(), value: String::new() });
        }
        let (key, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is no expectation"))?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }

    /// Whether it expects `fault` first among the causes, or beside an agent that answers.
    pub(crate) fn puts_on_top(&self, fault: &str) -> bool {
        let code = self.value.split(" on ").next();
        matches!(self.key.as_str(), "primary" | "top" | "also") && code == Some(fault)
    }

    /// Checks it; the error says what was expected.
    pub(crate) fn check(&self, diagnosis: &Diagnosis) -> Result<(), String> {
        let holds = self.holds(diagnosis)?;
        if holds { Ok(()) } else { Err(format!("  expected `{}: {}`", self.key, self.value)) }
    }

    fn holds(&self, diagnosis: &Diagnosis) -> Result<bool, String> {
        let value = self.value.as_str();
        let primary = diagnosis.primary();
        Ok(match self.key.as_str() {
            "verdict" => diagnosis.verdict.as_str() == value,
            "exit" => diagnosis.exit_code().to_string() == value,
            "primary" if value == "none" => primary.is_none(),
            "primary" => primary.is_some_and(|cause| is(cause, value)),
            "status" => {
                primary.is_some_and(|cause| format!("{:?}", cause.status).eq_ignore_ascii_case(value))
            }
            "found" => found(diagnosis).any(|cause| is(cause, value)),
            "also" => diagnosis.also_blocking.iter().any(|cause| is(cause, value)),
            "suspect" => {
                diagnosis.causes.iter().any(|c| c.status == CauseStatus::Possible && c.fault == value)
            }
            "top" => diagnosis.causes.first().is_some_and(|cause| is(cause, value)),
            "not" => !found(diagnosis).any(|cause| matches(value, &cause.fault)),
            "ruled out" => {
                diagnosis.ruled_out.iter().any(|ruled| ruled.fault == value && !ruled.evidence.is_empty())
            }
            "not ruled out" => !diagnosis.ruled_out.iter().any(|ruled| matches(value, &ruled.fault)),
            "unknown" => {
                diagnosis.unknown.iter().any(|unknown| unknown.fault == value && !unknown.missing.is_empty())
            }
            "warning" => diagnosis.warnings.iter().any(|warning| warning.code == value),
            "not warning" => diagnosis.warnings.iter().all(|warning| warning.code != value),
            "beware" => diagnosis.warnings.iter().any(|warning| warning.text.contains(value)),
            "no warnings" => diagnosis.warnings.is_empty(),
            "because" => primary
                .or(diagnosis.also_blocking.first())
                .is_some_and(|cause| cause.because.iter().any(|line| line.text.contains(value))),
            "fix" => primary.and_then(|cause| cause.fix.as_ref()).is_some_and(|fix| {
                let all = format!("{}\n{}", fix.summary, fix.aws_cli.join("\n"));
                fix.verified.is_some() && all.contains(value)
            }),
            "reaches" => {
                let verified =
                    primary.and_then(|cause| cause.fix.as_ref()).and_then(|fix| fix.verified.as_ref());
                verified.is_some_and(|verified| verified.reaches == value)
            }
            "reached" => state(diagnosis, value) == Some(StageState::Reached),
            "failed" => state(diagnosis, value) == Some(StageState::Failed),
            "unclear" => state(diagnosis, value) == Some(StageState::Unknown),
            "break" => diagnosis.broken.as_ref().is_some_and(|broken| {
                let end = |stage: &Option<String>| stage.clone().unwrap_or_default();
                format!("{}..{}", end(&broken.last_reached), end(&broken.first_unreached)) == value
            }),
            other => return Err(format!("  `{other}` is no kind of expectation")),
        })
    }
}

fn found(diagnosis: &Diagnosis) -> impl Iterator<Item = &Cause> {
    let all = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
    all.filter(|cause| cause.status != CauseStatus::Possible)
}

/// `CODE` or `CODE on SUBJECT`.
fn is(cause: &Cause, value: &str) -> bool {
    match value.split_once(" on ") {
        Some((code, subject)) => cause.fault == code && cause.subjects.iter().any(|s| s.contains(subject)),
        None => cause.fault == value,
    }
}

fn matches(pattern: &str, code: &str) -> bool {
    pattern == "*"
        || pattern == code
        || pattern.strip_suffix(".*").is_some_and(|area| code.starts_with(&format!("{area}.")))
}

fn state(diagnosis: &Diagnosis, stage: &str) -> Option<StageState> {
    diagnosis.chain.iter().find(|s| s.stage == stage).map(|s| s.state)
}

/// What came, in a few lines.
pub(crate) fn gist(diagnosis: &Diagnosis) -> String {
    let causes = |causes: &[Cause]| {
        let shown: Vec<String> = causes
            .iter()
            .map(|cause| {
                let first = cause.because.first().map(|b| b.text.clone()).unwrap_or_default();
                format!(
                    "{} ({:?}{}) on {}: {first}",
                    cause.fault,
                    cause.status,
                    if cause.primary { ", primary" } else { "" },
                    cause.subjects.join(" ")
                )
            })
            .collect();
        if shown.is_empty() { "none".to_owned() } else { shown.join("\n    ") }
    };
    let codes = |codes: Vec<&str>| codes.join(" ");
    let fix =
        diagnosis.primary().and_then(|c| c.fix.as_ref()).map(|f| format!("{}; {:?}", f.summary, f.verified));
    format!(
        "  what came: {} (exit {}): {}\n  causes\n    {}\n  also blocking\n    {}\n  fix {}\n  ruled out {}\n  unknown {}\n  warnings {}\n  break {:?}",
        diagnosis.verdict.as_str(),
        diagnosis.exit_code(),
        diagnosis.summary,
        causes(&diagnosis.causes),
        causes(&diagnosis.also_blocking),
        fix.unwrap_or_default(),
        codes(diagnosis.ruled_out.iter().map(|r| r.fault.as_str()).collect()),
        codes(diagnosis.unknown.iter().map(|u| u.fault.as_str()).collect()),
        codes(diagnosis.warnings.iter().map(|w| w.code.as_str()).collect()),
        diagnosis.broken,
    )
}
