//! What intake promises to its callers: the incident's bundles, foreign snapshots, hostile inputs, round trips.
#![allow(clippy::unwrap_used, reason = "tests")]

mod folder;
mod hostile;
mod incident;
mod operations;
mod round_trip;
mod snapshots;
