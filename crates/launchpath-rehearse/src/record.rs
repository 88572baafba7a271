//! What a rehearsal saw, as plain data: the `Rehearse` call of a bundle.
//!
//! Its members are a public format: they are added to, never renamed. [`Record::of`] builds it from what was seen and how
//! that was judged; environment variables are in it by name only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contract::clause::{Clause, Judged, Reason, State};
use crate::contract::judge::{self, Verdict, milliseconds};
use crate::contract::observation::Observations;
use crate::contract::protocol::Protocol;
use crate::contract::terms::{Artifact, Network, PayloadOrigin, Speed, Terms};
use crate::contract::wire::web_socket::WebSocket;
use crate::contract::wire::{Answer, Outcome};
use crate::subject::{Attempt, AttemptOutcome, BlindSpot, Ending, Reach, StartFailure};

/// The platform of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `arm64`.
    pub architecture: String,
    /// `v8`.
    pub variant: Option<String>,
}

/// What ran the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The sandbox of this crate.
    Sandbox,
    /// A container engine.
    Engine,
}

/// What was rehearsed, and how; what only the caller knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The image, as given.
    pub image: String,
    /// Digest of its manifest.
    pub digest: Option<String>,
    /// Digest of its config.
    pub config_digest: Option<String>,
    /// Its platform.
    pub platform: Option<Platform>,
    /// What ran it.
    pub backend: Backend,
    /// Names of the environment variables that the user set.
    pub environment_names: Vec<String>,
    /// The word for the network: `none`, `host-blocked`, `bundle`.
    pub network: String,
    /// Whether the user's credentials were handed in.
    pub with_credentials: bool,
    /// Installed distributions, when known.
    pub distributions: BTreeMap<String, String>,
    /// The limits it ran under.
    pub limits: Value,
}

/// The response of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The image, as given.
    pub image: String,
    /// Digest of its manifest.
    pub digest: Option<String>,
    /// Digest of its config.
    pub config_digest: Option<String>,
    /// Its platform.
    pub platform: Option<Platform>,
    /// What ran it.
    pub backend: Backend,
    /// Whether another architecture was emulated.
    pub emulated: bool,
    /// The protocol it was held to.
    pub protocol: Protocol,
    /// The port.
    pub port: u16,
    /// Whether the contract held; `None` where that could not be told.
    pub passed: Option<bool>,
    /// The first clause that broke, as a sentence.
    pub broken_clause: Option<String>,
    /// The same as a word.
    pub clause: Option<Clause>,
    /// Why it broke.
    pub reason: Option<Reason>,
    /// Every clause.
    pub clauses: Vec<Judged>,
    /// The exit code, when it ended by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the memory limit killed a process.
    pub out_of_memory: bool,
    /// When the port first took a connection.
    pub first_listen_ms: Option<u64>,
    /// When the first healthy answer came.
    pub first_healthy_ms: Option<u64>,
    /// What the time to the first healthy answer would be natively; only where it is emulated.
    pub native_estimate_ms: Option<u64>,
    /// The last answer to the health check.
    pub ping: Option<PingSeen>,
    /// What listened, when it was last looked at.
    pub listeners: Option<Vec<String>>,
    /// What it tried to reach; `None` where that could not be seen.
    pub network: Option<Vec<NetworkAttempt>>,
    /// The start, moment by moment.
    pub timeline: Vec<TimelineEntry>,
    /// The tail of what it printed.
    pub output: String,
    /// Whether more was printed.
    pub output_truncated: bool,
    /// Installed distributions, when known.
    pub distributions: BTreeMap<String, String>,
    /// The limits it ran under.
    pub limits: Value,
    /// What was not checked, and why.
    pub not_checked: Vec<NotChecked>,
    /// The requests of the first call.
    #[serde(default)]
    pub requests: Vec<RequestSeen>,
    /// What came of the optional WebSocket: `open`, `not_offered`, `failed`.
    #[serde(default)]
    pub web_socket: Option<String>,
    /// Names that a stand-in answered, because the diagnosed VPC lets them through.
    #[serde(default)]
    pub stand_ins: Vec<String>,
    /// The architecture of a program that this machine could not execute.
    #[serde(default)]
    pub program_architecture: Option<String>,
    /// Highest memory use.
    #[serde(default)]
    pub peak_memory_bytes: Option<u64>,
    /// What a code zip was laid into, in the place of the service's own runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
}

