//! The scanner over whole files: what it finds, and that nothing depends on how the bytes arrive.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod arrival;
mod files;
mod hostile;
