//! The worlds of the suite: every fault in every topology it fits, on both platforms, single and in pairs, with healthy twins,
//! traps and evidence withheld.

use serde_json::{Value, json};

use crate::deployment::{ACCOUNT, Deployment, REGION, Topology};
use crate::documents::{Times, bundle};
use crate::injection::{ALL, Injection, Shows};
use crate::random::Random;
use crate::service::{Ending, When, launch};

/// A labelled world.
pub(crate) struct World {
    /// What it is, for people.
    pub(crate) name: String,
    /// The faults that are in it; none in a healthy one.
    pub(crate) faults: Vec<&'static str>,
    /// Those of them that the evidence can show: what only happens further on than the launch got is hidden.
    pub(crate) visible: Vec<&'static str>,
    /// How it was made.
    pub(crate) kind: Kind,
    /// The error text that the user sees, when there is one.
    pub(crate) error: Option<String>,
    /// The evidence.
    pub(crate) bundle: Value,
}

/// How a world was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nothing is wrong, and it may be called.
    Healthy,
    /// One fault, all the evidence.
    Single,
    /// Two faults, all the evidence.
    Double,
    /// One fault, and things beside it that look like causes.
    Noise,
    /// One fault, part of the evidence refused or not asked for.
    Withheld,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Healthy, Self::Single, Self::Double, Self::Noise, Self::Withheld];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Single => "one fault",
            Self::Double => "two faults",
            Self::Noise => "one fault and traps",
            Self::Withheld => "one fault, evidence withheld",
        }
    }
}

/// The whole suite. `rounds`: how often the random parts are drawn anew.
pub(crate) fn worlds(seed: u64, rounds: usize) -> Vec<World> {
    let mut random = Random::new(seed);
    let mut all = Vec::new();
    for _ in 0..rounds {
        for topology in Topology::ALL {
            for v2 in [false, true] {
                for old in [false, true] {
                    // Runtimes of before 2026-05-05 are V1: the platform came in September.
                    if old && v2 {
                        continue;
                    }
                    for protocol in ["HTTP", "MCP"] {
                        let sound = Deployment::sound(&mut random, topology, v2, old, protocol);
                        all.push(healthy(&sound, &mut random));
                        for injection in ALL.iter().filter(|injection| (injection.fits)(&sound)) {
                            let sound = Deployment::sound(&mut random, topology, v2, old, protocol);
                            all.extend(broken(&sound, injection, &mut random));
                        }
                    }
                }
            }
        }
    }
    all
}

fn healthy(d: &Deployment, random: &mut Random) -> World {
    let mut launch = launch(d, When::AtCreation, random);
    if random.once_in(4) {
        launch.ending = Ending::NotCalled;
        launch.placed = false;
        launch.log = None;
    }
    let mut bundle = bundle(d, &launch);
    if random.once_in(2) {
        traps(d, &mut bundle, random);
    }
    World {
        name: name(d, "healthy", When::AtCreation),
        faults: Vec::new(),
        visible: Vec::new(),
        kind: Kind::Healthy,
        error: None,
        bundle,
    }
}

/// The worlds of one fault in one deployment: as it is, with traps, with evidence withheld, and with a second fault.
fn broken(sound: &Deployment, injection: &Injection, random: &mut Random) -> Vec<World> {
    let mut d = sound.clone();
    (injection.make)(&mut d, random);
    // What V2 built once goes on from its snapshot: a right lost later does not show in a call.
    let when = if d.v2 || d.old || random.once_in(2) { When::AtCreation } else { When::Later };
    let when = if d.old { When::Later } else { when };
    d.pushed_again = when == When::Later && d.image_arch != "arm64";
    let ended = launch(&d, when, random);
    let quiet = injection.fault.starts_with("logs.");
    if matches!(ended.ending, Ending::Answered | Ending::NotCalled) && !quiet {
        return Vec::new(); // It does not show here: nothing to be found by anybody.
    }
    let error = error_of(&ended.ending);
    let world = |kind: Kind, faults: Vec<&'static str>, bundle: Value| World {
        name: name(&d, injection.fault, when),
        visible: faults.clone(),
        faults,
        kind,
        error: error.clone(),
        bundle,
    };
    let plain = bundle(&d, &ended);
    let mut all = vec![world(Kind::Single, vec![injection.fault], plain.clone())];
    let mut noisy = plain.clone();
    traps(&d, &mut noisy, random);
    all.push(world(Kind::Noise, vec![injection.fault], noisy));
    let mut blind = plain;
    withhold(&mut blind, random);
    all.push(world(Kind::Withheld, vec![injection.fault], blind));
    all.extend(double(sound, injection, random));
    all
}

