//! The batch form: one question per JSON record, one JSON line per answer.
//!
//! A record names its `source` and `destination` loosely, as saved question sets do; what it does not say is taken from
//! the network. A record that cannot be read yields a line with `error`, and the others go on. Start with [`answer_line`].

use launchpath_model::{Gap, GapReason};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::answer::{Answer, Blocker, Hop, Outcome, Verdict};
use crate::packet::{Cube, ICMP, ICMP_V6, TCP, UDP};
use crate::place::{Place, destination_of, start_of};
use crate::question::{EPHEMERAL, Flow};
use crate::reach::Engine;
use crate::span::{ANY_PORT, Span};

/// A protocol number that IANA keeps for experiments: it stands for "a protocol no rule names".
const UNNAMED_PROTOCOL: u8 = 253;

/// Why a record cannot be answered.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Not JSON of the expected shape.
    #[error("not a record: {0}")]
    Json(#[from] serde_json::Error),
    /// A member is missing or not understood.
    #[error("{member}: {problem}")]
    Member {
        /// The member's path.
        member: &'static str,
        /// What is wrong.
        problem: String,
    },
}

pub(crate) fn wrong(member: &'static str, problem: impl Into<String>) -> RecordError {
    RecordError::Member { member, problem: problem.into() }
}

/// One question.
#[derive(Clone, Debug, Deserialize)]
#[serde(expecting = "a record: an object with `source` and `destination`")]
pub struct Record {
    /// Any JSON value, given back with the answer.
    #[serde(default)]
    pub id: Value,
    /// Where packets start.
    #[serde(alias = "src", alias = "from")]
    pub source: Place,
    /// Where they are to go.
    #[serde(alias = "dst", alias = "to")]
    pub destination: Place,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number; `-1` or `all`: every protocol; `unset` or nothing: one that no rule names.
    #[serde(default, alias = "proto", alias = "ip_protocol", alias = "ipProtocol")]
    pub protocol: Value,
    /// A port, `first-last`, `{"from": first, "to": last}`, ICMP `type/code`; nothing: every port.
    #[serde(default, alias = "ports", alias = "dst_port", alias = "destination_port", alias = "dstPort")]
    pub port: Value,
    /// `exists-port` asks whether some port gets through, `all-ports-except-N` leaves a port out, `bidirectional` asks
    /// both ways.
    #[serde(default)]
    pub quantifier: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a Value,
    reachable: Value,
    blocked_by: Vec<BlockedBy<'a>>,
    trace: Vec<&'a Hop>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed: Vec<Value>,
}

#[derive(Serialize)]
struct BlockedBy<'a> {
    kind: &'static str,
    id: &'a str,
    at: Option<&'a str>,
    text: &'a str,
}

/// The answer to one record's text, as one line of JSON without a line break.
pub fn answer_line(engine: &Engine<'_>, text: &str) -> String {
    let answered = serde_json::from_str::<Record>(text).map_err(RecordError::from);
    let id =
        serde_json::from_str::<Value>(text).ok().and_then(|v| v.get("id").cloned()).unwrap_or(Value::Null);
    match answered.and_then(|record| answer_record(engine, &record)) {
        Ok(answered) => line(&id, &answered),
        Err(error) => json!({ "id": id, "error": error.to_string() }).to_string(),
    }
}

/// An answer and how its record counts it.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The verdict under the record's quantifier.
    pub verdict: Verdict,
}

