//! One packet for each network way, and where in the bundle the elements stand that decide on it.
//!
//! The walk is `launchpath-net`'s; here its representative trace is tied to the documents. Start with [`claims`].

use launchpath_model::EvidenceId;
use launchpath_net::Packet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cite::Citer;
use crate::case::Case;
use crate::diagnosis::{Diagnosis, HopState, PathHop, WayState};
use crate::paths::plain::example;

/// One way, from one subnet to one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathClaim {
    /// The AWS service.
    pub service: String,
    /// The host name.
    pub host: String,
    /// The subnet it starts from.
    pub subnet: String,
    /// Whether it is open.
    pub state: WayState,
    /// A packet that shows it, as the runtime sends it; absent where nothing was walked.
    pub packet: Option<PacketClaim>,
    /// The elements it meets, in order, those of the way back at the end.
    pub hops: Vec<HopClaim>,
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PacketClaim {
    /// IANA protocol number.
    pub protocol: u8,
    /// Who sends it.
    pub source: String,
    /// Where it goes.
    pub destination: String,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
}

/// One element on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HopClaim {
    /// Its kind.
    pub kind: String,
    /// Its id; several joined by `,`.
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
    /// Where the elements are described.
    pub described: Vec<Place>,
    /// Where the deciding rule or route stands, when one entry decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Place>,
}

/// A place in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The call.
    pub call: EvidenceId,
    /// JSON pointer inside it.
    pub pointer: String,
}

/// Every way that the diagnosis shows.
pub(super) fn claims(case: &Case, diagnosis: &Diagnosis, citer: &mut Citer) -> Vec<PathClaim> {
    let mut claims = Vec::new();
    for path in &diagnosis.paths {
        for way in &path.ways {
            let packet = example(case, &path.service, &path.host, &way.subnet).map(|packet| claim(&packet));
            claims.push(PathClaim {
                service: path.service.clone(),
                host: path.host.clone(),
                subnet: way.subnet.clone(),
                state: way.state,
                packet: packet.filter(|_| !way.hops.is_empty()),
                hops: way.hops.iter().map(|hop| hop_claim(hop, citer)).collect(),
            });
        }
    }
    claims
}

fn claim(packet: &Packet) -> PacketClaim {
    PacketClaim {
        protocol: packet.protocol,
        source: packet.source.to_string(),
        destination: packet.destination.to_string(),
        source_port: packet.from,
        destination_port: packet.to,
    }
}

fn hop_claim(hop: &PathHop, citer: &mut Citer) -> HopClaim {
    let evidence = citer.known(&hop.evidence);
    let ids = hop.id.split(',').map(str::trim);
    let described: Vec<Place> = match member_of(&hop.kind) {
        Some(member) => ids.filter_map(|id| describe(citer, &evidence, member, id)).collect(),
        None => Vec::new(),
    };
    let decided_by = described.first().and_then(|place| decider(hop, place, citer));
    HopClaim {
        kind: hop.kind.clone(),
        id: hop.id.clone(),
        at: hop.at.clone(),
        reply: hop.reply,
        direction: hop.direction.clone(),
        state: hop.state,
        text: hop.text.clone(),
        described,
        decided_by,
    }
}

/// The member that holds the id of an element of this kind.
fn member_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "security_group" => "GroupId",
        "network_acl" => "NetworkAclId",
        "route_table" => "RouteTableId",
        "nat_gateway" => "NatGatewayId",
        "internet_gateway" => "InternetGatewayId",
        "vpc_endpoint" => "VpcEndpointId",
        "peering" => "VpcPeeringConnectionId",
        "transit_gateway" => "TransitGatewayId",
        _ => return None,
    })
}

/// Where the element is described: an item of a list at the top of an answer.
fn describe(citer: &Citer, evidence: &[EvidenceId], member: &str, id: &str) -> Option<Place> {
    evidence.iter().find_map(|call| {
        let response = citer.call(call)?.get("response")?.as_object()?;
        response.iter().find_map(|(list, items)| {
            let at = items.as_array()?.iter().position(|item| item[member].as_str() == Some(id))?;
            Some(Place { call: call.clone(), pointer: format!("/response/{list}/{at}") })
        })
    })
}

/// The entry that the words of the trace name.
fn decider(hop: &PathHop, place: &Place, citer: &Citer) -> Option<Place> {
    let object = citer.call(&place.call)?.pointer(&place.pointer)?;
    let (list, at) = match hop.kind.as_str() {
        "network_acl" => {
            let number = match hop.text.strip_prefix("rule ") {
                Some(rest) => rest.split(' ').next()?.parse::<i64>().ok()?,
                None if hop.text.starts_with("the final rule") => 32767,
                None => return None,
            };
            let egress = hop.direction.as_deref() == Some("egress");
            let matches = |entry: &Value| {
                entry["RuleNumber"].as_i64() == Some(number) && entry["Egress"].as_bool() == Some(egress)
            };
            ("Entries", object["Entries"].as_array()?.iter().position(matches)?)
        }
        "route_table" => {
            let destination = hop.text.strip_prefix("route ")?.split(" -> ").next()?;
            let members = ["DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"];
            let matches =
                |route: &Value| members.iter().any(|member| route[member].as_str() == Some(destination));
            ("Routes", object["Routes"].as_array()?.iter().position(matches)?)
        }
        _ => return None,
    };
    Some(Place { call: place.call.clone(), pointer: format!("{}/{list}/{at}", place.pointer) })
}
