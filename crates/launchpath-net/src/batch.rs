//! The batch form: one question per JSON record, one JSON line per answer.
//!
//! A record names its `source` and `destination` loosely, as saved question sets do; what it does not say is taken from
//! the network. A record that cannot be read yields a line with `error`, and the others go on. Start with [`answer_line`].

use std::net::IpAddr;

use launchpath_model::ids::{InstanceId, NetworkInterfaceId, VpcId, VpnGatewayId};
use launchpath_model::world::Network;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::answer::{Answer, Blocker, Hop, Outcome, Verdict};
use crate::packet::{Cube, ICMP, ICMP_V6, TCP, UDP};
use crate::question::{Destination, EPHEMERAL, Flow, Source, Start};
use crate::reach::Engine;
use crate::span::{ANY_PORT, Span, place, v4_block};

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

fn wrong(member: &'static str, problem: impl Into<String>) -> RecordError {
    RecordError::Member { member, problem: problem.into() }
}

/// One question.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// Any JSON value, given back with the answer.
    #[serde(default)]
    pub id: Value,
    /// Where packets start.
    pub source: Place,
    /// Where they are to go.
    pub destination: Place,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number; `unset` or nothing: a protocol that no rule names.
    #[serde(default)]
    pub protocol: Value,
    /// A port, `first-last`, ICMP `type/code`; nothing: every port.
    #[serde(default)]
    pub port: Value,
    /// `exists-port` asks whether some port gets through, `all-ports-except-N` leaves a port out, `bidirectional` asks
    /// both ways.
    #[serde(default)]
    pub quantifier: Option<String>,
}

