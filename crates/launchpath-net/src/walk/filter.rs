//! Security groups and network ACLs: cut the packets into admitted, refused and undecided.

use std::sync::Arc;

use ipnet::IpNet;
use launchpath_model::ids::{NetworkAclId, SecurityGroupId, SubnetId};
use launchpath_model::{EvidenceId, Gap, GapReason};

use super::Walk;
use super::branch::{ANYWHERE, Branch, Effect, Piece};
use crate::acl::AclRule;
use crate::answer::{Blocker, BlockerKind, Direction, Hop, HopKind, HopVerdict, Leg};
use crate::cover::{Side, cover};
use crate::edit::{Edit, Peer};
use crate::group::{Rule, RulePeer, Rules};
use crate::index::{End, HopKey};
use crate::packet::{Cube, ICMP, ICMP_V6, PacketSet};
use crate::span::{Span, address_at, address_text, is_v4};

/// How many deciding rules a hop names before it counts them.
const RULES_NAMED: usize = 4;

/// What the rules of the groups of an interface admit.
struct Decision<'i> {
    admitted: PacketSet,
    rest: PacketSet,
    /// The first rules that admit.
    used: Vec<Used<'i>>,
    used_count: usize,
    undecided: Undecided,
}

/// A deciding rule: its group, the group's rules, and the places of rule and peer among them.
struct Used<'i> {
    group: &'i SecurityGroupId,
    rules: &'i Rules,
    rule: u32,
    peer: u32,
}

impl Used<'_> {
    fn text(&self, direction: Direction) -> String {
        let rule = &self.rules.rules[self.rule as usize];
        rule_text(self.group, rule, &rule.peers[self.peer as usize], direction)
    }
}

/// Rules and addresses that may match, depending on what was not seen.
type Undecided = Vec<(Cube, Gap)>;

