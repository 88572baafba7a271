//! What a scan found.

use std::collections::BTreeMap;

use launchpath_model::Timestamp;
use serde::Serialize;

use crate::event::Event;
use crate::signature::Kind;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line.
    #[serde(flatten)]
    pub event: Event,
}

/// One signature that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its name.
    pub signature: String,
    /// The kind of line.
    pub kind: Kind,
    /// What it says.
    pub means: String,
    /// The fault that it points to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// In how many lines.
    pub count: u64,
    /// The first of them.
    pub first: Place,
    /// The last of them.
    pub last: Place,
}

/// Tracebacks that say the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TracebackGroup {
    /// The exception and its message.
    pub headline: String,
    /// The language.
    pub language: String,
    /// How many.
    pub count: u64,
    /// Where the first begins.
    pub first: Place,
    /// Where the last begins.
    pub last: Place,
    /// The first, whole.
    pub text: String,
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// The earliest time in the first lines, and in the last lines, of the files.
    pub from: Option<Timestamp>,
    /// The latest.
    pub to: Option<Timestamp>,
    /// The signatures that were found, in the table's order.
    pub found: Vec<Found>,
    /// The tracebacks, the most frequent first.
    pub tracebacks: Vec<TracebackGroup>,
    /// Tracebacks beyond those that are kept apart.
    pub tracebacks_not_kept: u64,
    /// The lines that a diagnosis gets to see, in the order of the files; all of them when the files are small.
    #[serde(skip)]
    pub events: Vec<Event>,
    /// Whether `events` are all lines.
    pub whole: bool,
}

impl Report {
    /// How many lines of each kind were found.
    pub fn by_kind(&self) -> BTreeMap<Kind, u64> {
        let mut kinds = BTreeMap::new();
        for found in &self.found {
            *kinds.entry(found.kind).or_default() += found.count;
        }
        kinds
    }
}
