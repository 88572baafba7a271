//! The worlds of the suite: every fault in every topology it fits, on both platforms, over every protocol, single and in pairs,
//! with healthy twins, traps and evidence withheld.

use serde_json::{Value, json};

use crate::deployment::{ACCOUNT, Artifact, Deployment, REGION, Shape};
use crate::documents::{Times, bundle};
use crate::injection::{self, Injection, Shows};
use crate::random::Random;
use crate::service::{Ending, Launch, When, launch};
use crate::template::template;

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
    /// Whether what is left of the evidence shows it.
    pub(crate) decidable: bool,
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
    worlds_in(&Shape::all(), seed, rounds)
}

/// The worlds of some shapes.
pub(crate) fn worlds_in(shapes: &[Shape], seed: u64, rounds: usize) -> Vec<World> {
    let mut random = Random::new(seed);
    let mut all = Vec::new();
    for _ in 0..rounds {
        for shape in shapes.iter().copied() {
            let sound = Deployment::sound(&mut random, shape);
            all.push(healthy(&sound, &mut random));
            for injection in injection::all().filter(|injection| (injection.fits)(&sound)) {
                let sound = Deployment::sound(&mut random, shape);
                all.extend(broken(&sound, injection, &mut random));
            }
        }
    }
    all
}

/// For each fault that a template shows, a sound template and a broken one, from the first deployment in which it can be made.
pub(crate) fn templates(seed: u64) -> Vec<(&'static str, Value, Value)> {
    let mut random = Random::new(seed);
    let mut pairs = Vec::new();
    for injection in injection::all() {
        let mut shapes = Shape::all().into_iter().filter(|shape| !shape.old);
        let fitting = shapes
            .find_map(|shape| Some(Deployment::sound(&mut random, shape)).filter(|d| (injection.fits)(d)));
        let Some(sound) = fitting else { continue };
        let mut d = sound.clone();
        (injection.make)(&mut d, &mut random);
        let (before, after) = (template(&sound), template(&d));
        if before != after {
            pairs.push((injection.fault, before, after));
        }
    }
    pairs
}

/// Every `n`th world of each kind.
#[cfg(test)]
pub(crate) fn sample(worlds: Vec<World>, n: usize) -> Vec<World> {
    let mut seen = std::collections::BTreeMap::new();
    let mut nth = |world: &World| {
        let number: &mut usize = seen.entry(world.kind).or_default();
        *number += 1;
        *number % n == 1 || (world.kind == Kind::Healthy && n < 100)
    };
    worlds.into_iter().filter(|world| nth(world)).collect()
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
        decidable: true,
        error: None,
        bundle,
    }
}

/// The worlds of one fault in one deployment: as it is, with traps, with evidence withheld, and with a second fault.
fn broken(sound: &Deployment, injection: &Injection, random: &mut Random) -> Vec<World> {
    let mut d = sound.clone();
    (injection.make)(&mut d, random);
    // What V2 built once goes on from its snapshot: a right lost later does not show in a call.
    let at_creation = !d.old && (d.v2 || random.once_in(2));
    let when = if at_creation { When::AtCreation } else { When::Later };
    d.pushed_again |= when == When::Later && d.image_arch != "arm64";
    let ended = launch(&d, when, random);
    if stops(&ended) == (injection.shows == Shows::Beside) {
        return Vec::new(); // It does not show here: nothing to be found by anybody.
    }
    let error = error_of(&ended.ending);
    let faults = [&[injection.fault], injection.with].concat();
    let world = |kind: Kind, bundle: Value, decidable: bool| World {
        name: name(&d, injection.fault, when),
        visible: vec![injection.fault],
        faults: faults.clone(),
        kind,
        decidable,
        error: error.clone(),
        bundle,
    };
    let plain = bundle(&d, &ended);
    let mut noisy = plain.clone();
    traps(&d, &mut noisy, random);
    let mut blind = plain.clone();
    withhold(&mut blind, random);
    let decidable = is_decidable(&d, injection, error.as_deref(), &plain, &blind);
    let mut all = vec![
        world(Kind::Single, plain, true),
        world(Kind::Noise, noisy, true),
        world(Kind::Withheld, blind, decidable),
    ];
    all.extend(double(sound, injection, random));
    all
}

/// Whether what is left of the evidence still shows the fault: the service names it, or every answer of one way to see it is there.
fn is_decidable(
    d: &Deployment,
    injection: &Injection,
    error: Option<&str>,
    plain: &Value,
    blind: &Value,
) -> bool {
    if !injection.named.is_empty() && error.is_some_and(|error| error.contains(injection.named)) {
        return true;
    }
    let answers = |bundle: &Value, wanted: &str| {
        let (operation, text) = wanted.split_once(':').unwrap_or((wanted, ""));
        let text = text.replace("{role}", &d.role());
        let calls = bundle["calls"].as_array().into_iter().flatten();
        let asked = calls.filter(|call| {
            call["operation"] == *operation
                && call["request"].to_string().contains(&text)
                && call["error"]["code"] != WITHHELD
        });
        asked.count()
    };
    injection
        .seen_in
        .iter()
        .any(|way| way.iter().all(|wanted| answers(plain, wanted) == answers(blind, wanted)))
}