/// What brought the interpreter of a code zip: not AWS's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The image, as given.
    pub image: String,
    /// Digest of its manifest.
    pub digest: Option<String>,
    /// Digest of its config.
    pub config_digest: Option<String>,
    /// The interpreter, by its path in the base.
    pub interpreter: String,
    /// The runtime that it stands in for, when it was said.
    pub runtime: Option<String>,
}

/// An answer to the health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingSeen {
    /// Its status; `None` where no answer came.
    pub status: Option<u16>,
    /// Its body.
    pub body: String,
}

/// Something it tried to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkAttempt {
    /// The name, when it was looked up.
    pub name: Option<String>,
    /// The address, when packets went there.
    pub address: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// `tcp`, `udp`; `None` for a look-up.
    #[serde(default)]
    pub protocol: Option<String>,
    /// `answered`, `no_such_name`, `dropped`.
    pub outcome: String,
    /// `blocked` where the diagnosed network is proved to block it, too.
    #[serde(default)]
    pub diagnosed: Option<String>,
    /// When first.
    pub at_ms: u64,
    /// How often.
    pub times: u32,
}

/// A moment of the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at_ms: u64,
    /// What.
    pub what: String,
}

/// Something that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    /// A clause, or what else.
    pub clause: String,
    /// Why.
    pub why: String,
}

/// A request of the first call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSeen {
    /// `POST /invocations`, `tools/list`.
    pub request: String,
    /// When.
    pub at_ms: u64,
    /// The status; `None` where no answer came.
    pub status: Option<u16>,
    /// How long the answer took.
    pub took_ms: Option<u64>,
    /// The media type.
    pub content_type: Option<String>,
    /// The beginning of the body.
    pub body: String,
}

/// Bytes of a body that are kept in the record.
const BODY_KEPT: usize = 4096;

impl Record {
    /// The record of what was seen.
    pub fn of(setting: Setting, terms: &Terms, seen: &Observations) -> Self {
        let clauses = judge::judge(terms, seen);
        let verdict = judge::verdict(&clauses);
        let (broken_clause, clause, reason) = match &verdict {
            Verdict::Broken { clause, reason, text, .. } => (Some(text.clone()), Some(*clause), *reason),
            Verdict::Passed | Verdict::Undecided { .. } => (None, None, None),
        };
        let (exit_code, signal) = match seen.exit.as_ref().map(|exit| &exit.how) {
            Some(Ending::Code(code)) => (Some(*code), None),
            Some(Ending::Signal(number)) => (None, Some(*number)),
            Some(Ending::NotStarted(_)) | None => (None, None),
        };
        let native = seen.first_healthy.and_then(|at| terms.native_estimate(at));
        let not_checked = not_checked(terms, seen, &clauses);
        Self {
            image: setting.image,
            digest: setting.digest,
            config_digest: setting.config_digest,
            platform: setting.platform,
            backend: setting.backend,
            emulated: terms.speed == Speed::Emulated,
            protocol: terms.protocol,
            port: terms.port,
            passed: verdict.passed(),
            broken_clause,
            clause,
            reason,
            clauses,
            exit_code,
            signal,
            out_of_memory: seen.usage.out_of_memory > 0,
            first_listen_ms: seen.first_listen.map(milliseconds),
            first_healthy_ms: seen.first_healthy.map(milliseconds),
            native_estimate_ms: native.map(milliseconds),
            ping: ping(seen),
            listeners: seen.listeners.as_ref().map(|all| {
                let mut all: Vec<String> = all.iter().map(|listener| listener.at.to_string()).collect();
                all.sort();
                all.dedup();
                all
            }),
            network: network(terms, seen),
            timeline: timeline(seen),
            output: seen.output.clone(),
            output_truncated: seen.output_truncated,
            distributions: setting.distributions,
            limits: setting.limits,
            not_checked,
            requests: requests(seen),
            web_socket: web_socket(seen),
            stand_ins: Vec::new(),
            program_architecture: match seen.exit.as_ref().map(|exit| &exit.how) {
                Some(Ending::NotStarted(StartFailure::OtherMachine { architecture, .. })) => {
                    Some(architecture.clone())
                }
                _ => None,
            },
            peak_memory_bytes: seen.usage.peak_memory,
            base: None,
        }
    }

