//! The import check against the real interpreter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests read files, run the interpreter and print why they are skipped"
)]

mod disk;
mod generator;
mod hostile;
mod oracle;
mod packages;
