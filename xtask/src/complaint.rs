//! One thing that is wrong, and where.

use std::fmt;

/// A complaint about a file of the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// Relative to the repository's root, with `/`.
    pub(crate) path: String,
    /// Counted from 1; none when the whole file or folder is meant.
    pub(crate) line: Option<usize>,
    /// What is wrong and what to do instead.
    pub(crate) text: String,
}

impl Complaint {
    /// About a whole file or folder.
    pub(crate) fn about(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, text: text.into() }
    }

    /// About one line, counted from 1.
    pub(crate) fn at(path: impl Into<String>, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.into(), line: Some(line), text: text.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.text),
            None => write!(f, "{}: {}", self.path, self.text),
        }
    }
}
