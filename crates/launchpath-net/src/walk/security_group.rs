//! The security groups of an interface: cut the packets into admitted, refused and undecided.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use launchpath_model::ids::SecurityGroupId;
use launchpath_model::{EvidenceId, Gap};
use smallvec::{SmallVec, smallvec};

use super::Walk;
use super::branch::{ANYWHERE, Branch, Pieces};
use super::filter::{RULES_NAMED, covering, dropped, passed, unknown, wanted, words_of};
use crate::answer::{Blocker, BlockerKind, Direction, Hop, HopKind, HopVerdict};
use crate::cover::{Side, cover};
use crate::edit::{Edit, Peer};
use crate::end::End;
use crate::group::{Rule, RulePeer, Rules};
use crate::packet::{Cube, PacketSet};
use crate::span::{Span, write_addresses};

/// What the rules of the groups of an interface admit.
struct Decision<'i> {
    admitted: PacketSet,
    rest: PacketSet,
    /// The first rules that admit.
    used: SmallVec<[Used<'i>; RULES_NAMED]>,
    used_count: usize,
    undecided: Undecided,
}

/// A deciding rule: its group, the group's rules, and the places of rule and peer among them.
#[derive(Clone, Copy)]
struct Used<'i> {
    group: &'i SecurityGroupId,
    rules: &'i Rules,
    rule: u32,
    peer: u32,
}

impl Used<'_> {
    fn write(&self, out: &mut String, direction: Direction) -> fmt::Result {
        let rule = &self.rules.rules[self.rule as usize];
        let (side, towards) = match direction {
            Direction::Egress => ("egress", "to"),
            Direction::Ingress => ("ingress", "from"),
        };
        write!(out, "{} {side} rule {}: {} {towards} ", self.group, rule.index, rule.service_text())?;
        match &rule.peers[self.peer as usize] {
            RulePeer::Block(span) => write_addresses(out, *span),
            RulePeer::Group(id) => write!(out, "group {id}"),
            RulePeer::List(id) => write!(out, "prefix list {id}"),
        }
    }
}

/// Rules and addresses that may match, depending on what was not seen.
type Undecided = Vec<(Cube, Gap)>;

impl<'e> Walk<'e, '_> {
    /// The egress rules of the groups of the source.
    pub(super) fn egress_groups(&self, branch: &Branch<'e>, end: &'e End) -> Pieces {
        self.group_pieces(branch, end, Direction::Egress)
    }

    /// The ingress rules of the groups of the destination.
    pub(super) fn ingress_groups(&self, branch: &Branch<'e>, end: &'e End) -> Pieces {
        self.group_pieces(branch, end, Direction::Ingress)
    }

    fn group_pieces(&self, branch: &Branch<'e>, end: &'e End, direction: Direction) -> Pieces {
        let at = end.name();
        let Some(groups) = &end.groups else {
            let gap = Gap::not_asked(
                format!("the security groups of {at}"),
                format!("aws ec2 describe-network-interfaces --network-interface-ids {at}"),
            );
            return smallvec![unknown(branch.now.clone(), None, gap)];
        };
        if groups.is_empty() {
            // AWS: interfaces of some managed resources (NAT gateways, transit gateway attachments) have no groups.
            return smallvec![passed(branch.now.clone(), None)];
        }
        let decision = self.decide(branch, end, groups, direction);
        let Decision { admitted, mut rest, used, used_count, undecided } = decision;
        let evidence = || {
            let rows = groups.iter().filter_map(|id| self.index.network.security_groups.seen(id));
            rows.flat_map(|row| row.evidence.iter().cloned()).collect::<Vec<EvidenceId>>()
        };
        let hop = |verdict, text| Hop {
            kind: HopKind::SecurityGroup,
            id: id_of(groups),
            at: Some(end.label()),
            leg: branch.leg,
            direction: Some(direction),
            verdict,
            text,
            evidence: evidence(),
        };
        let mut pieces = Pieces::new();
        if !admitted.is_empty() {
            let text = || words_of(&used, used_count, |rule, text| rule.write(text, direction)).into();
            let passed_hop = match used.as_slice() {
                [sole] if used_count == 1 => self.index.group_hop(
                    (std::ptr::from_ref(sole.rules).addr(), sole.rule, sole.peer),
                    at,
                    groups,
                    || hop(HopVerdict::Passed, text()),
                ),
                _ => Arc::new(hop(HopVerdict::Passed, text())),
            };
            pieces.push(passed(admitted, Some(passed_hop)));
        }
        for (cube, gap) in undecided {
            let part = rest.take(&cube);
            if !part.is_empty() {
                let text = gap.what.as_str().into();
                pieces.push(unknown(part, Some(hop(HopVerdict::Unknown, text)), gap));
            }
        }
        if !rest.is_empty() {
            let kind = match direction {
                Direction::Egress => BlockerKind::SecurityGroupEgress,
                Direction::Ingress => BlockerKind::SecurityGroupIngress,
            };
            let blocker = Blocker {
                kind,
                id: (&groups[0]).into(),
                at: Some(end.label()),
                leg: branch.leg,
                direction: Some(direction),
                rule: None,
                text: refusal(groups, direction, &rest).into(),
                evidence: evidence(),
                edit: self.group_edit(branch, &groups[0], direction, &rest),
            };
            // The hop names all groups, the blocker the one that is to be edited.
            pieces.push(dropped(rest, HopKind::SecurityGroup, id_of(groups), blocker));
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
        let mut used: SmallVec<[Used<'e>; RULES_NAMED]> = SmallVec::new();
        let mut used_count = 0usize;
        // One rule decides for all: the others need not be asked.
        let sole = |rule: Used<'e>| Decision {
            admitted: now.clone(),
            rest: PacketSet::default(),
            used: smallvec![rule],
            used_count: 1,
            undecided: Vec::new(),
        };
        let holds_all = |cube: &Cube| now.cubes().iter().all(|own| cube.covers(own));
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
                    if holds_all(cube) {
                        return sole(deciding(*rule, *peer));
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
                let mut admits: SmallVec<[Cube; 1]> = SmallVec::new();
                self.peer_cubes(branch, end, side, rule, peer, &mut undecided, &mut admits);
                if admits.iter().any(holds_all) {
                    return sole(deciding(*rule_at, *peer_at));
                }
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
        Decision { admitted, rest, used, used_count, undecided }
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
        boxes: &mut SmallVec<[Cube; 1]>,
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
                let holes = self.index.ends_within(&end.vpc, block).filter(|(_, end)| end.groups.is_some());
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
}

fn refusal(groups: &[SecurityGroupId], direction: Direction, refused: &PacketSet) -> String {
    let mut text = String::with_capacity(128);
    text.push_str(if direction == Direction::Egress { "no egress rule of " } else { "no ingress rule of " });
    for (at, group) in groups.iter().enumerate() {
        text.push_str(if at > 0 { ", " } else { "" });
        text.push_str(group.as_str());
    }
    // Writing to memory cannot fail.
    let _ = write!(text, " admits {refused}");
    text
}

/// The groups of an interface as a hop names them: separated by commas.
fn id_of(groups: &[SecurityGroupId]) -> Arc<str> {
    if let [one] = groups {
        return one.into();
    }
    groups.iter().map(SecurityGroupId::as_str).collect::<Vec<_>>().join(",").into()
}
