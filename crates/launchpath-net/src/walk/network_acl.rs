//! The network ACL of a subnet: cuts the packets by the first rule that matches them.

use std::fmt::Write as _;
use std::sync::Arc;

use launchpath_model::ids::{NetworkAclId, SubnetId};
use launchpath_model::{Gap, GapReason};
use smallvec::{SmallVec, smallvec};

use super::Walk;
use super::branch::{ANYWHERE, Branch, Piece, Pieces};
use super::filter::{RULES_NAMED, covering, dropped, passed, unknown, wanted, words_of};
use crate::acl::AclRule;
use crate::answer::{Blocker, BlockerKind, Direction, Hop, HopKind, HopVerdict};
use crate::edit::Edit;
use crate::index::{AclOfSubnet, HopKey, SubnetInfo};
use crate::packet::PacketSet;

/// What the rules of an ACL say of some packets: which rules admit, how many, and what each denies.
struct Decision<'i> {
    admitted: PacketSet,
    used: SmallVec<[&'i AclRule; RULES_NAMED]>,
    used_count: usize,
    /// `None`: no rule matches.
    denied: SmallVec<[(Option<&'i AclRule>, PacketSet); 2]>,
}

/// The first rule that matches a packet decides.
fn decide<'i>(rules: &'i [AclRule], direction: Direction, packets: &PacketSet) -> Decision<'i> {
    let mut decision = Decision {
        admitted: PacketSet::default(),
        used: SmallVec::new(),
        used_count: 0,
        denied: SmallVec::new(),
    };
    let mut rest = packets.clone();
    for rule in rules {
        for cube in rule.cubes(direction, ANYWHERE) {
            let part = rest.take(&cube);
            if part.is_empty() {
                continue;
            }
            if !rule.allows {
                decision.denied.push((Some(rule), part));
                continue;
            }
            decision.admitted.join_disjoint(part);
            // Both halves of `::/0` are one rule.
            if !decision.used.last().is_some_and(|last| std::ptr::eq(*last, rule)) {
                decision.used_count += 1;
                if decision.used.len() < RULES_NAMED {
                    decision.used.push(rule);
                }
            }
        }
        if rest.is_empty() {
            return decision;
        }
    }
    decision.denied.push((None, rest));
    decision
}

impl<'e, 'a> Walk<'e, 'a> {
    /// The network ACL of a subnet.
    pub(super) fn acl_pieces(&self, branch: &Branch<'e>, subnet: &SubnetId, direction: Direction) -> Pieces {
        match self.index.subnet(subnet) {
            Some(info) => self.acl_at(branch, info, direction),
            None => self.pieces_of(branch, &self.index.find_acl(subnet), (subnet, None), direction),
        }
    }

    /// [`Walk::acl_pieces`] for a subnet that was looked up.
    pub(super) fn acl_at(
        &self,
        branch: &Branch<'e>,
        subnet: &SubnetInfo<'a>,
        direction: Direction,
    ) -> Pieces {
        self.pieces_of(branch, self.index.acl_of(subnet), (subnet.id, Some(subnet.key())), direction)
    }

    fn pieces_of(
        &self,
        branch: &Branch<'e>,
        acl: &AclOfSubnet<'_>,
        (subnet, key): (&SubnetId, Option<usize>),
        direction: Direction,
    ) -> Pieces {
        let acl = match acl {
            AclOfSubnet::Seen(acl) => acl,
            AclOfSubnet::Default(gap) => {
                let piece = passed(branch.now.clone(), None);
                return smallvec![Piece { assumed: Some(gap.clone()), ..piece }];
            }
            AclOfSubnet::Unknown(gap) => {
                return smallvec![unknown(branch.now.clone(), None, gap.as_ref().clone())];
            }
        };
        let Some(rules) = acl.rules(direction) else {
            let id = acl.id;
            let gap = Gap {
                what: format!("the rules of network ACL {id}"),
                reason: GapReason::MemberMissing { path: "Entries".to_owned() },
                evidence: acl.evidence.to_vec(),
                command: Some(format!("aws ec2 describe-network-acls --network-acl-ids {id}")),
            };
            return smallvec![unknown(branch.now.clone(), None, gap)];
        };
        let Decision { admitted, used, used_count, denied } = decide(rules, direction, &branch.now);
        let mut pieces = Pieces::new();
        if !admitted.is_empty() {
            let hop = || Hop {
                kind: HopKind::NetworkAcl,
                id: acl.id.into(),
                at: Some(subnet.into()),
                leg: branch.leg,
                direction: Some(direction),
                verdict: HopVerdict::Passed,
                text: words_of(&used, used_count, |rule, text| rule.write(text, direction)).into(),
                evidence: acl.evidence.to_vec(),
            };
            // One deciding rule: the same hop for every question.
            let hop = match (used.as_slice(), key) {
                ([rule], Some(key)) => self.index.hop(HopKey::acl(rule, key, branch.leg), hop),
                _ => Arc::new(hop()),
            };
            pieces.push(passed(admitted, Some(hop)));
        }
        for (rule, set) in denied {
            let blocker = Blocker {
                kind: BlockerKind::NetworkAcl,
                id: acl.id.into(),
                at: Some(subnet.into()),
                leg: branch.leg,
                direction: Some(direction),
                rule: rule.map(|rule| rule.number),
                text: refusal(rule, direction, &set).into(),
                evidence: acl.evidence.to_vec(),
                edit: acl_edit(acl.id, rules, rule, direction, &set),
            };
            pieces.push(dropped(set, HopKind::NetworkAcl, acl.id.into(), blocker));
        }
        pieces
    }
}

fn refusal(rule: Option<&AclRule>, direction: Direction, set: &PacketSet) -> String {
    let mut text = String::with_capacity(128);
    // Writing to memory cannot fail.
    let _ = match rule {
        Some(rule) => rule.write(&mut text, direction),
        None => text.write_str("no rule matches, and what no rule matches is denied"),
    };
    let _ = write!(text, ": {set}");
    text
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