/// The answer to one record.
pub fn answer_record(engine: &Engine<'_>, record: &Record) -> Result<Answered, RecordError> {
    let quantifier = record.quantifier.as_deref();
    if is_every(&record.protocol) {
        return every_protocol(engine, record);
    }
    let mut flow = flow_of(&record.protocol, &record.port)?;
    if quantifier.is_some() && record.port.is_null() && flow.protocol == UNNAMED_PROTOCOL {
        flow = Flow { protocol: TCP, to: ANY_PORT, from: EPHEMERAL };
    }
    let start = start_of(engine.network(), &record.source, &record.destination)?;
    let destination = destination_of(engine.network(), &record.destination)?;
    let mut answer = engine.reach_from(&start, &destination, &flow);
    if let Some(subnet) = record.source.is_subnet_alone() {
        answer.assumed.push(Gap {
            what: format!("that the security groups of the sender in {subnet} let the packets out"),
            reason: GapReason::NotAsked,
            evidence: Vec::new(),
            command: None,
        });
    }
    let mut verdict = answer.verdict;
    match quantifier {
        Some("exists-port" | "exists" | "some-port" | "any-port") if answer.any_delivered() => {
            verdict = Verdict::All;
        }
        Some("bidirectional") => {
            let back = start_of(engine.network(), &record.destination, &record.source)?;
            let home = destination_of(engine.network(), &record.source)?;
            let other = engine.reach_from(&back, &home, &flow).verdict;
            if other != verdict {
                verdict = if [verdict, other].contains(&Verdict::Unknown) {
                    Verdict::Unknown
                } else {
                    Verdict::Part
                };
            }
        }
        Some(text) => {
            if let Some(left_out) = text.strip_prefix("all-ports-except-").and_then(|p| p.parse().ok()) {
                verdict = without_port(&answer, left_out);
            }
        }
        None => {}
    }
    Ok(Answered { answer, verdict })
}

/// Whether a protocol or a port is written as "any".
fn is_every(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i64() == Some(-1),
        Value::String(text) => ["-1", "all", "any", "*"].contains(&text.trim().to_ascii_lowercase().as_str()),
        _ => false,
    }
}

/// Every protocol: those that rules can name ports or types of, and one that stands for all others.
fn every_protocol(engine: &Engine<'_>, record: &Record) -> Result<Answered, RecordError> {
    let mut all: Option<Answered> = None;
    for protocol in [TCP, UDP, ICMP, UNNAMED_PROTOCOL] {
        let one = Record { protocol: protocol.into(), port: Value::Null, ..record.clone() };
        let one = answer_record(engine, &one)?;
        all = Some(match all {
            None => one,
            Some(all) => all.with(one),
        });
    }
    all.ok_or_else(|| wrong("protocol", "none"))
}

impl Answered {
    /// Both answers as one.
    fn with(mut self, other: Self) -> Self {
        if self.verdict != other.verdict {
            let unknown = [self.verdict, other.verdict].contains(&Verdict::Unknown);
            self.verdict = if unknown { Verdict::Unknown } else { Verdict::Part };
        }
        let both = &mut self.answer;
        both.verdict = self.verdict;
        both.parts.extend(other.answer.parts);
        for blocker in other.answer.blocked_by {
            // The same element in other words for other packets is the same element.
            let known =
                |own: &Blocker| (own.kind, &own.id, &own.at) == (blocker.kind, &blocker.id, &blocker.at);
            if !both.blocked_by.iter().any(|own| known(own)) {
                both.blocked_by.push(blocker);
            }
        }
        for (own, others) in
            [(&mut both.unknown, other.answer.unknown), (&mut both.assumed, other.answer.assumed)]
        {
            for gap in others {
                if !own.contains(&gap) {
                    own.push(gap);
                }
            }
        }
        both.evidence.extend(other.answer.evidence);
        both.evidence.sort();
        both.evidence.dedup();
        self
    }
}

/// The verdict on the ports but one.
fn without_port(answer: &Answer, port: u16) -> Verdict {
    let line = Span { first: 0, last: u128::MAX };
    let cube = Cube { to: Span::one(port), ..Cube::between(line, line) };
    let has = |outcome: Outcome| {
        answer.parts.iter().filter(|part| part.outcome == outcome).any(|part| {
            let mut rest = part.packets.clone();
            rest.remove(&cube);
            !rest.is_empty()
        })
    };
    match (has(Outcome::Delivered), has(Outcome::Blocked), has(Outcome::Unknown)) {
        (_, _, true) => Verdict::Unknown,
        (true, false, false) => Verdict::All,
        (false, _, false) => Verdict::None,
        (true, true, false) => Verdict::Part,
    }
}