impl<'e> Walk<'e, '_> {
    /// The egress rules of the groups of the source.
    pub(super) fn egress_groups(&self, branch: &Branch<'e>, end: &'e End) -> Vec<Piece> {
        self.group_pieces(branch, end, Direction::Egress)
    }

    /// The ingress rules of the groups of the destination.
    pub(super) fn ingress_groups(&self, branch: &Branch<'e>, end: &'e End) -> Vec<Piece> {
        self.group_pieces(branch, end, Direction::Ingress)
    }

    fn group_pieces(&self, branch: &Branch<'e>, end: &'e End, direction: Direction) -> Vec<Piece> {
        let at = end.name();
        let Some(groups) = &end.groups else {
            let gap = Gap::not_asked(
                format!("the security groups of {at}"),
                format!("aws ec2 describe-network-interfaces --network-interface-ids {at}"),
            );
            return vec![unknown(branch.now.clone(), None, gap)];
        };
        if groups.is_empty() {
            // AWS: interfaces of some managed resources (NAT gateways, transit gateway attachments) have no groups.
            return vec![passed(branch.now.clone(), None)];
        }
        let decision = self.decide(branch, end, groups, direction);
        let Decision { admitted, mut rest, used, used_count, undecided } = decision;
        let evidence = || {
            let rows = groups.iter().filter_map(|id| self.index.network.security_groups.seen(id));
            rows.flat_map(|row| row.evidence.iter().cloned()).collect::<Vec<EvidenceId>>()
        };
        let hop = |verdict, text| Hop {
            kind: HopKind::SecurityGroup,
            id: ids_text(groups),
            at: Some(at.to_owned()),
            leg: branch.leg,
            direction: Some(direction),
            verdict,
            text,
            evidence: evidence(),
        };
        let mut pieces = Vec::with_capacity(2);
        if !admitted.is_empty() {
            let text = || {
                let mut text = used.iter().map(|rule| rule.text(direction)).collect::<Vec<_>>().join("; ");
                if used_count > used.len() {
                    text = format!("{text}; and {} more", used_count - used.len());
                }
                text
            };
            let passed_hop = match used.as_slice() {
                [sole] if used_count == 1 => self.index.group_hop(
                    (std::ptr::from_ref(sole.rules).addr(), sole.rule, sole.peer),
                    at,
                    groups,
                    || hop(HopVerdict::Passed, text()),
                ),
                _ => Arc::new(hop(HopVerdict::Passed, text())),
            };
            pieces.push(Piece { set: admitted, hop: Some(passed_hop), effect: Effect::Pass, assumed: None });
        }
        for (cube, gap) in undecided {
            let part = rest.take(&cube);
            if !part.is_empty() {
                let text = format!("not known: {}", gap.what);
                pieces.push(unknown(part, Some(hop(HopVerdict::Unknown, text)), gap));
            }
        }
        if !rest.is_empty() {
            let side = if direction == Direction::Egress { "egress" } else { "ingress" };
            let text = format!("no {side} rule of {} admits {rest}", groups_text(groups));
            let kind = match direction {
                Direction::Egress => BlockerKind::SecurityGroupEgress,
                Direction::Ingress => BlockerKind::SecurityGroupIngress,
            };
            let edit = self.group_edit(branch, &groups[0], direction, &rest);
            let blocker = Blocker {
                kind,
                id: groups[0].to_string(),
                at: Some(at.to_owned()),
                leg: branch.leg,
                direction: Some(direction),
                rule: None,
                text: text.clone(),
                evidence: evidence(),
                edit,
            };
            let hop = hop(HopVerdict::Dropped, text);
            pieces.push(Piece {
                set: rest,
                hop: Some(Arc::new(hop)),
                effect: Effect::Drop(Box::new(blocker)),
                assumed: None,
            });
        }
        pieces
    }

    /// What the rules of all groups admit together, and which rules do.
    fn decide(
        &self,
        branch: &Branch<'e>,
        end: &End,
        groups: &'e [SecurityGroupId],
        direction: Direction,
    ) -> Decision<'e> {
        let side = if direction == Direction::Egress { Side::Destination } else { Side::Source };
        let now = &branch.now;
        let mut undecided: Undecided = Vec::new();
        let mut boxes: Vec<Cube> = Vec::new();
        let mut used: Vec<Used<'e>> = Vec::new();
        let mut used_count = 0usize;
        let bounds = now.bounds();
        for id in groups {
            let rules = self.index.groups.get(id).and_then(|group| match direction {
                Direction::Ingress => group.ingress.as_ref(),
                Direction::Egress => group.egress.as_ref(),
            });
            let Some(rules) = rules else {
                undecided.push((Cube::between(ANYWHERE, ANYWHERE), self.unseen_group(id)));
                continue;
            };
            let deciding = |rule: u32, peer: u32| Used { group: id, rules, rule, peer };
            for (cube, rule, peer) in &rules.boxes {
                if bounds.as_ref().is_some_and(|bounds| bounds.meets(cube))
                    && now.cubes().iter().any(|own| own.meets(cube))
                {
                    if now.cubes().iter().all(|own| cube.covers(own)) {
                        // One rule decides for all: the others need not be asked.
                        return Decision {
                            admitted: now.clone(),
                            rest: PacketSet::default(),
                            used: vec![deciding(*rule, *peer)],
                            used_count: 1,
                            undecided: Vec::new(),
                        };
                    }
                    boxes.push(*cube);
                    used_count += 1;
                    if used.len() < RULES_NAMED {
                        used.push(deciding(*rule, *peer));
                    }
                }
            }
            for (rule_at, peer_at) in &rules.named {
                let rule = &rules.rules[*rule_at as usize];
                let serves = |own: &Cube| {
                    own.protocol.meets(rule.protocol) && own.from.meets(rule.from) && own.to.meets(rule.to)
                };
                if !now.cubes().iter().any(serves) {
                    continue;
                }
                let peer = &rule.peers[*peer_at as usize];
                let before = boxes.len();
                let mut admits: Vec<Cube> = Vec::new();
                self.peer_cubes(branch, end, side, rule, peer, &mut undecided, &mut admits);
                let meets = |cube: &Cube| now.cubes().iter().any(|own| own.meets(cube));
                boxes.extend(admits.into_iter().filter(meets));
                if boxes.len() > before {
                    used_count += 1;
                    if used.len() < RULES_NAMED {
                        used.push(deciding(*rule_at, *peer_at));
                    }
                }
            }
        }
        let (admitted, rest) = cover(now, &boxes, side);
        Decision {
            admitted: PacketSet::of_disjoint(admitted),
            rest: PacketSet::of_disjoint(rest),
            used,
            used_count,
            undecided,
        }
    }

    /// Pushes everything that a group or list as peer admits for sure, and notes what it may admit.
    #[expect(clippy::too_many_arguments, reason = "the pieces of one decision")]
    fn peer_cubes(
        &self,
        branch: &Branch<'e>,
        end: &End,
        side: Side,
        rule: &Rule,
        peer: &RulePeer,
        undecided: &mut Undecided,
        boxes: &mut Vec<Cube>,
    ) {
        let cube = |span: Span<u128>| rule.cube(side, span);
        match peer {
            RulePeer::Block(span) => boxes.push(cube(*span)),
            RulePeer::List(list) => {
                if let Some((spans, _)) = self.index.list(list) {
                    boxes.extend(spans.iter().map(|span| cube(*span)));
                    return;
                }
                if side == Side::Destination && self.goal.lists.contains(list) {
                    boxes.push(cube(ANYWHERE));
                    return;
                }
                let meant = self.index.service_of_list(list);
                let aimed = self.goal.service.as_deref();
                // A list of an AWS service holds that service's public addresses and no other's.
                let other_service =
                    meant.is_some_and(|name| aimed.is_some_and(|service| !name.ends_with(service)));
                let private = meant.is_some() && self.goal.end.is_some();
                if side == Side::Destination && (other_service || private) {
                    return;
                }
                undecided.push((cube(ANYWHERE), Self::unseen_list(list)));
            }
            RulePeer::Group(group) => {
                let known = match side {
                    Side::Destination => self.goal.end,
                    Side::Source => branch.sender,
                };
                match (known, side) {
                    (Some(other), _) => match &other.groups {
                        Some(groups) if groups.contains(group) => boxes.push(cube(ANYWHERE)),
                        Some(_) => {}
                        None => undecided.push((
                            cube(ANYWHERE),
                            Gap::not_asked(
                                format!("the security groups of {}", other.name()),
                                format!(
                                    "aws ec2 describe-network-interfaces --network-interface-ids {}",
                                    other.name()
                                ),
                            ),
                        )),
                    },
                    // From outside no source is a member of a group.
                    (None, Side::Source) => {
                        if let Some(gap) = &branch.sender_lost {
                            undecided.push((cube(ANYWHERE), gap.clone()));
                        }
                    }
                    (None, Side::Destination) => {
                        // AWS: a reference to a group means the private addresses of its interfaces
                        // (https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html).
                        for member in self.index.members(group) {
                            boxes.extend(member.addresses.iter().map(|span| cube(*span)));
                        }
                        self.unseen_members(end, group, cube, undecided);
                    }
                }
            }
        }
    }

    /// Addresses of the VPC that no seen interface holds may belong to a member that was not seen.
    fn unseen_members(
        &self,
        end: &End,
        group: &SecurityGroupId,
        cube: impl Fn(Span<u128>) -> Cube,
        undecided: &mut Undecided,
    ) {
        if let Some(gap) = self.index.unseen_members(&end.vpc, group) {
            for block in self.index.vpc_blocks(&end.vpc).unwrap_or_default() {
                let known = self.index.ends_within(&end.vpc, block);
                let holes = known.into_iter().filter(|(_, end)| end.groups.is_some());
                let spans = crate::span::subtract_all(vec![block], holes.map(|(at, _)| Span::one(at)));
                undecided.extend(spans.into_iter().map(|span| (cube(span), gap.clone())));
            }
        }
    }

    fn unseen_group(&self, id: &SecurityGroupId) -> Gap {
        self.index.missing(
            &self.index.network.security_groups,
            format!("the rules of security group {id}"),
            "DescribeSecurityGroups",
            "GroupIds",
            id.as_str(),
        )
    }

    pub(super) fn unseen_list(list: &launchpath_model::ids::PrefixListId) -> Gap {
        Gap::not_asked(
            format!("the entries of prefix list {list}"),
            format!("aws ec2 get-managed-prefix-list-entries --prefix-list-id {list}"),
        )
    }

    fn group_edit(
        &self,
        branch: &Branch<'e>,
        group: &SecurityGroupId,
        direction: Direction,
        refused: &PacketSet,
    ) -> Option<Edit> {
        let (protocol, ports) = wanted(refused)?;
        let peer = match direction {
            Direction::Egress => {
                let of_end = self.goal.end.and_then(|end| end.groups.as_ref()).and_then(|g| g.first());
                match (of_end, self.goal.lists.first()) {
                    (Some(other), _) => Peer::Group(other.clone()),
                    (None, Some(list)) => Peer::PrefixList(list.clone()),
                    (None, None) => Peer::Block(covering(refused, |cube| cube.destination)?),
                }
            }
            Direction::Ingress => {
                let of_sender = branch.sender.and_then(|end| end.groups.as_ref()).and_then(|g| g.first());
                match of_sender {
                    Some(other) => Peer::Group(other.clone()),
                    None => Peer::Block(covering(refused, |cube| cube.source)?),
                }
            }
        };
        Some(Edit::AddGroupRule { group: group.clone(), direction, protocol, ports, peer })
    }

    /// The network ACL of a subnet.
    pub(super) fn acl_pieces(
        &self,
        branch: &Branch<'e>,
        subnet: &SubnetId,
        direction: Direction,
    ) -> Vec<Piece> {
        let (id, assumed) = match self.index.acl_of(subnet) {
            Ok((Some(id), _)) => (id, None),
            Ok((None, gap)) => {
                let piece = passed(branch.now.clone(), None);
                return vec![Piece { assumed: gap, ..piece }];
            }
            Err(gap) => return vec![unknown(branch.now.clone(), None, *gap)],
        };
        let Some(compiled) = self.index.acls.get(id) else { return Vec::new() };
        let Some(rules) = compiled.rules(direction) else {
            let gap = Gap {
                what: format!("the rules of network ACL {id}"),
                reason: GapReason::MemberMissing { path: "Entries".to_owned() },
                evidence: self.acl_evidence(id),
                command: Some(format!("aws ec2 describe-network-acls --network-acl-ids {id}")),
            };
            return vec![unknown(branch.now.clone(), None, gap)];
        };
        let hop = |verdict, text| Hop {
            kind: HopKind::NetworkAcl,
            id: id.to_string(),
            at: Some(subnet.to_string()),
            leg: branch.leg,
            direction: Some(direction),
            verdict,
            text,
            evidence: self.acl_evidence(id),
        };
        let mut rest = branch.now.clone();
        let mut admitted = PacketSet::default();
        let mut used: Vec<&AclRule> = Vec::new();
        let mut denied: Vec<(Option<&AclRule>, PacketSet)> = Vec::new();
        for rule in rules {
            if rest.is_empty() {
                break;
            }
            for cube in rule.cubes(direction, ANYWHERE) {
                let part = rest.take(&cube);
                if part.is_empty() {
                    continue;
                }
                if rule.allows {
                    admitted.join_disjoint(part);
                    used.push(rule);
                } else {
                    denied.push((Some(rule), part));
                }
            }
        }
        if !rest.is_empty() {
            denied.push((None, rest));
        }
        let mut pieces = Vec::with_capacity(1 + denied.len());
        if !admitted.is_empty() {
            let text = || {
                let words: Vec<String> =
                    used.iter().take(RULES_NAMED).map(|rule| rule.text(direction)).collect();
                let more = used.len().saturating_sub(RULES_NAMED);
                if more > 0 { format!("{}; and {more} more", words.join("; ")) } else { words.join("; ") }
            };
            // One deciding rule: the same hop for every question.
            let hop = match used.as_slice() {
                [rule] => {
                    let make = || hop(HopVerdict::Passed, text());
                    match self.index.subnet(subnet) {
                        Some(info) => self.index.hop(HopKey::acl(rule, info.key(), branch.leg), make),
                        None => Arc::new(make()),
                    }
                }
                _ => Arc::new(hop(HopVerdict::Passed, text())),
            };
            pieces.push(Piece { set: admitted, hop: Some(hop), effect: Effect::Pass, assumed });
        }
        for (rule, set) in denied {
            let words = rule.map_or_else(
                || "no rule matches, and what no rule matches is denied".to_owned(),
                |rule| rule.text(direction),
            );
            let text = format!("{words}: {set}");
            let blocker = Blocker {
                kind: BlockerKind::NetworkAcl,
                id: id.to_string(),
                at: Some(subnet.to_string()),
                leg: branch.leg,
                direction: Some(direction),
                rule: rule.map(|rule| rule.number),
                text: text.clone(),
                evidence: self.acl_evidence(id),
                edit: acl_edit(id, rules, rule, direction, &set),
            };
            let hop = Some(Arc::new(hop(HopVerdict::Dropped, text)));
            pieces.push(Piece { set, hop, effect: Effect::Drop(Box::new(blocker)), assumed: None });
        }
        pieces
    }

    fn acl_evidence(&self, id: &NetworkAclId) -> Vec<EvidenceId> {
        self.index.network.network_acls.seen(id).map(|row| row.evidence.clone()).unwrap_or_default()
    }
}

