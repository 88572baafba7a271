//! Tests of the policy engine through its public interface.
#![expect(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "tests, written to be short")]

mod batch;
mod conditions;
mod documented;
mod documents;
mod layers;
mod properties;
mod vectors;
mod world;
