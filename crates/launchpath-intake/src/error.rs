//! What is wrong with a document, in a form somebody can act on: file, place, expected, found, advice.
//!
//! A service that refuses a call is no error: it is evidence.

/// A document that cannot be used. Nothing of the input is taken over when this is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct IntakeError(Box<Detail>);

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The text is no JSON, or a member does not have the form it must have.
    Malformed,
    /// The input breaks a rule that protects the reader: an unsafe name, a limit, a duplicate.
    Refused,
    /// A document is not there or cannot be read.
    Unreadable,
    /// There is no document that holds evidence.
    Empty,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    problem: Problem,
    file: Option<String>,
    place: Option<String>,
    expected: String,
    found: String,
    advice: Option<String>,
}

impl IntakeError {
    /// An error of `problem`; `expected` and `found` are lower-case fragments.
    pub fn new(problem: Problem, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self(Box::new(Detail {
            problem,
            file: None,
            place: None,
            expected: expected.into(),
            found: found.into(),
            advice: None,
        }))
    }

    /// Names the file; a file that is already named stays.
    pub fn in_file(mut self, file: &str) -> Self {
        self.0.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// Names the place: a JSON path, or a line and column.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.0.place = Some(place.into()).filter(|place| !place.is_empty());
        self
    }

    /// Says what to do.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// What kind of problem it is.
    pub fn problem(&self) -> Problem {
        self.0.problem
    }

    /// The file, relative to the input's root.
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The JSON path (`calls[3].response.Subnets[0].CidrBlock`), or line and column where the text is no JSON.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// What should have been there.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What is there.
    pub fn found(&self) -> &str {
        &self.0.found
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for part in [self.file(), self.place()].into_iter().flatten() {
            text.push_str(&printable(part));
            text.push_str(": ");
        }
        text.push_str("expected ");
        text.push_str(&printable(self.expected()));
        text.push_str(", found ");
        text.push_str(&printable(self.found()));
        if let Some(advice) = self.advice() {
            text.push_str("; ");
            text.push_str(&printable(advice));
        }
        text
    }
}

/// Names and values in documents are hostile: a control sequence must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{IntakeError, Problem};

    #[test]
    fn the_text_names_file_place_expectation_and_remedy() {
        let error = IntakeError::new(Problem::Malformed, "an IPv4 network", "\"10.0\"")
            .in_file("bundle.json")
            .at("calls[3].response.Vpcs[0].CidrBlock")
            .advise("correct the member");
        assert_eq!(
            error.to_string(),
            "bundle.json: calls[3].response.Vpcs[0].CidrBlock: expected an IPv4 network, found \"10.0\"; \
             correct the member"
        );
    }

    #[test]
    fn a_control_sequence_does_not_reach_the_terminal() {
        let error = IntakeError::new(Problem::Refused, "a name", "x").in_file("\u{1b}[31mred");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