fn acl_edit(
    acl: &NetworkAclId,
    rules: &[AclRule],
    denying: Option<&AclRule>,
    direction: Direction,
    refused: &PacketSet,
) -> Option<Edit> {
    let before = denying.map_or(32767, |rule| rule.number);
    let number = (1..before.min(32767)).rev().find(|n| rules.iter().all(|rule| rule.number != *n))?;
    let (protocol, ports) = wanted(refused)?;
    let block = match direction {
        Direction::Ingress => covering(refused, |cube| cube.source)?,
        Direction::Egress => covering(refused, |cube| cube.destination)?,
    };
    Some(Edit::AddAclRule { acl: acl.clone(), direction, number, protocol, ports, block })
}

/// The protocol and the ports that an edit for these packets must admit; `None` for several protocols at once.
fn wanted(packets: &PacketSet) -> Option<(u8, Option<(u16, u16)>)> {
    let first = packets.cubes().first()?;
    let protocol = first.protocol;
    if protocol.first != protocol.last || packets.cubes().iter().any(|cube| cube.protocol != protocol) {
        return None;
    }
    let ports = match protocol.first {
        6 | 17 => {
            let from = packets.cubes().iter().map(|cube| cube.to.first).min()?;
            let to = packets.cubes().iter().map(|cube| cube.to.last).max()?;
            Some((from, to))
        }
        ICMP | ICMP_V6 => return None,
        _ => None,
    };
    Some((protocol.first, ports))
}

