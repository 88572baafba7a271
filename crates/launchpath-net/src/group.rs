//! Security groups as packet filters: stateful, allow rules only, the union of all groups of an interface.
//!
//! Rules keep their place in the document, so that an answer can name them. The walk decides; this file says what a
//! rule matches.

use launchpath_model::aws::security_group::{IpPermission, SecurityGroup};
use launchpath_model::ids::{PrefixListId, SecurityGroupId};

use crate::cover::Side;
use crate::packet::{Cube, ICMP, ICMP_V6, TCP, UDP, port_text, protocol_text};
use crate::span::{ANY_PORT, ANY_PROTOCOL, ANY_V6, Span, v4_block, v6_block};

/// Whom a rule admits.
#[derive(Clone, Debug)]
pub(crate) enum RulePeer {
    /// Addresses.
    Block(Span<u128>),
    /// Members of a group; by name where no id is given.
    Group(SecurityGroupId),
    /// Entries of a list.
    List(PrefixListId),
}

/// One protocol-and-ports with its peers.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) index: usize,
    pub(crate) protocol: Span<u8>,
    pub(crate) from: Span<u16>,
    pub(crate) to: Span<u16>,
    pub(crate) peers: Vec<RulePeer>,
}

/// A group's rules by direction; `None`: the document does not say.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) ingress: Option<Rules>,
    pub(crate) egress: Option<Rules>,
}

/// The rules of one direction.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
    /// What peers given as blocks admit, with the places of rule and peer.
    pub(crate) boxes: Vec<(Cube, u32, u32)>,
    /// Peers that are groups or lists, by the places of rule and peer.
    pub(crate) named: Vec<(u32, u32)>,
}

impl Rules {
    fn new(permissions: &[IpPermission], side: Side) -> Self {
        let rules: Vec<Rule> =
            permissions.iter().enumerate().filter_map(|(index, rule)| compile_rule(index, rule)).collect();
        let mut boxes = Vec::new();
        let mut named = Vec::new();
        for (at, rule) in (0u32..).zip(&rules) {
            for (peer_at, peer) in (0u32..).zip(&rule.peers) {
                match peer {
                    RulePeer::Block(span) => boxes.push((rule.cube(side, *span), at, peer_at)),
                    RulePeer::Group(_) | RulePeer::List(_) => named.push((at, peer_at)),
                }
            }
        }
        Self { rules, boxes, named }
    }
}

impl Group {
    pub(crate) fn new(group: &SecurityGroup) -> Self {
        let compile =
            |rules: &Option<Vec<IpPermission>>, side| rules.as_ref().map(|rules| Rules::new(rules, side));
        Self {
            ingress: compile(&group.ip_permissions, Side::Source),
            egress: compile(&group.ip_permissions_egress, Side::Destination),
        }
    }
}

/// The protocol number of a rule; `None` when it is not one.
pub(crate) fn protocol_of(text: &str) -> Option<Span<u8>> {
    match text {
        "-1" | "all" => Some(ANY_PROTOCOL),
        "tcp" => Some(Span::one(TCP)),
        "udp" => Some(Span::one(UDP)),
        "icmp" => Some(Span::one(ICMP)),
        "icmpv6" => Some(Span::one(ICMP_V6)),
        other => other.parse().ok().map(Span::one),
    }
}

fn compile_rule(index: usize, rule: &IpPermission) -> Option<Rule> {
    let protocol = protocol_of(&rule.ip_protocol)?;
    let (from, to) = match protocol {
        p if p == Span::one(ICMP) || p == Span::one(ICMP_V6) => icmp(rule.from_port, rule.to_port)?,
        p if p == Span::one(TCP) || p == Span::one(UDP) => (ANY_PORT, ports(rule.from_port, rule.to_port)?),
        // AWS: for other protocols all ports are allowed whatever range is written
        // (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html).
        _ => (ANY_PORT, ANY_PORT),
    };
    let mut peers = Vec::new();
    peers.extend(rule.ip_ranges.iter().filter_map(|r| r.cidr_ip).map(|b| RulePeer::Block(v4_block(b))));
    for range in rule.ipv6_ranges.iter().filter_map(|r| r.cidr_ipv6) {
        if range.prefix_len() == 0 {
            peers.extend(ANY_V6.map(RulePeer::Block));
        } else {
            peers.push(RulePeer::Block(v6_block(range)));
        }
    }
    for pair in &rule.user_id_group_pairs {
        let id = pair.group_id.clone().or_else(|| pair.group_name.as_deref().map(SecurityGroupId::from));
        peers.extend(id.map(RulePeer::Group));
    }
    peers.extend(rule.prefix_list_ids.iter().map(|list| RulePeer::List(list.prefix_list_id.clone())));
    Some(Rule { index, protocol, from, to, peers })
}

/// A port range; an absent or -1 bound is open.
fn ports(from: Option<i64>, to: Option<i64>) -> Option<Span<u16>> {
    let bound = |value: Option<i64>, open: u16| match value {
        None | Some(-1) => Some(open),
        Some(port) => u16::try_from(port).ok(),
    };
    Span::new(bound(from, 0)?, bound(to, u16::MAX)?)
}

/// ICMP type and code spans. A code without a type is not a rule that matches anything.
///
/// AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>: a start of -1 (every type)
/// demands an end of -1 (every code).
pub(crate) fn icmp(kind: Option<i64>, code: Option<i64>) -> Option<(Span<u16>, Span<u16>)> {
    let one = |value: i64| u8::try_from(value).ok().map(|value| Span::one(u16::from(value)));
    match (kind.unwrap_or(-1), code.unwrap_or(-1)) {
        (-1, -1) => Some((ANY_PORT, ANY_PORT)),
        (-1, _) => None,
        (kind, -1) => Some((one(kind)?, ANY_PORT)),
        (kind, code) => Some((one(kind)?, one(code)?)),
    }
}

impl Rule {
    /// Everything it admits from or to the addresses.
    pub(crate) fn cube(&self, side: Side, span: Span<u128>) -> Cube {
        let anywhere = Span { first: 0, last: u128::MAX };
        let (source, destination) = match side {
            Side::Source => (span, anywhere),
            Side::Destination => (anywhere, span),
        };
        Cube { protocol: self.protocol, destination, source, to: self.to, from: self.from }
    }

    /// What it admits, in words: `tcp 443`.
    pub(crate) fn service_text(&self) -> String {
        let protocol = protocol_text(self.protocol);
        if self.protocol == Span::one(ICMP) || self.protocol == Span::one(ICMP_V6) {
            return format!("{protocol} type {} code {}", port_text(self.from), port_text(self.to));
        }
        if self.protocol == ANY_PROTOCOL || self.to == ANY_PORT {
            return format!("{protocol} (every port)");
        }
        format!("{protocol} {}", port_text(self.to))
    }
}
