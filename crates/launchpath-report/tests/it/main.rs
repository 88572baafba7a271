//! The renderers on whole diagnoses: golden files, and properties that hold for any of them.

#![expect(clippy::unwrap_used, reason = "tests")]

mod fixture;
mod golden;
mod hostile;
mod html;
mod machine;
mod width;