/// The smallest block that holds the addresses that `side` picks.
fn covering(packets: &PacketSet, side: impl Fn(&Cube) -> Span<u128>) -> Option<IpNet> {
    let first = packets.cubes().iter().map(|cube| side(cube).first).min()?;
    let last = packets.cubes().iter().map(|cube| side(cube).last).max()?;
    if is_v4(first) != is_v4(last) {
        return None;
    }
    let (width, family_bits) = if is_v4(first) { (32u32, 96) } else { (128, 0) };
    let differing = 128 - (first ^ last).leading_zeros();
    let length = u8::try_from(128 - differing - family_bits).ok()?;
    debug_assert!(u32::from(length) <= width, "a block of one family");
    Some(IpNet::new(address_at(first), length).ok()?.trunc())
}

fn rule_text(group: &SecurityGroupId, rule: &Rule, peer: &RulePeer, direction: Direction) -> String {
    let (side, towards) = match direction {
        Direction::Egress => ("egress", "to"),
        Direction::Ingress => ("ingress", "from"),
    };
    let peer = match peer {
        RulePeer::Block(span) => address_text(*span),
        RulePeer::Group(id) => format!("group {id}"),
        RulePeer::List(id) => format!("prefix list {id}"),
    };
    format!("{group} {side} rule {}: {} {towards} {peer}", rule.index, rule.service_text())
}

