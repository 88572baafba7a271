//! Processes in sandboxes: as root, and as an ordinary user where the machine has one to lend.
//!
//! Root file systems are made from a static busybox; a test whose tool or right is missing says so and passes.
#![expect(clippy::print_stderr, reason = "a test that cannot be held says so")]

mod emulation;
mod engine;
mod footprint;
mod hostile;
mod image;
mod life;
mod network;
mod ordinary;
