//! What a launch leaves behind: log groups and lines, CloudTrail events, metrics.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::known::time;
use super::{Known, Planned, Step, Subject, text};
use crate::mask::MAX_LOG_EVENTS;
use crate::record::seconds;

/// Events of a creation, an update or a start.
// AWS: which events a launch leaves is observed, not documented; the names are CloudTrail's,
// https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html
const EVENTS: &[&str] = &[
    "CreateAgentRuntime",
    "UpdateAgentRuntime",
    "CreateNetworkInterface",
    "AssumeRole",
    "BatchGetImage",
    "GetDownloadUrlForLayer",
];
/// Logged where IAM is at home, not in the runtime's Region.
const GLOBAL_EVENT: &str = "CreateServiceLinkedRole";
const BEFORE: SignedDuration = SignedDuration::from_mins(5);
const AFTER: SignedDuration = SignedDuration::from_hours(24);
const RECENT: SignedDuration = SignedDuration::from_hours(1);
const TRAIL_PAGES: usize = 5;

/// Metrics of one runtime endpoint, with their statistic.
// AWS: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html
const METRICS: &[(&str, &str)] = &[
    ("Invocations", "Sum"),
    ("SessionCount", "Sum"),
    ("UserErrors", "Sum"),
    ("SystemErrors", "Sum"),
    ("Throttles", "Sum"),
    ("Errors", "Sum"),
    ("Latency", "Average"),
];
/// Usage, up to an hour late: a microVM really ran.
const USAGE: &[&str] = &["CPUUsed-vCPUHours", "MemoryUsed-GBHours"];
const METRIC_PERIOD_SECONDS: u32 = 300;

pub(super) fn steps(by_name: bool) -> Vec<Step> {
    vec![
        Step {
            name: "log groups",
            needs: if by_name { vec!["runtimes"] } else { Vec::new() },
            operations: &[("logs", "DescribeLogGroups")],
            when: "",
            asks: log_groups,
        },
        Step {
            name: "log streams",
            needs: vec!["log groups"],
            operations: &[("logs", "DescribeLogStreams")],
            when: "the runtime has a log group",
            asks: log_streams,
        },
        Step {
            name: "log events",
            needs: vec!["log groups", "runtime"],
            operations: &[("logs", "FilterLogEvents")],
            when: "the runtime has a log group",
            asks: log_events,
        },
        Step {
            name: "trail events",
            needs: vec!["runtime"],
            operations: &[("cloudtrail", "LookupEvents")],
            when: "",
            asks: trail_events,
        },
        Step {
            name: "metrics",
            needs: vec!["runtime"],
            operations: &[("cloudwatch", "GetMetricData")],
            when: "",
            asks: metrics,
        },
    ]
}

fn log_groups(known: &Known) -> Vec<Planned> {
    let subjects = known.subjects().into_iter();
    let prefix = |subject: &Subject| format!("/aws/bedrock-agentcore/runtimes/{}", subject.id);
    subjects
        .map(|s| Planned::new("logs", "DescribeLogGroups", json!({"logGroupNamePrefix": prefix(&s)})))
        .collect()
}

fn log_streams(known: &Known) -> Vec<Planned> {
    let groups = known.of_items(("logs", "DescribeLogGroups", "logGroups"), "/logGroupName");
    let ask = |group| {
        let request = json!({"logGroupName": group, "orderBy": "LastEventTime", "descending": true});
        Planned::new("logs", "DescribeLogStreams", request).at_most(2, 100)
    };
    groups.into_iter().map(ask).collect()
}

/// The latest lines since the first runtime was made; without a runtime, of the last day.
fn log_events(known: &Known) -> Vec<Planned> {
    let created = known.subjects().iter().filter_map(|s| moment(s.runtime?, "createdAt")).min();
    let from = created.map_or(known.now - AFTER, |created| created - BEFORE);
    let groups = known.of_items(("logs", "DescribeLogGroups", "logGroups"), "/logGroupName");
    let ask = |group| {
        // AWS: with `startFromHead` false the latest come first,
        // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
        let request = json!({
            "logGroupName": group, "startTime": from.as_millisecond(),
            "startFromHead": false, "limit": MAX_LOG_EVENTS,
        });
        Planned::new("logs", "FilterLogEvents", request).at_most(10, MAX_LOG_EVENTS)
    };
    groups.into_iter().map(ask).collect()
}

/// One look-up per event name, around creation and the last update; role assumptions also of the
/// last hour, where an invocation of today left its trace.
fn trail_events(known: &Known) -> Vec<Planned> {
    let mut asks = Vec::new();
    for subject in known.subjects() {
        let Some(runtime) = subject.runtime else { continue };
        let Some(created) = moment(runtime, "createdAt") else { continue };
        let updated = moment(runtime, "lastUpdatedAt").unwrap_or(created);
        let from = created.min(updated) - BEFORE;
        let to = (created.max(updated) + AFTER).min(known.now).max(from);
        for event in EVENTS {
            asks.push(lookup(event, from, to));
        }
        let home = known.partition().global_region();
        asks.push(lookup(GLOBAL_EVENT, from, to).in_region(home));
        if to < known.now - RECENT {
            asks.push(lookup("AssumeRole", known.now - RECENT, known.now));
        }
    }
    asks
}

fn lookup(event: &str, from: Timestamp, to: Timestamp) -> Planned {
    let request = json!({
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": event}],
        "StartTime": seconds(from), "EndTime": seconds(to),
    });
    Planned::new("cloudtrail", "LookupEvents", request).at_most(TRAIL_PAGES, 50 * TRAIL_PAGES)
}

fn metrics(known: &Known) -> Vec<Planned> {
    let mut queries = Vec::new();
    for subject in known.subjects() {
        let Some(runtime) = subject.runtime else { continue };
        let (Some(arn), Some(name)) = (text(runtime, "/agentRuntimeArn"), text(runtime, "/agentRuntimeName"))
        else {
            continue;
        };
        let name = format!("{name}::{}", known.endpoint);
        let dimension = |name: &str, value: &str| json!({"Name": name, "Value": value});
        let common = [dimension("Name", &name), dimension("Resource", arn)];
        let of = |first: Value| [&[first], &common[..]].concat();
        let calls = of(dimension("Operation", "InvokeAgentRuntime"));
        let usage = of(dimension("Service", "AgentCore.Runtime"));
        for (metric, stat) in METRICS {
            queries.push(query(queries.len(), metric, stat, &calls));
        }
        for metric in USAGE {
            queries.push(query(queries.len(), metric, "Sum", &usage));
        }
    }
    if queries.is_empty() {
        return Vec::new();
    }
    let request = json!({
        "MetricDataQueries": queries,
        "StartTime": seconds(known.now - AFTER), "EndTime": seconds(known.now),
    });
    vec![Planned::new("cloudwatch", "GetMetricData", request)]
}

fn query(number: usize, metric: &str, stat: &str, dimensions: &[Value]) -> Value {
    json!({
        "Id": format!("m{number}"),
        "MetricStat": {
            "Metric": {"Namespace": "AWS/Bedrock-AgentCore", "MetricName": metric, "Dimensions": dimensions},
            "Period": METRIC_PERIOD_SECONDS, "Stat": stat,
        },
    })
}

fn moment(runtime: &Value, member: &str) -> Option<Timestamp> {
    time(runtime.get(member)?)
}
