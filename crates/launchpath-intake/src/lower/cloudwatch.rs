//! CloudWatch metrics of a runtime.
//!
//! Each metric asked for leaves a read of its own, whose request names `MetricName` and `Resource`: an answer about one
//! metric says nothing about another.
//!
//! AWS: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>

use std::collections::BTreeMap;

use launchpath_model::World;
use launchpath_model::aws::metric::MetricSeries;
use launchpath_model::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Lowered, Recorded};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "GetMetricData" => metric_data(world, call),
        "GetMetricStatistics" => metric_statistics(world, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

/// The key of a series: resource ARN (empty when none is named) and metric name.
type Key = (String, String);

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

/// The ARN in the dimension `Resource`.
fn resource(metric: &Value) -> String {
    let dimensions = metric.get("Dimensions").and_then(Value::as_array);
    let named = dimensions.into_iter().flatten().find(|d| text(d, "Name").as_deref() == Some("Resource"));
    named.and_then(|dimension| text(dimension, "Value")).unwrap_or_default()
}

/// Records that `key` was asked for, in a request narrowed to it.
fn record(world: &mut World, call: &Recorded, key: &Key, points: usize) {
    let mut read = call.read(points);
    if let Some(request) = &read.call.request {
        let mut narrowed = Map::new();
        for name in ["StartTime", "EndTime"] {
            if let Some(value) = request.get(name) {
                narrowed.insert(name.to_owned(), value.clone());
            }
        }
        narrowed.insert("MetricName".to_owned(), Value::String(key.1.clone()));
        if !key.0.is_empty() {
            narrowed.insert("Resource".to_owned(), Value::String(key.0.clone()));
        }
        read.call_mut().request = Some(Value::Object(narrowed));
    }
    world.metrics.record(read);
}

/// Joins points to the series; a later answer replaces the value of a period.
fn insert(world: &mut World, call: &Recorded, key: Key, points: Vec<(Timestamp, f64)>) {
    if points.is_empty() {
        return;
    }
    let known = world.metrics.seen(&key).map(|row| row.value.points.clone()).unwrap_or_default();
    let all: BTreeMap<Timestamp, f64> = known.into_iter().chain(points).collect();
    let series = MetricSeries { name: key.1.clone(), points: all.into_iter().collect() };
    world.metrics.insert(key, series, call.evidence.id.clone());
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct MetricResult {
    id: Option<String>,
    label: Option<String>,
    timestamps: Vec<Timestamp>,
    values: Vec<f64>,
}

fn metric_data(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let results = call.objects::<MetricResult>("MetricDataResults")?;
    let answered = results.is_some();
    let mut results = results.unwrap_or_default();
    let queries = call.evidence.request_member("MetricDataQueries").and_then(Value::as_array);
    let mut taken: Vec<Key> = Vec::new();
    for query in queries.into_iter().flatten() {
        let metric = query.get("MetricStat").and_then(|stat| stat.get("Metric"));
        let Some(name) = metric.and_then(|metric| text(metric, "MetricName")) else {
            continue;
        };
        let key = (metric.map(resource).unwrap_or_default(), name);
        let id = text(query, "Id");
        let found = results.iter().position(|result| result.id.is_some() && result.id == id);
        let result = found.map(|index| results.remove(index));
        // One series per metric: the first statistic that was asked for.
        if taken.contains(&key) {
            continue;
        }
        taken.push(key.clone());
        let points = result.map(points).unwrap_or_default();
        if answered || !call.is_ok() {
            record(world, call, &key, points.len());
        } else {
            world.metrics.record(call.read_without("MetricDataResults"));
        }
        insert(world, call, key, points);
    }
    if queries.is_none() {
        world.metrics.record(call.read_without("MetricDataQueries"));
        for result in results {
            let name = result.label.clone().or_else(|| result.id.clone()).unwrap_or_default();
            insert(world, call, (String::new(), name), points(result));
        }
    }
    Ok(Lowered::Done)
}

fn points(result: MetricResult) -> Vec<(Timestamp, f64)> {
    result.timestamps.into_iter().zip(result.values).collect()
}

/// Statistics in the order in which one is chosen when several were asked for.
const STATISTICS: &[&str] = &["Sum", "SampleCount", "Average", "Maximum", "Minimum"];

fn metric_statistics(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let rows = call.objects::<BTreeMap<String, Value>>("Datapoints")?;
    let Some(name) = call.asked("MetricName").or_else(|| call.text("Label")) else {
        return Ok(Lowered::NoKey("which metric it is"));
    };
    let request = call.evidence.request.as_ref();
    let key = (request.map(resource).unwrap_or_default(), name.to_owned());
    let Some(rows) = rows else {
        if call.is_ok() {
            world.metrics.record(call.read_without("Datapoints"));
        } else {
            record(world, call, &key, 0);
        }
        return Ok(Lowered::Done);
    };
    let mut points = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let place = call.place.member("Datapoints").index(index);
        let value = STATISTICS.iter().find_map(|name| row.get(*name)).and_then(Value::as_f64);
        let at: Option<Timestamp> =
            row.get("Timestamp").map(|value| place.member("Timestamp").typed(value)).transpose()?;
        if let (Some(at), Some(value)) = (at, value) {
            points.push((at, value));
        }
    }
    record(world, call, &key, points.len());
    insert(world, call, key, points);
    Ok(Lowered::Done)
}
