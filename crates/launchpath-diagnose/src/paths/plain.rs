//! The network paths as plain data: what the diagnosis shows of each way that the launch needs.
//!
//! Part of the public format (see [`crate::diagnosis`]). Nothing is decided here: one representative trace per path is chosen, as
//! the reachability question shows it. Start with [`plain`].

use launchpath_model::{EvidenceId, Gap};
use launchpath_net::{Answer, Direction, Hop, HopVerdict, Leg, Outcome, Packet, Part, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::assumption::ASSUMED;
use super::{Paths, culprit};
use crate::case::Case;
use crate::diagnosis::Missing;

/// A destination that the launch needs, and the ways to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkPath {
    /// The AWS service, as endpoint services call it, for example `ecr.api`.
    pub service: String,
    /// The host name.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// What for.
    pub purpose: String,
    /// The stage that needs it.
    pub stage: String,
    /// From each subnet of the runtime: the service chooses the subnet.
    pub ways: Vec<Way>,
}

/// The way from one subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Way {
    /// The subnet.
    pub subnet: String,
    /// Whether the traffic gets there and its answers get back.
    pub state: WayState,
    /// The share of the packets that is delivered for sure, 0 to 1.
    pub delivered: f64,
    /// The elements in order, those of the way back at the end. Behind one that drops, the trace goes on as if it had not.
    pub hops: Vec<PathHop>,
    /// What would have to be known to decide.
    pub missing: Vec<Missing>,
}

/// Whether a way is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WayState {
    /// All packets, or all but a few unlucky source ports.
    Open,
    /// None.
    Blocked,
    /// Some.
    Partly,
    /// The evidence does not tell.
    Unknown,
}

/// One element on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathHop {
    /// Its kind, for example `security_group` or `nat_gateway`.
    pub kind: String,
    /// Its id; several joined by `, `.
    pub id: String,
    /// The interface or subnet that it guards.
    pub at: Option<String>,
    /// True on the way back.
    pub reply: bool,
    /// `ingress` or `egress`, for filters.
    pub direction: Option<String>,
    /// What it did.
    pub state: HopState,
    /// The rule or route that decides, in words.
    pub text: String,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
}

/// What an element did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HopState {
    /// Let the packets through.
    Passed,
    /// Dropped them.
    Dropped,
    /// Not to be told from the evidence.
    Unknown,
}

/// Every path of the launch, in the order of the table of needs.
///
/// A capacity provider's own network carries its traffic: of that nothing was walked.
pub(crate) fn plain(case: &Case) -> Vec<NetworkPath> {
    if case.combination.capacity_provider {
        return Vec::new();
    }
    let path = |need: &launchpath_net::NeedPaths| NetworkPath {
        service: need.need.service.to_owned(),
        host: need.need.name.clone(),
        port: need.need.port,
        purpose: need.need.purpose.to_owned(),
        stage: Paths::stage_of(&need.need).id().to_owned(),
        ways: need.by_subnet.iter().map(|(subnet, answer)| way(subnet.as_str(), answer)).collect(),
    };
    case.paths().needs.iter().map(path).collect()
}

fn state_of(answer: &Answer) -> WayState {
    match answer.verdict {
        _ if culprit::is_open(answer) => WayState::Open,
        Verdict::None => WayState::Blocked,
        Verdict::Part => WayState::Partly,
        Verdict::All | Verdict::Unknown => WayState::Unknown,
    }
}

fn way(subnet: &str, answer: &Answer) -> Way {
    let state = state_of(answer);
    let hops = representative(answer, state).map(|part| part.trace.iter().map(|found| hop(found)).collect());
    Way {
        subnet: subnet.to_owned(),
        state,
        delivered: answer.delivered_share(),
        hops: hops.unwrap_or_default(),
        missing: answer.unknown.iter().map(missing).collect(),
    }
}

/// The part whose fate says the state: of a way that is open in part, what is dropped.
fn representative(answer: &Answer, state: WayState) -> Option<&Part> {
    let fates: &[Outcome] = match state {
        WayState::Open => &[Outcome::Delivered],
        WayState::Blocked | WayState::Partly => &[Outcome::Blocked],
        WayState::Unknown => &[Outcome::Unknown, Outcome::Blocked, Outcome::Delivered],
    };
    fates.iter().find_map(|fate| answer.parts.iter().find(|part| part.outcome == *fate))
}

/// A packet of the trace that [`plain`] shows of this way.
pub(crate) fn example(case: &Case, service: &str, host: &str, subnet: &str) -> Option<Packet> {
    let of = |need: &&launchpath_net::NeedPaths| need.need.service == service && need.need.name == host;
    let need = case.paths().needs.iter().find(of)?;
    let (_, answer) = need.by_subnet.iter().find(|(id, _)| id.as_str() == subnet)?;
    representative(answer, state_of(answer)).map(|part| part.example)
}

fn hop(hop: &Hop) -> PathHop {
    let kind = serde_json::to_value(hop.kind).ok();
    PathHop {
        kind: kind.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
        id: hop.id.to_string(),
        at: hop.at.as_deref().map(str::to_owned),
        reply: hop.leg == Leg::Reply,
        direction: hop.direction.map(|direction| match direction {
            Direction::Ingress => "ingress".to_owned(),
            Direction::Egress => "egress".to_owned(),
        }),
        state: match hop.verdict {
            HopVerdict::Passed => HopState::Passed,
            HopVerdict::Dropped => HopState::Dropped,
            HopVerdict::Unknown => HopState::Unknown,
        },
        text: hop.text.to_string(),
        evidence: hop.evidence.iter().filter(|id| id.as_str() != ASSUMED).cloned().collect(),
    }
}

fn missing(gap: &Gap) -> Missing {
    Missing {
        evidence: gap.what.clone(),
        reason: gap.reason_text(),
        command: gap.command.clone(),
        calls: gap.evidence.clone(),
    }
}