fn ids_text(groups: &[SecurityGroupId]) -> String {
    if let [one] = groups {
        return one.to_string();
    }
    groups.iter().map(SecurityGroupId::as_str).collect::<Vec<_>>().join(",")
}

fn groups_text(groups: &[SecurityGroupId]) -> String {
    groups.iter().map(SecurityGroupId::as_str).collect::<Vec<_>>().join(", ")
}

pub(super) fn passed(set: PacketSet, hop: Option<Hop>) -> Piece {
    Piece { set, hop: hop.map(Arc::new), effect: Effect::Pass, assumed: None }
}

pub(super) fn unknown(set: PacketSet, hop: Option<Hop>, gap: Gap) -> Piece {
    Piece { set, hop: hop.map(Arc::new), effect: Effect::Unknown(Box::new(gap)), assumed: None }
}

pub(super) fn dropped(set: PacketSet, leg: Leg, kind: HopKind, blocker: Blocker) -> Piece {
    let hop = Hop {
        kind,
        id: blocker.id.clone(),
        at: blocker.at.clone(),
        leg,
        direction: blocker.direction,
        verdict: HopVerdict::Dropped,
        text: blocker.text.clone(),
        evidence: blocker.evidence.clone(),
    };
    Piece { set, hop: Some(Arc::new(hop)), effect: Effect::Drop(Box::new(blocker)), assumed: None }
}
