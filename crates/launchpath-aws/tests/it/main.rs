//! Collection against an AWS emulator that nobody here wrote (`moto_server`), on loopback.
//!
//! The emulator, boto3 and the AWS CLI come from the project's virtual environment, which the setup
//! script makes. Without it these tests fail in CI and are skipped, saying so, elsewhere.

#![expect(clippy::print_stderr, reason = "a skipped test says why")]

mod collection;
mod comparison;
mod fake;
mod image;
mod moto;
mod scripted;
mod wire;
