//! Where in a policy document something stands: JSON path and, for text, line and column.
//!
//! Not a source map: only values have positions, and only documents parsed from text have lines.

use std::fmt;

use serde::Serialize;

/// A place in a text, both counted from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

/// A JSON path such as `Statement[0].Condition.StringEquals`, with the text position when known.
///
/// INVARIANT: two locations always compare equal, so that documents which say the same compare equal wherever
/// their statements stand in their texts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Location {
    /// The JSON path from the document's root; empty for the root itself.
    pub path: String,
    /// Line and column of the value, when the document was parsed from text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

impl PartialEq for Location {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Location {}

impl Location {
    /// The location of a member of the value at this location.
    pub(crate) fn member(&self, name: &str, position: Option<Position>) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, position }
    }

    /// The location of an item of the list at this location.
    pub(crate) fn item(&self, index: usize, position: Option<Position>) -> Self {
        Self { path: format!("{}[{index}]", self.path), position }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "document" } else { &self.path };
        match self.position {
            Some(position) => write!(f, "{path} ({position})"),
            None => f.write_str(path),
        }
    }
}