    /// The verdict, as its clauses say.
    pub fn verdict(&self) -> Verdict {
        judge::verdict(&self.clauses)
    }
}

/// The request of the call.
pub fn request(setting: &Setting, terms: &Terms) -> Value {
    json!({
        "image": setting.image,
        "protocol": terms.protocol,
        "port": terms.port,
        "path": terms.path,
        "artifact": match terms.artifact { Artifact::Container => "container", Artifact::CodeZip => "code_zip" },
        "network": setting.network,
        "environment_names": setting.environment_names,
        "payload": match terms.payload_origin { PayloadOrigin::Default => "default", PayloadOrigin::Given => "given" },
        "with_credentials": setting.with_credentials,
        "timeout_seconds": terms.patience.as_secs(),
        "request_timeout_seconds": terms.request_patience.as_secs(),
    })
}

fn ping(seen: &Observations) -> Option<PingSeen> {
    let run = seen.last_health()?;
    Some(match &run.outcome {
        Outcome::Answered(answer) => {
            PingSeen { status: Some(answer.status), body: beginning(&answer.text()) }
        }
        _ => PingSeen { status: None, body: String::new() },
    })
}

fn network(terms: &Terms, seen: &Observations) -> Option<Vec<NetworkAttempt>> {
    let attempts = seen.attempts.as_ref()?;
    Some(
        attempts
            .iter()
            .map(|attempt| {
                let (name, address, port, protocol) = match &attempt.what {
                    Reach::Name(name) => (Some(name.clone()), None, None, None),
                    Reach::Address { to, protocol, name } => {
                        (name.clone(), Some(to.ip().to_string()), Some(to.port()), Some(protocol.clone()))
                    }
                };
                let outcome = match attempt.outcome {
                    AttemptOutcome::Answered => "answered",
                    AttemptOutcome::NoSuchName => "no_such_name",
                    AttemptOutcome::Dropped => "dropped",
                };
                NetworkAttempt {
                    name,
                    address,
                    port,
                    protocol,
                    outcome: outcome.to_owned(),
                    diagnosed: is_blocked(terms, attempt).then(|| "blocked".to_owned()),
                    at_ms: milliseconds(attempt.at),
                    times: attempt.times,
                }
            })
            .collect(),
    )
}

fn is_blocked(terms: &Terms, attempt: &Attempt) -> bool {
    match &terms.network {
        Network::Cut => false,
        Network::AsDiagnosed { blocked } => blocked.contains(&judge::target(attempt)),
    }
}

fn timeline(seen: &Observations) -> Vec<TimelineEntry> {
    let begun = match seen.exit.as_ref().map(|exit| &exit.how) {
        Some(Ending::NotStarted(_)) => "told to start",
        _ => "started",
    };
    let mut entries = vec![TimelineEntry { at_ms: 0, what: begun.to_owned() }];
    entries.extend(
        seen.moments
            .iter()
            .map(|moment| TimelineEntry { at_ms: milliseconds(moment.at), what: moment.what.clone() }),
    );
    for attempt in seen.attempts.iter().flatten().take(20) {
        let what = match attempt.outcome {
            AttemptOutcome::Answered => "reached",
            AttemptOutcome::NoSuchName => "looked up in vain",
            AttemptOutcome::Dropped => "tried in vain to reach",
        };
        let target = judge::target(attempt);
        entries.push(TimelineEntry { at_ms: milliseconds(attempt.at), what: format!("{what} {target}") });
    }
    entries.sort_by_key(|entry| entry.at_ms);
    entries
}