/// A second fault in the same deployment, of another kind.
fn double(sound: &Deployment, injection: &Injection, random: &mut Random) -> Option<World> {
    let others: Vec<&Injection> = ALL
        .iter()
        .filter(|other| (other.fits)(sound) && area(other.fault) != area(injection.fault))
        .filter(|other| !other.fault.starts_with("logs.") && !injection.fault.starts_with("logs."))
        .collect();
    if others.is_empty() {
        return None;
    }
    let other = *random.one_of(&others);
    let mut d = sound.clone();
    (injection.make)(&mut d, random);
    let refused = d.creation_refused.clone();
    (other.make)(&mut d, random);
    // The service names what it checks first.
    d.creation_refused = refused.or(d.creation_refused);
    let when = if d.old { When::Later } else { When::AtCreation };
    d.pushed_again = when == When::Later && d.image_arch != "arm64";
    let ended = launch(&d, when, random);
    if matches!(ended.ending, Ending::Answered | Ending::NotCalled) {
        return None;
    }
    // What ends a launch is the one that ends it alone, and the one whose words it ends with.
    let alone = |injection: &Injection| {
        let mut d = sound.clone();
        (injection.make)(&mut d, &mut Random::new(0));
        error_of(&launch(&d, when, &mut Random::new(0)).ending).map(|error| stem(&error))
    };
    let ended_with = error_of(&ended.ending).map(|error| stem(&error));
    let visible = [injection, other].into_iter().filter(|injection| {
        injection.shows == Shows::Configured || ended.placed || ended.built || alone(injection) == ended_with
    });
    Some(World {
        visible: visible.map(|injection| injection.fault).collect(),
        name: name(&d, &format!("{} and {}", injection.fault, other.fault), when),
        faults: vec![injection.fault, other.fault],
        kind: Kind::Double,
        error: error_of(&ended.ending),
        bundle: bundle(&d, &ended),
    })
}

/// The start of an error text, which tells one from another.
fn stem(error: &str) -> String {
    error.chars().take(24).collect()
}

fn area(fault: &str) -> &str {
    fault.split('.').next().unwrap_or(fault)
}

fn name(d: &Deployment, what: &str, when: When) -> String {
    let age = if d.old { "before the S3 change" } else { "new" };
    let when = if when == When::Later { ", broken later" } else { "" };
    format!(
        "{what} · {} · {} · {} · {age}{when}",
        d.topology.name(),
        if d.v2 { "V2" } else { "V1" },
        d.protocol
    )
}

fn error_of(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Refused { message, .. } | Ending::CallFailed { message, .. } => Some(message.clone()),
        Ending::CreateFailed { reason } => Some(reason.clone()),
        Ending::Answered | Ending::NotCalled => None,
    }
}

