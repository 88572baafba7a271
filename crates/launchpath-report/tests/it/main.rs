//! The renderers on whole diagnoses: golden files, and properties that hold for any of them.

mod fixture;
mod golden;
mod hostile;
mod width;