/// What the service checks of a request, in its order: it names the first thing that is wrong.
///
/// AWS: caller, then name, then role, then image; see the messages of CreateAgentRuntime in the service's documentation.
const CHECKED_FIRST: &[&str] = &[
    "iam.caller_cannot_pass_role",
    "tool.network_config_dropped",
    "tool.state_lost",
    "iam.trust_policy",
    "iam.policy_race",
    "iam.exec_role_ecr_denied",
    "image.manifest_unsupported",
    "image.arch_mismatch",
    "iam.slr_missing_or_denied",
];

/// Two faults in one deployment.
fn both(sound: &Deployment, faults: [&Injection; 2], seed: u64) -> Deployment {
    let mut d = sound.clone();
    let place = |injection: &Injection| CHECKED_FIRST.iter().position(|fault| *fault == injection.fault);
    let mut refused = Vec::new();
    for injection in faults {
        d.creation_refused = None;
        (injection.make)(&mut d, &mut Random::new(seed));
        refused.extend(d.creation_refused.take().map(|refusal| (place(injection), refusal)));
    }
    refused.sort_by_key(|(place, _)| *place);
    d.creation_refused = refused.into_iter().next().map(|(_, refusal)| refusal);
    d
}

/// A second fault in the same deployment, of another area, where both can be there at once.
fn double(sound: &Deployment, injection: &Injection, random: &mut Random) -> Option<World> {
    let seed = random.below(1 << 20) as u64;
    if injection.shows == Shows::Beside {
        return None;
    }
    // They change different things: made in either order, the same comes of it.
    let apart = |other: &Injection| {
        format!("{:?}", both(sound, [injection, other], seed))
            == format!("{:?}", both(sound, [other, injection], seed))
    };
    let fits = |other: &Injection| {
        (other.fits)(sound)
            && area(other.fault) != area(injection.fault)
            && other.shows != Shows::Beside
            && apart(other)
    };
    let number = injection::all().count();
    let from = random.below(number);
    let mut from_there = injection::all().skip(from).chain(injection::all().take(from));
    let other = from_there.find(|other| fits(other))?;
    let when = if sound.old { When::Later } else { When::AtCreation };
    let evidence = |mut d: Deployment| {
        d.pushed_again |= when == When::Later && d.image_arch != "arm64";
        let ended = launch(&d, when, &mut Random::new(seed));
        (bundle(&d, &ended), ended)
    };
    let d = both(sound, [injection, other], seed);
    if !d.story.earlier.is_empty() {
        return None; // What was answered before was not broken then.
    }
    let (bundle, ended) = evidence(d.clone());
    if !stops(&ended) {
        return None;
    }
    // What would leave the same traces without it is hidden by the other: nobody can see it. What is in the configuration is seen
    // where there is a configuration, however the launch ends.
    let alone = |only: &Injection| {
        let mut d = sound.clone();
        (only.make)(&mut d, &mut Random::new(seed));
        evidence(d)
    };
    let mut visible = Vec::new();
    for (this, that) in [(injection, other), (other, injection)] {
        if !stops(&alone(this).1) {
            return None; // It came too late to break anything.
        }
        let (without, other_end) = alone(that);
        let shows = match this.shows {
            Shows::Configured => without != bundle,
            Shows::Happening | Shows::Beside => format!("{ended:?}") != format!("{other_end:?}"),
        };
        if shows {
            visible.push(this.fault);
        }
    }
    Some(World {
        visible,
        name: name(&d, &format!("{} and {}", injection.fault, other.fault), when),
        faults: [&[injection.fault, other.fault], injection.with, other.with].concat(),
        kind: Kind::Double,
        decidable: true,
        error: error_of(&ended.ending),
        bundle,
    })
}

/// Whether the launch ends badly.
fn stops(launch: &Launch) -> bool {
    matches!(launch.ending, Ending::Refused { .. } | Ending::CreateFailed { .. } | Ending::CallFailed { .. })
}

fn area(fault: &str) -> &str {
    fault.split('.').next().unwrap_or(fault)
}

fn name(d: &Deployment, what: &str, when: When) -> String {
    let age = if d.old { "before the S3 change" } else { "new" };
    let when = if when == When::Later { ", broken later" } else { "" };
    format!(
        "{what} · {} · {} · {} · {} · {age}{when}",
        d.topology.name(),
        if d.v2 { "V2" } else { "V1" },
        d.protocol,
        if d.artifact == Artifact::CodeZip { "code zip" } else { "container" },
    )
}

fn error_of(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Refused { message, .. } | Ending::CallFailed { message, .. } => Some(message.clone()),
        Ending::CreateFailed { reason } => Some(reason.clone()),
        Ending::Answered | Ending::NotCalled | Ending::InState => None,
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

/// How a withheld answer was refused.
const WITHHELD: &str = "AccessDenied";

/// Refuses or leaves out calls at random; the failure itself stays, since it is what made somebody ask.
fn withhold(bundle: &mut Value, random: &mut Random) {
    let Some(calls) = bundle["calls"].as_array_mut() else { return };
    let share = 2 + random.below(4);
    calls.retain_mut(|call| {
        let symptom = matches!(
            call["operation"].as_str(),
            Some("InvokeAgentRuntime" | "GetAgentRuntime" | "CreateAgentRuntime" | "GetCallerIdentity")
        ) && call["request"]["agentRuntimeVersion"].is_null();
        if symptom || !random.once_in(share) {
            return true;
        }
        if random.once_in(2) {
            return false;
        }
        call["outcome"] = json!("denied");
        call["error"] = json!({ "code": WITHHELD, "message": "not authorized", "http": 403 });
        if let Some(members) = call.as_object_mut() {
            members.remove("response");
        }
        true
    });
}
