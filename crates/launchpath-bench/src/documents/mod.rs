//! The evidence of a launch: what the AWS CLI would answer to somebody who asks carefully, as a bundle.

use serde_json::{Value, json};

mod artifact;
mod log;
mod network;
mod role;
mod runtime;
mod trail;

use crate::deployment::{ACCOUNT, Deployment, REGION};
use crate::service::{Ending, Launch};

/// Seconds of the day of the story, 2026-10-20.
pub(super) const READY: i64 = 8 * 3600 + 5 * 60;
pub(super) const CALLED: i64 = 9 * 3600;
/// When a runtime that was updated was updated.
pub(super) const UPDATED: &str = "2026-10-20T08:50:00Z";

/// A time of that day.
pub(super) fn clock(seconds: i64) -> String {
    format!("2026-10-20T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Times of the story, by the age of the runtime.
pub(crate) struct Times {
    pub(crate) created: &'static str,
    pub(crate) network: &'static str,
    pub(crate) ready: &'static str,
    pub(crate) called: &'static str,
    pub(crate) collected: &'static str,
}

impl Times {
    pub(crate) fn of(d: &Deployment) -> Self {
        Self {
            created: if d.old { "2026-03-11T08:00:00Z" } else { "2026-10-20T08:00:00Z" },
            network: if d.old { "2026-03-11T08:00:30Z" } else { "2026-10-20T08:00:30Z" },
            ready: if d.old { "2026-03-11T08:05:00Z" } else { "2026-10-20T08:05:00Z" },
            called: "2026-10-20T09:00:00Z",
            collected: "2026-10-20T09:40:00Z",
        }
    }
}

/// The bundle of one runtime.
pub(crate) fn bundle(d: &Deployment, launch: &Launch) -> Value {
    let mut calls = Calls::new(Times::of(d).collected);
    // Who left the network out of the request has nothing to ask about.
    if d.topology.in_vpc() && !d.story.network_left_out {
        network::network(d, launch, &mut calls);
    }
    one(d, launch, &mut calls);
    trail::trail(d, launch, &Times::of(d), &mut calls);
    wrap(d, launch, &calls)
}

/// One bundle of many runtimes that share the first one's network.
pub(crate) fn fleet(launches: &[(Deployment, Launch)]) -> Value {
    let (first, launch) = &launches[0];
    let mut calls = Calls::new(Times::of(first).collected);
    if first.topology.in_vpc() {
        network::network(first, launch, &mut calls);
    }
    let mut events = Vec::new();
    for (d, launch) in launches {
        one(d, launch, &mut calls);
        // An interface of the same subnet and group is used again, and not made anew.
        let made = |event: &Value| {
            event["CloudTrailEvent"].as_str().is_some_and(|text| text.contains("networkInterfaceId"))
        };
        let others = d.suffix != first.suffix;
        events.extend(
            trail::events(d, launch, &Times::of(d)).into_iter().filter(|event| !(others && made(event))),
        );
    }
    trail::look_up(first, &Times::of(first), events, &mut calls);
    wrap(first, launch, &calls)
}

/// What is asked about one runtime, its network apart.
fn one(d: &Deployment, launch: &Launch, calls: &mut Calls) {
    let times = Times::of(d);
    runtime::runtime(d, launch, &times, calls);
    role::roles(d, calls);
    artifact::artifact(d, calls);
    log::logs(d, launch, calls);
}

fn wrap(d: &Deployment, launch: &Launch, calls: &Calls) -> Value {
    // Where nothing was made there is a name, and no id.
    let subject = if matches!(launch.ending, Ending::Refused { .. }) { d.name.clone() } else { d.id() };
    json!({
        "format": "launchpath-bundle/1", "collected_at": calls.at, "collector": "accuracy suite",
        "account": ACCOUNT, "region": REGION, "partition": "aws",
        "subject": { "runtime": subject, "endpoint": d.story.qualifier.unwrap_or("DEFAULT") },
        "calls": calls.list,
    })
}

struct Calls {
    list: Vec<Value>,
    at: &'static str,
}

impl Calls {
    fn new(at: &'static str) -> Self {
        let mut calls = Self { list: Vec::new(), at };
        calls.ok("sts", "GetCallerIdentity", json!({}), json!({
            "Account": ACCOUNT, "Arn": format!("arn:aws:iam::{ACCOUNT}:user/engineer"), "UserId": "AIDACKCEVSQ6C2EXAMPLE",
        }));
        calls
    }

    fn push(&mut self, service: &str, operation: &str, request: Value, mut rest: Value) {
        let id = format!("c{}", self.list.len() + 1);
        let region = if matches!(service, "iam" | "launchpath") { Value::Null } else { json!(REGION) };
        let call = rest.as_object_mut().expect("the rest of a call is an object");
        call.insert("id".into(), json!(id));
        call.insert("service".into(), json!(service));
        call.insert("operation".into(), json!(operation));
        call.insert("request".into(), request);
        call.entry("at").or_insert_with(|| json!(self.at));
        if !region.is_null() {
            call.insert("region".into(), region);
        }
        self.list.push(rest);
    }

    #[expect(clippy::needless_pass_by_value, reason = "the answer is built where it is given")]
    fn ok(&mut self, service: &str, operation: &str, request: Value, response: Value) {
        self.push(service, operation, request, json!({ "outcome": "ok", "response": response }));
    }

    fn not_found(&mut self, service: &str, operation: &str, request: Value, code: &str) {
        let error = json!({ "code": code, "message": "it does not exist", "http": 404 });
        self.push(service, operation, request, json!({ "outcome": "not_found", "error": error }));
    }
}