fn requests(seen: &Observations) -> Vec<RequestSeen> {
    seen.steps
        .iter()
        .map(|step| {
            let answer = match &step.outcome {
                Outcome::Answered(answer) => Some(answer),
                _ => None,
            };
            RequestSeen {
                request: step.name.clone(),
                at_ms: milliseconds(step.at),
                status: answer.map(|answer| answer.status),
                took_ms: answer.map(|answer| milliseconds(answer.took)),
                content_type: answer.and_then(Answer::media_type),
                body: answer.map(|answer| beginning(&answer.text())).unwrap_or_default(),
            }
        })
        .collect()
}

fn web_socket(seen: &Observations) -> Option<String> {
    Some(match seen.web_socket.as_ref()? {
        WebSocket::Opened(_) => "open".to_owned(),
        WebSocket::NotOffered(status) => format!("not_offered ({status})"),
        WebSocket::Invalid(how) => format!("failed ({how})"),
        WebSocket::Failed(_) => "failed".to_owned(),
    })
}

fn beginning(text: &str) -> String {
    text.chars().take(BODY_KEPT).collect()
}

fn not_checked(terms: &Terms, seen: &Observations, clauses: &[Judged]) -> Vec<NotChecked> {
    let mut all: Vec<NotChecked> = Vec::new();
    let mut add = |clause: &str, why: &str| {
        all.push(NotChecked { clause: clause.to_owned(), why: why.to_owned() });
    };
    for judged in clauses.iter().filter(|judged| judged.state == State::Unknown) {
        add(judged.clause.name(), &judged.note);
    }
    for blind in &seen.blind {
        let (clause, why) = blind_spot(*blind);
        add(clause, why);
    }
    let missed = |attempt: &Attempt| attempt.outcome != AttemptOutcome::Answered;
    if terms.network == Network::Cut && seen.attempts.iter().flatten().any(missed) {
        add(
            "network",
            "what it tried to reach is cut off here; whether the service's network lets it through is not judged",
        );
    }
    if seen.first_healthy.is_some() {
        add("life", "idle time-out, longest lifetime, and requests longer than the one made");
    }
    all
}

fn blind_spot(blind: BlindSpot) -> (&'static str, &'static str) {
    match blind {
        BlindSpot::Listeners => {
            ("listens", "sockets inside cannot be seen: loopback only is not told from nothing")
        }
        BlindSpot::Attempts => ("network", "attempts on the network are not recorded here"),
        BlindSpot::Limits => ("stays_up", "limits of memory, processors and processes do not hold here"),
        BlindSpot::Owners => (
            "writes",
            "owners of the image's files are not told apart here: what its user may read and write differs",
        ),
        BlindSpot::Timing => ("listens", "time runs slower here than on the service's processors"),
        BlindSpot::Metadata => {
            ("metadata", "the metadata service is not there: credentials come from elsewhere or not at all")
        }
        BlindSpot::EngineTraces => (
            "listens",
            "traces of the container engine are visible inside, and some servers bind otherwise for them",
        ),
        BlindSpot::EngineMarker => (
            "listens",
            "/.dockerenv is there and DOCKER_CONTAINER is not set: for the former the AgentCore SDK binds every address here, and \
             loopback in a session",
        ),
        BlindSpot::Proxied => (
            "listens",
            "the engine takes connections in the process's place: when it began to listen is not seen",
        ),
        BlindSpot::OpenNetwork => (
            "network",
            "the engine's network is not held back: what the process reached here it may not reach in a session",
        ),
    }
}