fn line(id: &Value, answered: &Answered) -> String {
    let answer = &answered.answer;
    let reachable = match answered.verdict {
        Verdict::All => json!(true),
        Verdict::None => json!(false),
        Verdict::Part => json!("partly"),
        Verdict::Unknown => json!("unknown"),
    };
    let wanted = match answered.verdict {
        Verdict::All => Outcome::Delivered,
        Verdict::None | Verdict::Part => Outcome::Blocked,
        Verdict::Unknown => Outcome::Unknown,
    };
    let shown = answer.parts.iter().find(|part| part.outcome == wanted).or_else(|| answer.parts.first());
    let gap_line = |gap: &Gap| json!({ "what": gap.what, "why": gap.reason_text(), "command": gap.command });
    let line = Line {
        id,
        reachable,
        blocked_by: answer.blocked_by.iter().map(|blocker| blocked_by(blocker)).collect(),
        trace: shown.iter().flat_map(|part| part.trace.iter().map(AsRef::as_ref)).collect(),
        unknown: answer.unknown.iter().map(gap_line).collect(),
        assumed: answer.assumed.iter().map(gap_line).collect(),
    };
    // Plain data with string keys always serialises.
    serde_json::to_string(&line)
        .unwrap_or_else(|error| json!({ "id": id, "error": error.to_string() }).to_string())
}

fn blocked_by(blocker: &Blocker) -> BlockedBy<'_> {
    BlockedBy {
        kind: blocker.kind.element(),
        id: &blocker.id,
        at: blocker.at.as_deref(),
        text: &blocker.text,
    }
}

/// The packets that `protocol` and `port` mean.
pub fn flow_of(protocol: &Value, port: &Value) -> Result<Flow, RecordError> {
    let number = match protocol {
        Value::Null => UNNAMED_PROTOCOL,
        Value::Number(number) => number
            .as_u64()
            .and_then(|n| u8::try_from(n).ok())
            .ok_or_else(|| wrong("protocol", "expected 0 to 255"))?,
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "tcp" => TCP,
            "udp" => UDP,
            "icmp" => ICMP,
            "icmpv6" | "icmp6" | "ipv6-icmp" => ICMP_V6,
            // IANA names that other programs write.
            "igmp" => 2,
            "ipip" | "ipencap" => 4,
            "gre" => 47,
            "esp" => 50,
            "ah" => 51,
            "ospf" | "ospfigp" => 89,
            "vrrp" => 112,
            "sctp" => 132,
            "unset" | "" => UNNAMED_PROTOCOL,
            other => other.parse().map_err(|_| wrong("protocol", format!("`{other}` is not a protocol")))?,
        },
        other => return Err(wrong("protocol", format!("`{other}` is not a protocol"))),
    };
    let text = match port {
        Value::Null => return Ok(any_port(number)),
        _ if is_every(port) => return Ok(any_port(number)),
        Value::String(text) if text.trim().is_empty() => return Ok(any_port(number)),
        // Some programs write every number with a fraction.
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(range) => {
            let bound = |names: [&str; 3]| names.into_iter().find_map(|name| range.get(name));
            let bounds = (bound(["from", "first", "From"]), bound(["to", "last", "To"]));
            let (Some(first), Some(last)) = bounds else {
                return Err(wrong("port", format!("`{port}` is not a range of ports")));
            };
            format!("{first}-{last}").replace('"', "")
        }
        other => return Err(wrong("port", format!("`{other}` is not a port"))),
    };
    let parse =
        |part: &str| part.trim().parse::<u16>().map_err(|_| wrong("port", format!("`{text}` is not a port")));
    if matches!(number, ICMP | ICMP_V6) {
        let (kind, code) = text.split_once('/').unwrap_or((&text, "0"));
        return Ok(Flow { protocol: number, from: Span::one(parse(kind)?), to: Span::one(parse(code)?) });
    }
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    let to = Span::new(parse(first)?, parse(last)?).ok_or_else(|| wrong("port", "an empty range"))?;
    Ok(Flow { protocol: number, to, from: EPHEMERAL })
}

fn any_port(protocol: u8) -> Flow {
    match protocol {
        TCP | UDP => Flow { protocol, to: ANY_PORT, from: EPHEMERAL },
        ICMP => Flow::ping(),
        other => Flow::protocol(other),
    }
}
