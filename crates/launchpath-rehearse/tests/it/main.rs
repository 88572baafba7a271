//! Rehearsals against the real thing: processes, sockets, time.
#![allow(
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned,
    unreachable_pub,
    missing_docs,
    reason = "tests: a stand-in that fails fails its test"
)]

mod contract;
#[cfg(target_os = "linux")]
mod sandbox;
