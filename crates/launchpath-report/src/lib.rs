//! The one [`Diagnosis`](diagnosis::Diagnosis) value as text for a terminal, as a Markdown root-cause analysis, as a page, as JSON and
//! in the formats of other tools.
//!
//! What it is: one renderer per output format, [`render`] to choose between them, the terminal view of a fault's
//! documentation ([`explain`]) and the published schema of the JSON format ([`schema()`]). What it is not: it
//! adds no facts, decides nothing, and knows neither terminal nor environment; the binary says how wide the output is
//! and whether it has colour.
//!
//! Every string of a diagnosis may come from a log line, an image or a person: [`clean`] is the one gate through which
//! it passes on its way to text and Markdown.
//!
//! Start with [`mod@format`] (the dispatcher), then `text/mod.rs` and `markdown/mod.rs` (the order of the sections), then
//! `outline.rs` (the selection and grouping that both share). A new format is a file of its own and a line in
//! [`format::Format`].

mod canvas;
pub mod clean;
mod contrast;
pub mod explain;
mod fleet;
pub mod format;
mod github;
mod html;
mod json;
mod json_lines;
mod junit;
mod markdown;
mod markup;
pub mod options;
mod outline;
mod sarif;
mod schema;
mod support;
mod text;
mod wording;

/// The value that is rendered, and its parts.
pub use launchpath_diagnose::diagnosis;

pub use contrast::{contrast_json, contrast_text};
pub use fleet::{fleet_json, fleet_json_lines, fleet_text};
pub use format::{Format, UnknownFormat, render};
pub use options::{Colour, Detail, Options};
pub use schema::schema;
pub use wording::codes;
