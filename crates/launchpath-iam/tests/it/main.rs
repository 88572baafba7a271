//! Tests of the policy engine through its public interface.
#![expect(clippy::unwrap_used, reason = "tests")]

mod vectors;
