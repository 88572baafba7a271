//! CloudWatch metrics of a runtime (namespace `AWS/Bedrock-AgentCore`).

use crate::time::Timestamp;

/// One series of one metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricSeries {
    /// For example `Invocations`.
    pub name: String,
    /// Start of each period and its value, in time order.
    pub points: Vec<(Timestamp, f64)>,
}

impl MetricSeries {
    /// The sum over all periods.
    pub fn sum(&self) -> f64 {
        self.points.iter().map(|(_, value)| value).sum()
    }
}
