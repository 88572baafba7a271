//! The denial sweep: refuse each call in turn, and pairs of calls; never a wrong cause, never a crash.

use launchpath_diagnose::{Diagnosis, diagnose};
use launchpath_intake::open_bytes;
use serde_json::{Value, json};

use crate::program::scenario;

fn bundle(name: &str) -> Value {
    let text = std::fs::read_to_string(scenario(name)).expect("the bundle");
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn diagnosis(bundle: &Value) -> Diagnosis {
    diagnose(&open_bytes("bundle.json", bundle.to_string().as_bytes()).expect("a world"))
}

/// What happens to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Denied,
    Throttled,
    NotAsked,
}

fn with_fate(bundle: &Value, index: usize, fate: Fate) -> Value {
    let mut bundle = bundle.clone();
    let calls = bundle["calls"].as_array_mut().expect("calls");
    let refuse = |call: &mut Value, outcome: &str, code: &str| {
        let members = call.as_object_mut().expect("a call");
        members.remove("response");
        members.remove("file");
        members.insert("outcome".into(), json!(outcome));
        members.insert("error".into(), json!({ "code": code, "message": "refused in a test", "http": 403 }));
    };
    match fate {
        Fate::Denied => refuse(&mut calls[index], "denied", "AccessDeniedException"),
        Fate::Throttled => refuse(&mut calls[index], "throttled", "ThrottlingException"),
        // Ids stay what they are: the call is just not there.
        Fate::NotAsked => {
            let id = calls[index]["id"].clone();
            calls[index] = json!({ "id": id, "service": "none", "operation": "None", "request": {}, "outcome": "ok", "response": {} });
        }
    }
    bundle
}

/// The same cause or none, exit code 3 or the same; no check crashes.
pub(crate) fn hold(whole: &Diagnosis, part: &Diagnosis, what: &str) {
    let primary = part.primary().map(|cause| cause.fault.as_str());
    let same = primary == whole.primary().map(|cause| cause.fault.as_str());
    assert!(primary.is_none() || same, "{what}: a wrong cause, {primary:?}");
    assert!(
        part.exit_code() == 3 || part.exit_code() == whole.exit_code(),
        "{what}: exit code {}",
        part.exit_code()
    );
    assert!(part.warnings.iter().all(|warning| warning.code != "check.crashed"), "{what}: a check crashed");
}

pub(crate) fn sweep(name: &str, whole: &Value) {
    let expected = diagnosis(whole);
    let calls = whole["calls"].as_array().expect("calls").len();
    for fate in [Fate::Denied, Fate::Throttled, Fate::NotAsked] {
        for index in 0..calls {
            let part = diagnosis(&with_fate(whole, index, fate));
            hold(&expected, &part, &format!("{name}, call {} {fate:?}", whole["calls"][index]["id"]));
        }
    }
}

#[test]
fn the_incident_holds() {
    for name in ["incident/as-reported", "incident/as-collected", "incident/as-rehearsed"] {
        sweep(name, &bundle(name));
    }
}

#[test]
fn the_incident_holds_with_any_two_calls_refused() {
    let whole = bundle("incident/as-collected");
    let expected = diagnosis(&whole);
    let calls = whole["calls"].as_array().expect("calls").len();
    for first in 0..calls {
        let once = with_fate(&whole, first, Fate::Denied);
        for second in first + 1..calls {
            let part = diagnosis(&with_fate(&once, second, Fate::Denied));
            hold(&expected, &part, &format!("calls {first} and {second}"));
        }
    }
}

/// Healthy worlds and worlds with one fault each, made of the base worlds.
#[test]
fn healthy_and_broken_worlds_hold() {
    for name in ["base/nat", "base/isolated", "base/public"] {
        sweep(name, &bundle(name));
    }
    type Break = (&'static str, &'static str, fn(&mut Value));
    let breaks: &[Break] = &[
        ("no endpoint for the registry", "DescribeVpcEndpoints", |response| {
            response["VpcEndpoints"].as_array_mut().expect("endpoints").remove(1);
        }),
        ("no way out of the group", "DescribeSecurityGroups", |response| {
            response["SecurityGroups"][0]["IpPermissionsEgress"] = json!([]);
        }),
        ("the endpoints' group is shut", "DescribeSecurityGroups", |response| {
            response["SecurityGroups"][1]["IpPermissions"] = json!([]);
        }),
        ("no S3 route", "DescribeRouteTables", |response| {
            response["RouteTables"][0]["Routes"].as_array_mut().expect("routes").pop();
        }),
        ("the wrong principal", "GetRole", |response| {
            if response["Role"]["RoleName"] == "agent-role" {
                response["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] =
                    json!({ "Service": "bedrock.amazonaws.com" });
            }
        }),
        ("another architecture", "GetImageConfig", |response| response["architecture"] = json!("amd64")),
    ];
    for (what, operation, edit) in breaks {
        let mut broken = bundle("base/isolated");
        for call in broken["calls"].as_array_mut().expect("calls") {
            if call["operation"] == *operation {
                edit(&mut call["response"]);
            }
        }
        sweep(what, &broken);
    }
}