/// Things that are no cause: changes beside it, interfaces of others, another runtime, a search by description.
fn traps(d: &Deployment, bundle: &mut Value, random: &mut Random) {
    let collected = Times::of(d).collected;
    let Some(calls) = bundle["calls"].as_array_mut() else { return };
    let mut add = |service: &str, operation: &str, request: Value, response: Value| {
        let id = format!("t{}", calls.len() + 1);
        calls.push(json!({
            "id": id, "service": service, "operation": operation, "region": REGION, "request": request, "at": collected,
            "outcome": "ok", "response": response,
        }));
    };
    if d.topology.in_vpc() && random.once_in(2) {
        add(
            "ec2",
            "DescribeNetworkInterfaces",
            json!({ "Filters": [{ "Name": "description", "Values": ["*AgentCore*"] }] }),
            json!({ "NetworkInterfaces": [] }),
        );
    }
    if d.topology.in_vpc() && random.once_in(2) {
        // Another team's group, which admits nothing.
        add(
            "ec2",
            "DescribeSecurityGroups",
            json!({ "GroupIds": ["sg-0other0000000000"] }),
            json!({ "SecurityGroups": [{
            "GroupId": "sg-0other0000000000", "GroupName": "database", "VpcId": d.vpc, "OwnerId": ACCOUNT, "Description": "database",
            "IpPermissions": [], "IpPermissionsEgress": [], "Tags": [],
        }] }),
        );
    }
    if random.once_in(2) {
        let other = "billing_agent-0a1b2c3d4e";
        add(
            "bedrock-agentcore-control",
            "GetAgentRuntime",
            json!({ "agentRuntimeId": other }),
            json!({
                "agentRuntimeId": other, "agentRuntimeName": "billing_agent", "agentRuntimeVersion": "4", "status": "UPDATE_FAILED",
                "agentRuntimeArn": format!("arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:runtime/{other}"), "createdAt": "2026-02-01T00:00:00Z",
                "failureReason": "Architecture incompatible for uri", "networkConfiguration": { "networkMode": "PUBLIC" }, "platformVersion": "V1",
                "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/billing"), "protocolConfiguration": { "serverProtocol": "HTTP" },
                "agentRuntimeArtifact": { "containerConfiguration": { "containerUri": format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/billing:v1") } },
            }),
        );
        add(
            "logs",
            "FilterLogEvents",
            json!({ "logGroupName": format!("/aws/bedrock-agentcore/runtimes/{other}-DEFAULT") }),
            json!({ "events": [
            { "logStreamName": "2026/10/20/[runtime-logs]x", "timestamp": collected, "message": "ModuleNotFoundError: No module named 'langchain.callbacks'" },
        ] }),
        );
    }
    if random.once_in(2) {
        add(
            "cloudtrail",
            "LookupEvents",
            json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "AuthorizeSecurityGroupIngress" }] }),
            json!({ "Events": [{
            "EventId": "noise-1", "EventName": "AuthorizeSecurityGroupIngress", "EventTime": "2026-10-20T08:30:00Z", "EventSource": "ec2.amazonaws.com",
            "CloudTrailEvent": json!({ "eventID": "noise-1", "eventName": "AuthorizeSecurityGroupIngress", "eventTime": "2026-10-20T08:30:00Z",
                "eventSource": "ec2.amazonaws.com", "awsRegion": REGION, "requestParameters": { "groupId": "sg-0other0000000000" } }).to_string(),
        }] }),
        );
    }
}

/// Refuses or leaves out calls at random; the failure itself stays, since it is what made somebody ask.
fn withhold(bundle: &mut Value, random: &mut Random) {
    let Some(calls) = bundle["calls"].as_array_mut() else { return };
    let share = 2 + random.below(4);
    calls.retain_mut(|call| {
        let symptom = matches!(
            call["operation"].as_str(),
            Some("InvokeAgentRuntime" | "GetAgentRuntime" | "CreateAgentRuntime" | "GetCallerIdentity")
        );
        if symptom || !random.once_in(share) {
            return true;
        }
        if random.once_in(2) {
            return false;
        }
        call["outcome"] = json!("denied");
        call["error"] = json!({ "code": "AccessDeniedException", "message": "not authorized", "http": 403 });
        if let Some(members) = call.as_object_mut() {
            members.remove("response");
        }
        true
    });
}
