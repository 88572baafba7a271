//! Telling somebody how far a collection is, without knowing who listens.

use std::time::Duration;

use crate::record::Outcome;

/// A listener to a collection. Called from one task, in the order things happen.
pub trait Progress: Send + Sync {
    /// A call went out, for example `ec2`, `DescribeSubnets`.
    fn started(&self, service: &str, operation: &str);
    /// A call ended after `took`.
    fn finished(&self, service: &str, operation: &str, outcome: Outcome, took: Duration);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn started(&self, _service: &str, _operation: &str) {}
    fn finished(&self, _service: &str, _operation: &str, _outcome: Outcome, _took: Duration) {}
}
