//! The two formats of a comparison of two launches.

use crate::diagnosis::Contrast;
use crate::options::Options;
use crate::text;

/// The comparison for a terminal, ending in a line feed.
pub fn contrast_text(contrast: &Contrast, options: &Options) -> String {
    text::compare::render(contrast, options)
}

/// The comparison as it is, as JSON, ending in a line feed.
pub fn contrast_json(contrast: &Contrast) -> String {
    // INVARIANT: the type holds no map with keys that are no strings, the only reason for which this could fail.
    let mut json = serde_json::to_string_pretty(contrast).expect("a comparison serialises");
    json.push('\n');
    json
}
