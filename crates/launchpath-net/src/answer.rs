//! Answers: a verdict, what it holds for, the trace that proves it, and everything that must change to open the path.
//!
//! Plain data: nothing here decides. Start with [`Answer`].

use std::sync::Arc;

use launchpath_model::{EvidenceId, Gap};
use serde::Serialize;

use crate::edit::Edit;
use crate::packet::{Packet, PacketSet};

/// Whether the packets asked about get there and their answers get back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All of them.
    All,
    /// None of them.
    None,
    /// Exactly the delivered parts of [`Answer::parts`].
    Part,
    /// The evidence does not tell; [`Answer::unknown`] says what is missing.
    Unknown,
}

/// What became of one part of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Delivered, and the answers come back.
    Delivered,
    /// Dropped somewhere.
    Blocked,
    /// Nothing seen drops it, and something unseen might.
    Unknown,
}

/// The way there, or the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// From the source to the destination.
    Request,
    /// The answers, from the destination to the source.
    Reply,
}

/// The side of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the interface or subnet.
    Ingress,
    /// Out of it.
    Egress,
}

/// The kind of element a hop passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HopKind {
    /// Where the packets start.
    Source,
    /// The name was resolved.
    Dns,
    /// Security groups of an interface.
    SecurityGroup,
    /// Network ACL of a subnet.
    NetworkAcl,
    /// Route table.
    RouteTable,
    /// Delivery inside a VPC.
    Local,
    /// Internet gateway.
    InternetGateway,
    /// NAT gateway.
    NatGateway,
    /// Egress-only internet gateway.
    EgressOnlyInternetGateway,
    /// VPC endpoint.
    VpcEndpoint,
    /// Peering connection.
    Peering,
    /// Transit gateway.
    TransitGateway,
    /// Virtual private gateway.
    VpnGateway,
    /// An appliance, firewall or other target whose inside is not in the evidence.
    Appliance,
    /// Where the packets end.
    Destination,
}

/// What an element did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HopVerdict {
    /// Let the packets through.
    Passed,
    /// Dropped them.
    Dropped,
    /// Not to be told from the evidence.
    Unknown,
}

/// One element on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// The kind of element.
    pub kind: HopKind,
    /// The element's id; for what has none, a description.
    pub id: Arc<str>,
    /// The interface or subnet it guards.
    pub at: Option<Arc<str>>,
    /// Way there or way back.
    pub leg: Leg,
    /// The side of a filter.
    pub direction: Option<Direction>,
    /// What it did.
    pub verdict: HopVerdict,
    /// The deciding rule or route: its number or index and its words.
    pub text: Arc<str>,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
}

/// Why packets do not get through, as a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockerKind {
    /// No egress rule of the source's groups admits them.
    SecurityGroupEgress,
    /// No ingress rule of the destination's groups admits them.
    SecurityGroupIngress,
    /// A network ACL denies them.
    NetworkAcl,
    /// No route matches.
    NoRoute,
    /// The matching route's target is gone.
    Blackhole,
    /// The route leads to an internet gateway and the interface has no public address.
    InternetGatewayNeedsPublicAddress,
    /// The internet gateway is not attached to this VPC.
    InternetGatewayDetached,
    /// VPC Block Public Access cuts the subnet off from internet gateways.
    PublicAccessBlocked,
    /// The internet gateway drops packets to addresses that are not public.
    AddressNotPublic,
    /// The NAT gateway does not work: state, kind, or protocol.
    NatGatewayUnusable,
    /// The endpoint does not take traffic: its state, or none of its interfaces is in use.
    EndpointUnavailable,
    /// The gateway endpoint does not serve these packets.
    EndpointDoesNotServe,
    /// The peering connection is not active, or the address is not in the peer's blocks.
    PeeringUnusable,
    /// The transit gateway has no usable attachment for this VPC and zone.
    TransitGatewayAttachment,
    /// The transit gateway's route table has no route.
    TransitGatewayNoRoute,
    /// The virtual private gateway is not attached, or has no route for the address.
    VpnGatewayUnusable,
    /// The address is inside the VPC and in none of its subnets.
    NoSuchSubnet,
    /// No interface holds the address.
    NoSuchAddress,
    /// The source has no address of the destination's family.
    NoAddressOfFamily,
    /// The address lies in the local blocks of both VPCs: it is looked up in the own one.
    OverlappingLocalRoute,
    /// A private address cannot be reached from the internet.
    PrivateAddressFromInternet,
    /// Answers take another way than requests and lose their connection's state.
    AsymmetricReturn,
    /// Nobody answers the name.
    DnsNoAnswer,
    /// An appliance interface drops what is not addressed to it.
    SourceDestinationCheck,
}