/// A source or a destination, as much as is said.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Place {
    /// `instance`, `internet`, `vpc`, `subnet`, `vpn-gateway`, `on-premises`, …
    #[serde(default)]
    pub kind: Option<String>,
    /// The resource.
    #[serde(default)]
    pub id: Option<String>,
    /// The interface.
    #[serde(default)]
    pub eni: Option<String>,
    /// The address.
    #[serde(default)]
    pub ip: Option<IpAddr>,
    /// The subnet.
    #[serde(default)]
    pub subnet: Option<String>,
    /// A host name.
    #[serde(default)]
    pub name: Option<String>,
    /// An AWS service.
    #[serde(default)]
    pub service: Option<String>,
    /// Security groups of an interface that is not in the network.
    #[serde(default)]
    pub security_groups: Option<Vec<String>>,
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
    let mut flow = flow_of(&record.protocol, &record.port)?;
    if quantifier.is_some() && record.port.is_null() && flow.protocol == UNNAMED_PROTOCOL {
        flow = Flow { protocol: TCP, to: ANY_PORT, from: EPHEMERAL };
    }
    let start = start_of(engine.network(), &record.source, &record.destination)?;
    let destination = destination_of(engine.network(), &record.destination)?;
    let answer = engine.reach_from(&start, &destination, &flow);
    let mut verdict = answer.verdict;
    match quantifier {
        Some("exists-port") if answer.any_delivered() => verdict = Verdict::All,
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
    let gap_line = |gap: &launchpath_model::Gap| json!({ "what": gap.what, "why": gap.reason_text(), "command": gap.command });
    let line = Line {
        id,
        reachable,
        blocked_by: answer.blocked_by.iter().map(blocked_by).collect(),
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
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "tcp" => TCP,
            "udp" => UDP,
            "icmp" => ICMP,
            "icmpv6" => ICMP_V6,
            "unset" | "" => UNNAMED_PROTOCOL,
            other => other.parse().map_err(|_| wrong("protocol", format!("`{other}` is not a protocol")))?,
        },
        other => return Err(wrong("protocol", format!("`{other}` is not a protocol"))),
    };
    let text = match port {
        Value::Null => return Ok(any_port(number)),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
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

fn start_of(network: &Network, source: &Place, destination: &Place) -> Result<Start, RecordError> {
    let id = || source.id.as_deref().ok_or_else(|| wrong("source.id", "missing"));
    match source.kind.as_deref().unwrap_or_default() {
        "internet" => return Ok(Start::Internet(source.ip)),
        "vpc" => return Ok(Start::Vpc(id()?.into())),
        "vpn-gateway" => return Ok(Start::VpnGateway(id()?.into(), source.ip)),
        "on-premises" | "customer-gateway" => {
            let gateway = gateway_towards(network, destination.ip)
                .ok_or_else(|| wrong("source", "no VPN gateway leads to the destination's VPC"))?;
            return Ok(Start::VpnGateway(gateway, source.ip));
        }
        _ => {}
    }
    if let (Some(subnet), Some(groups)) = (&source.subnet, &source.security_groups) {
        return Ok(Start::Interface(Source {
            subnet: subnet.as_str().into(),
            security_groups: groups.iter().map(|g| g.as_str().into()).collect(),
            address: source.ip,
            public_address: None,
            interface: source.eni.as_deref().map(Into::into),
        }));
    }
    // The instance first: saved folders exist in which several instances share one interface id.
    let instance = source.id.as_deref().filter(|id| id.starts_with("i-")).map(InstanceId::from);
    if let Some(instance) = instance
        && network.instances.seen(&instance).is_some()
    {
        return Ok(Start::Instance(instance, source.ip));
    }
    let named = source.eni.as_deref().or(source.id.as_deref().filter(|id| id.starts_with("eni-")));
    if let Some(interface) = named {
        return Ok(Start::Known(interface.into()));
    }
    if let Some(ip) = source.ip
        && let Some(interface) = interface_with(network, ip)
    {
        return Ok(Start::Known(interface));
    }
    match source.kind.as_deref() {
        Some("subnet") => Err(wrong("source.security_groups", "a subnet as source needs groups")),
        _ => Err(wrong("source", "neither an interface, an instance nor an address of the network")),
    }
}

fn interface_with(network: &Network, ip: IpAddr) -> Option<NetworkInterfaceId> {
    let IpAddr::V4(ip) = ip else { return None };
    let row = network.network_interfaces.iter().find(|(_, row)| {
        row.value.private_ip_address == Some(ip)
            || row.value.private_ip_addresses.iter().flatten().any(|p| p.private_ip_address == Some(ip))
    });
    row.map(|(id, _)| id.clone())
}

/// The VPN gateway whose VPC holds the address, else the only one there is.
fn gateway_towards(network: &Network, ip: Option<IpAddr>) -> Option<VpnGatewayId> {
    let holds = |vpc: &VpcId| {
        let blocks = network.vpcs.seen(vpc).map(|row| row.value.ipv4_blocks()).unwrap_or_default();
        ip.is_some_and(|ip| blocks.iter().any(|block| v4_block(*block).contains(place(ip))))
    };
    let towards = network.vpn_gateways.iter().find(|(_, row)| {
        row.value.vpc_attachments.iter().flatten().any(|attachment| holds(&attachment.vpc_id))
    });
    if let Some((id, _)) = towards {
        return Some(id.clone());
    }
    let mut all = network.vpn_gateways.iter().map(|(id, _)| id.clone());
    all.next().filter(|_| network.vpn_gateways.len() == 1)
}

fn destination_of(network: &Network, place: &Place) -> Result<Destination, RecordError> {
    if let Some(name) = &place.name {
        return Ok(Destination::Name(name.clone()));
    }
    if let Some(service) = &place.service {
        return Ok(Destination::Service(service.clone()));
    }
    if let Some(ip) = place.ip {
        let on_premises = place.kind.as_deref().is_some_and(|kind| kind.starts_with("on-premises"));
        return Ok(if on_premises { Destination::OnPremises(ip) } else { Destination::Address(ip) });
    }
    if place.kind.as_deref() == Some("internet") {
        return Ok(Destination::Internet);
    }
    if let Some(interface) = &place.eni {
        return Ok(Destination::Interface(interface.as_str().into()));
    }
    let instance = place.id.as_deref().map(InstanceId::from);
    let row = instance.and_then(|id| network.instances.seen(&id));
    let address = row
        .and_then(|row| row.value.network_interfaces.as_ref()?.first()?.private_ip_address)
        .ok_or_else(|| wrong("destination", "neither an address, a name nor a known resource"))?;
    Ok(Destination::Address(address.into()))
}
