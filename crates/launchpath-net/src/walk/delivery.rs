//! Delivery: inside a VPC to a subnet, to an interface, and the turn for the answers.

use std::sync::Arc;

use launchpath_model::ids::{SubnetId, VpcId};
use smallvec::SmallVec;

use super::ahead::Return;
use super::branch::{ANYWHERE, Branch};
use super::forward::From;
use super::{Origin, Walk};
use crate::answer::{Blocker, BlockerKind, Direction, Hop, HopKind, HopVerdict, Leg};
use crate::end::{End, EndKind};
use crate::index::SubnetInfo;
use crate::packet::{Cube, PacketSet};
use crate::span::Span;

impl<'e, 'a> Walk<'e, 'a> {
    /// Packets are inside the VPC and addressed to it.
    pub(super) fn deliver_in_vpc(
        &self,
        branch: Branch<'e>,
        vpc: &VpcId,
        from: Option<From<'_>>,
        done: &mut Vec<Branch<'e>>,
    ) {
        if branch.leg == Leg::Reply && matches!(self.origin, Origin::Router(_)) {
            done.push(branch);
            return;
        }
        let mut rest = branch.now.clone();
        let mut to_subnet: SmallVec<[(&SubnetInfo<'a>, PacketSet); 1]> = SmallVec::new();
        if let Some(bounds) = rest.bounds() {
            for (own, subnet) in self.index.subnets_within(vpc, bounds.destination) {
                let cube = Cube::between(ANYWHERE, own);
                let part = rest.take(&cube);
                if part.is_empty() {
                    continue;
                }
                match to_subnet.iter_mut().find(|(other, _)| std::ptr::eq(*other, subnet)) {
                    Some((_, set)) => set.join_disjoint(part),
                    None => to_subnet.push((subnet, part)),
                }
                if rest.is_empty() {
                    break;
                }
            }
        }
        if !rest.is_empty() {
            let mut lost = branch.clone();
            if rest != lost.now {
                lost.narrow(rest);
            }
            self.no_such_subnet(lost, vpc, from, done);
        }
        let mut to_subnet = to_subnet.into_iter().peekable();
        let mut own = Some(branch);
        while let Some((subnet, set)) = to_subnet.next() {
            let part = if to_subnet.peek().is_none() { own.take() } else { own.clone() };
            let Some(mut part) = part else { return };
            if set != part.now {
                part.narrow(set);
            }
            let acl = self.acl_at(&part, subnet, Direction::Ingress);
            part.split(acl, |part| self.deliver_in_subnet(part, subnet, done));
        }
    }

    fn no_such_subnet(
        &self,
        mut branch: Branch<'e>,
        vpc: &VpcId,
        from: Option<From<'_>>,
        done: &mut Vec<Branch<'e>>,
    ) {
        let what = self.destination_words(&branch);
        let target = self.index.target(
            format!("the subnet of {vpc} that holds {what}"),
            "DescribeSubnets",
            &[("vpc-id", vpc.as_str())],
        );
        let coverage = self.index.coverage(&self.index.network.subnets, &target);
        let Some(evidence) = branch.take_absence(coverage) else {
            self.out_of_sight(branch, Return::Outside, done);
            return;
        };
        let held_elsewhere =
            branch.now.cubes().iter().any(|cube| self.index.held_elsewhere(vpc, cube.destination.first));
        let (kind, id, text) = match from {
            Some(from) if held_elsewhere => (
                BlockerKind::OverlappingLocalRoute,
                Arc::from(from.table),
                format!(
                    "{what} is looked up in {vpc} itself, whose block holds the address too; no subnet there has it"
                ),
            ),
            _ => (BlockerKind::NoSuchSubnet, vpc.into(), format!("no subnet of {vpc} holds {what}")),
        };
        let blocker = Blocker { evidence, ..Self::blocker(&branch, kind, id, text) };
        Self::mark(&mut branch, HopKind::Local, blocker);
        done.push(branch);
    }

    /// Packets are in the subnet that holds their destination, past its ACL.
    pub(super) fn deliver_in_subnet(
        &self,
        branch: Branch<'e>,
        info: &SubnetInfo<'a>,
        done: &mut Vec<Branch<'e>>,
    ) {
        let (vpc, subnet) = (info.vpc, info.id);
        if branch.leg == Leg::Reply {
            self.answer_arrives(branch, subnet, done);
            return;
        }
        if let Some(end) = self.goal.end
            && end.subnet.as_ref() == Some(subnet)
            && branch.now.cubes().iter().all(|cube| end.addresses.iter().any(|s| s.covers(cube.destination)))
        {
            self.arrive(branch, end, done);
            return;
        }
        let mut rest = branch.now.clone();
        let within = branch.now.bounds().map(|bounds| self.index.ends_within(vpc, bounds.destination));
        for (at, end) in within.into_iter().flatten() {
            let cube = Cube::between(ANYWHERE, Span::one(at));
            let part = rest.take(&cube);
            if part.is_empty() {
                continue;
            }
            if rest.is_empty() && part == branch.now {
                self.arrive(branch, end, done);
                return;
            }
            let mut one = branch.clone();
            one.narrow(part);
            self.arrive(one, end, done);
        }
        if rest.is_empty() {
            return;
        }
        let mut lost = branch;
        if rest != lost.now {
            lost.narrow(rest);
        }
        self.no_such_address(lost, vpc, subnet, done);
    }

    fn no_such_address(
        &self,
        mut branch: Branch<'e>,
        vpc: &VpcId,
        subnet: &SubnetId,
        done: &mut Vec<Branch<'e>>,
    ) {
        let what = &self.goal.what;
        let target = self
            .index
            .target(
                format!("the interface in {subnet} that holds {what}"),
                "DescribeNetworkInterfaces",
                &[("subnet-id", subnet.as_str())],
            )
            .with("vpc-id", vpc.as_str());
        let coverage = self.index.coverage(&self.index.network.network_interfaces, &target);
        let Some(evidence) = branch.take_absence(coverage) else {
            // Whoever holds it answers out of this subnet.
            branch.turn();
            self.leave_subnet(branch, subnet, done);
            return;
        };
        let text = format!("no interface in {subnet} holds {what}");
        let blocker = Self::blocker(&branch, BlockerKind::NoSuchAddress, subnet, text);
        Self::end_here(branch, HopKind::Local, Blocker { evidence, ..blocker }, done);
    }

    /// Packets are at the interface they are addressed to.
    pub(super) fn arrive(&self, branch: Branch<'e>, end: &'e End, done: &mut Vec<Branch<'e>>) {
        if end.kind == EndKind::NatGateway {
            let text = "a NAT gateway takes no connections from outside".to_owned();
            let mut blocker = Self::blocker(&branch, BlockerKind::NatGatewayUnusable, end.label(), text);
            blocker.at = end.subnet.as_ref().map(Arc::from);
            blocker.evidence.clone_from(&end.evidence);
            Self::end_here(branch, HopKind::NatGateway, blocker, done);
            return;
        }
        let pieces = self.ingress_groups(&branch, end);
        branch.split(pieces, |mut branch| {
            branch.hops.push(Arc::new(Hop {
                kind: HopKind::Destination,
                id: end.label(),
                at: end.subnet.as_ref().map(Arc::from),
                leg: Leg::Request,
                direction: None,
                verdict: HopVerdict::Passed,
                text: format!("{} is addressed", end.what).into(),
                evidence: end.evidence.clone(),
            }));
            self.answer(branch, end, done);
        });
    }

    /// The receiver answers. Security groups are stateful: they let the answers pass.
    fn answer(&self, mut branch: Branch<'e>, end: &'e End, done: &mut Vec<Branch<'e>>) {
        branch.turn();
        let Some(subnet) = end.subnet.clone() else {
            done.push(branch);
            return;
        };
        self.leave_subnet(branch, &subnet, done);
    }

    /// Answers are in the subnet they are addressed to: back through a NAT gateway, or home.
    pub(super) fn answer_arrives(
        &self,
        mut branch: Branch<'e>,
        subnet: &SubnetId,
        done: &mut Vec<Branch<'e>>,
    ) {
        let nat = branch.crossings.last().and_then(|crossing| crossing.nat);
        if let Some(nat) = nat
            && nat.subnet.as_ref() == Some(subnet)
        {
            branch.undo_crossing();
            self.leave_subnet(branch, subnet, done);
            return;
        }
        done.push(branch);
    }
}
