//! The public JSON format: the diagnosis as it is, indented, members in the order of the type.
//!
//! Nothing is cleaned here: JSON escapes control characters itself, and a program wants the strings as received.

use crate::diagnosis::Diagnosis;

/// The diagnosis as JSON, ending in a line feed.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    // INVARIANT: the type holds no map with keys that are no strings, the only reason for which this could fail.
    let mut json = serde_json::to_string_pretty(diagnosis).expect("a diagnosis serialises");
    json.push('\n');
    json
}
