//! Tests of the engine through its public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests read files and print why they are skipped"
)]

mod batch;
mod beyond;
mod elements;
mod gateways;
mod launch;
mod names;
mod random;
mod random_vpc;
mod rules;
mod simulator;
mod snapshot;
mod vectors;
