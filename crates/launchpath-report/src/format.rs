//! The output formats by name, and the way from a format to its renderer.

use std::fmt;
use std::str::FromStr;

use crate::diagnosis::Diagnosis;
use crate::options::Options;
use crate::{github, html, json, json_lines, junit, markdown, sarif, support, text};

/// An output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// A root-cause analysis that can be filed.
    Markdown,
    /// One self-contained page for a browser.
    Html,
    /// For programs: the public format, see [`crate::schema()`].
    Json,
    /// The same, one record per line.
    JsonLines,
    /// For tools that gather findings.
    Sarif,
    /// For CI servers: one test case per fault.
    Junit,
    /// Annotations of a GitHub Actions run.
    Github,
    /// Markdown for `$GITHUB_STEP_SUMMARY`.
    StepSummary,
    /// What to tell AWS Support when nothing is left on the customer's side.
    SupportCase,
    /// The same as input of `aws support create-case`.
    SupportCaseJson,
}

impl Format {
    /// All formats, in the order in which help names them.
    pub const ALL: [Self; 11] = [
        Self::Text,
        Self::Markdown,
        Self::Html,
        Self::Json,
        Self::JsonLines,
        Self::Sarif,
        Self::Junit,
        Self::Github,
        Self::StepSummary,
        Self::SupportCase,
        Self::SupportCaseJson,
    ];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::StepSummary => "step-summary",
            Self::SupportCase => "support-case",
            Self::SupportCaseJson => "support-case-json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name is no output format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such output format: `{given}`; known are {known}", known = Format::ALL.map(Format::as_str).join(", "))]
pub struct UnknownFormat {
    given: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| UnknownFormat { given: crate::clean::line(name) })
    }
}

/// The diagnosis in `format`, ending in a line feed.
///
/// Pure: the same arguments give the same bytes. Only text has options: the other formats for people show
/// everything, those for programs are what they are.
pub fn render(diagnosis: &Diagnosis, format: Format, options: &Options) -> String {
    match format {
        Format::Text => text::render(diagnosis, options),
        Format::Markdown => markdown::render(diagnosis),
        Format::Html => html::render(diagnosis),
        Format::Json => json::render(diagnosis),
        Format::JsonLines => json_lines::render(diagnosis),
        Format::Sarif => sarif::render(diagnosis),
        Format::Junit => junit::render(diagnosis),
        Format::Github => github::render(diagnosis),
        Format::StepSummary => markdown::step_summary(diagnosis),
        Format::SupportCase => support::text(diagnosis),
        Format::SupportCaseJson => support::json(diagnosis),
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn every_name_is_read_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = "pdf\u{1b}[31m".parse::<Format>().unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("no such output format: `pdf`; known are text, markdown, html, json,"),
            "{text}"
        );
    }
}