impl BlockerKind {
    /// The short public name of the kind of element, as batch output prints it.
    pub fn element(self) -> &'static str {
        match self {
            Self::SecurityGroupEgress | Self::SecurityGroupIngress => "security-group",
            Self::NetworkAcl => "network-acl",
            Self::NoRoute | Self::Blackhole | Self::AsymmetricReturn => "route-table",
            Self::InternetGatewayNeedsPublicAddress
            | Self::InternetGatewayDetached
            | Self::AddressNotPublic => "internet-gateway",
            Self::PublicAccessBlocked => "vpc-block-public-access",
            Self::NatGatewayUnusable => "nat-gateway",
            Self::EndpointUnavailable | Self::EndpointDoesNotServe => "vpc-endpoint",
            Self::PeeringUnusable => "vpc-peering",
            Self::TransitGatewayAttachment | Self::TransitGatewayNoRoute => "transit-gateway",
            Self::VpnGatewayUnusable => "vpn-gateway",
            Self::NoSuchSubnet => "no-such-subnet",
            Self::NoSuchAddress => "no-such-address",
            Self::NoAddressOfFamily => "no-address-of-family",
            Self::OverlappingLocalRoute => "overlapping-local-route",
            Self::PrivateAddressFromInternet => "private-address-from-internet",
            Self::DnsNoAnswer => "dns",
            Self::SourceDestinationCheck => "network-interface",
        }
    }
}

/// One element that must change before the packets get through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// Why, as a type.
    pub kind: BlockerKind,
    /// The element: a group, ACL, route table, gateway, endpoint.
    pub id: Arc<str>,
    /// The interface or subnet it guards.
    pub at: Option<Arc<str>>,
    /// Way there or way back.
    pub leg: Leg,
    /// The side of a filter.
    pub direction: Option<Direction>,
    /// The number of the deciding ACL rule.
    pub rule: Option<i64>,
    /// One sentence.
    pub text: Arc<str>,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
    /// The smallest change that opens this element; `None` when the element cannot be opened by an edit.
    pub edit: Option<Edit>,
}

/// Packets that share one fate.
#[derive(Clone, Debug)]
pub struct Part {
    /// The packets, as the source sends them.
    pub packets: PacketSet,
    /// One of them.
    pub example: Packet,
    /// Every element passed, in order; when one drops them the trace goes on as if it had not.
    pub trace: Vec<Arc<Hop>>,
    /// Which share of its aim's packets it is, 0 to 1, source ports and addresses taken as equally likely. Parts can overlap
    /// where a NAT gateway picks the port.
    pub share: f64,
    /// What became of them.
    pub outcome: Outcome,
    /// **Every** element that drops them, in order.
    pub blockers: Vec<Arc<Blocker>>,
    /// What is unknown on their way.
    pub gaps: Vec<Gap>,
}

/// The answer to one question.
#[derive(Clone, Debug)]
pub struct Answer {
    /// All, none, part, or unknown.
    pub verdict: Verdict,
    /// The packets by fate; together they are all packets asked about.
    pub parts: Vec<Part>,
    /// Every blocker of every part, without repetition, in path order.
    pub blocked_by: Vec<Arc<Blocker>>,
    /// What would have to be known to decide; empty unless the verdict is `Unknown`.
    pub unknown: Vec<Gap>,
    /// What was taken for granted because nothing speaks against it, with the command that would show it.
    pub assumed: Vec<Gap>,
    /// Every call the answer rests on.
    pub evidence: Vec<EvidenceId>,
}

impl Answer {
    /// The packets that get through.
    pub fn delivered(&self) -> PacketSet {
        let mut set = PacketSet::default();
        for part in self.parts.iter().filter(|part| part.outcome == Outcome::Delivered) {
            set.add(&part.packets);
        }
        set
    }

    /// Which share of the packets is delivered, 0 to 1, every aim, address and source port taken as equally likely.
    ///
    /// A `Part` verdict with a share near 1 is an ACL rule that hits a few ephemeral ports.
    pub fn delivered_share(&self) -> f64 {
        let of = |outcome: Option<Outcome>| -> f64 {
            let parts = self.parts.iter().filter(|part| outcome.is_none_or(|o| part.outcome == o));
            parts.map(|part| part.share).sum()
        };
        let all = of(None);
        if all > 0.0 { of(Some(Outcome::Delivered)) / all } else { 0.0 }
    }

    /// The edits that open every blocked element, without repetition.
    ///
    /// `None` when an element cannot be opened by an edit.
    pub fn edits(&self) -> Option<Vec<Edit>> {
        let mut edits: Vec<Edit> = Vec::new();
        for blocker in &self.blocked_by {
            let edit = blocker.edit.as_ref()?;
            if !edits.contains(edit) {
                edits.push(edit.clone());
            }
        }
        Some(edits)
    }

    /// Whether some packet is delivered for sure.
    pub fn any_delivered(&self) -> bool {
        self.parts.iter().any(|part| part.outcome == Outcome::Delivered)
    }
}
