//! Forwarding: out of a subnet, through its route table, into a VPC, to an interface, and the turn for the answers.

use std::sync::Arc;

use launchpath_model::aws::route_table::Route;
use launchpath_model::ids::{RouteTableId, SubnetId, VpcId};
use launchpath_model::{EvidenceId, Gap, GapReason};

use super::ahead::Return;
use super::branch::{ANYWHERE, Branch};
use super::{DEEPEST, Origin, Walk};
use crate::answer::{Blocker, BlockerKind, Direction, Hop, HopKind, HopVerdict, Leg};
use crate::index::{Coverage, End, EndKind, HopKey, SubnetInfo};
use crate::packet::{Cube, PacketSet};
use crate::route::{RouteTarget, destination_text, target};
use crate::span::{Span, public_v4};

/// Where one part of the packets is routed.
pub(super) enum Choice<'r> {
    Route(&'r Route),
    NoRoute,
    Unknown(Gap),
}

/// The place a packet is routed from.
#[derive(Clone, Copy)]
pub(super) struct From<'p> {
    pub(super) vpc: &'p VpcId,
    pub(super) subnet: &'p SubnetId,
    /// The subnet's place in the index.
    pub(super) subnet_key: usize,
    pub(super) table: &'p RouteTableId,
}

impl<'e> Walk<'e, '_> {
    /// Packets leave an interface of the subnet.
    pub(super) fn leave_subnet(&self, mut branch: Branch<'e>, subnet: &SubnetId, done: &mut Vec<Branch<'e>>) {
        branch.depth += 1;
        if branch.depth > DEEPEST {
            branch.gaps.push(not_modelled("a forwarding loop", "the packets keep coming back"));
            done.push(branch);
            return;
        }
        let Some(info) = self.index.subnet(subnet) else {
            branch.gaps.push(self.index.missing_subnet(subnet));
            done.push(branch);
            return;
        };
        // AWS: traffic inside a subnet meets neither network ACL nor route table
        // (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html).
        let mut inside = PacketSet::default();
        let mut outside = branch.now.clone();
        for span in &info.spans {
            let cube = Cube::between(ANYWHERE, *span);
            inside.join_disjoint(outside.take(&cube));
        }
        if outside.is_empty() {
            self.deliver_in_subnet(branch, info.vpc, subnet, done);
            return;
        }
        if !inside.is_empty() {
            let mut part = branch.clone();
            part.narrow(inside);
            self.deliver_in_subnet(part, info.vpc, subnet, done);
            branch.narrow(outside);
        }
        let acl = self.acl_pieces(&branch, subnet, Direction::Egress);
        branch.split(acl, |branch| self.route(branch, info, subnet, done));
    }

    fn route(
        &self,
        mut branch: Branch<'e>,
        info: &SubnetInfo<'_>,
        subnet: &SubnetId,
        done: &mut Vec<Branch<'e>>,
    ) {
        let (table, coverage) = match self.index.table_of(subnet) {
            Ok(found) => found,
            Err(gap) => {
                self.route_by_unseen_table(branch, info.vpc, *gap, done);
                return;
            }
        };
        let mut proof: Vec<EvidenceId> = Vec::new();
        match coverage {
            Coverage::Proven(evidence) => proof = evidence,
            Coverage::Assumed(gap) => branch.assumed.push(*gap),
            Coverage::Unknown(gap) => branch.gaps.push(*gap),
        }
        let from = From { vpc: info.vpc, subnet, subnet_key: info.key(), table };
        let mut choices = self.choose(table, &branch).into_iter().peekable();
        let mut own = Some(branch);
        while let Some((set, choice)) = choices.next() {
            let part = if choices.peek().is_none() { own.take() } else { own.clone() };
            let Some(mut part) = part else { return };
            if set != part.now {
                part.narrow(set);
            }
            self.take(part, from, &choice, &proof, done);
        }
    }

    /// The subnet's table was not seen. A snapshot without any table of the VPC is taken to have local routes alone for the
    /// VPC's own blocks, which every table has; where else packets go is not known.
    ///
    /// AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html>
    fn route_by_unseen_table(
        &self,
        mut branch: Branch<'e>,
        vpc: &VpcId,
        gap: Gap,
        done: &mut Vec<Branch<'e>>,
    ) {
        let mut outside = branch.now.clone();
        let mut inside = PacketSet::default();
        if self.index.has_no_table(vpc) {
            for span in self.index.vpc_blocks(vpc).unwrap_or_default() {
                inside.join_disjoint(outside.take(&Cube::between(ANYWHERE, span)));
            }
        }
        if !inside.is_empty() {
            let mut part = branch.clone();
            part.narrow(inside);
            part.assumed.push(gap.clone());
            self.deliver_in_vpc(part, vpc, None, done);
        }
        if !outside.is_empty() {
            branch.narrow(outside);
            branch.gaps.push(gap);
            self.out_of_sight(branch, Return::AnyRoute, done);
        }
    }

    /// Cuts the packets by the route they take.
    pub(super) fn choose(&self, table: &RouteTableId, branch: &Branch<'e>) -> Vec<(PacketSet, Choice<'_>)> {
        let unknown_routes = || {
            let gap = Gap {
                what: format!("the routes of {table}"),
                reason: GapReason::MemberMissing { path: "Routes".to_owned() },
                evidence: Vec::new(),
                command: Some(format!("aws ec2 describe-route-tables --route-table-ids {table}")),
            };
            vec![(branch.now.clone(), Choice::Unknown(gap))]
        };
        let Some(list) = self.index.tables.get(table) else { return unknown_routes() };
        let mut entries: Vec<(Span<u128>, Option<u8>, &Route)> = Vec::new();
        let mut uncertain: Vec<(&launchpath_model::ids::PrefixListId, &Route, bool)> = Vec::new();
        for (id, route) in &list.lists {
            if let Some((spans, _)) = self.index.list(id) {
                entries.extend(spans.iter().map(|span| (*span, None, *route)));
                continue;
            }
            let service = self.index.service_of_list(id);
            if branch.leg == Leg::Request && self.goal.lists.contains(id) {
                // The entries are not known; those of S3 and DynamoDB are /8 at the widest, so they are preferred to
                // every route shorter than that.
                entries.extend(public_v4().iter().map(|span| (*span, Some(96 + 8), *route)));
                continue;
            }
            let aims_elsewhere = branch.leg == Leg::Request
                && service.is_some_and(|s| self.goal.service.as_deref().is_some_and(|g| !s.ends_with(g)));
            if !aims_elsewhere {
                uncertain.push((id, route, service.is_some()));
            }
        }
        let merged;
        let blocks = if entries.is_empty() {
            list.blocks.as_deref()
        } else {
            merged = list.with_entries(entries.into_iter());
            merged.as_deref()
        };
        let Some(blocks) = blocks else { return unknown_routes() };
        let mut rest = branch.now.clone();
        let mut chosen: Vec<(PacketSet, Choice<'_>)> = Vec::new();
        for block in blocks {
            if rest.is_empty() {
                break;
            }
            let cube = Cube::between(ANYWHERE, block.span);
            let part = rest.take(&cube);
            if part.is_empty() {
                continue;
            }
            Self::choose_with(part, Choice::Route(block.route), &uncertain, &mut chosen);
        }
        if !rest.is_empty() {
            Self::choose_with(rest, Choice::NoRoute, &uncertain, &mut chosen);
        }
        chosen
    }

    /// A route was found among the known blocks; a list with unknown entries may still be more specific.
    fn choose_with<'r>(
        part: PacketSet,
        choice: Choice<'r>,
        uncertain: &[(&launchpath_model::ids::PrefixListId, &'r Route, bool)],
        chosen: &mut Vec<(PacketSet, Choice<'r>)>,
    ) {
        let is_local = matches!(&choice, Choice::Route(route) if target(route) == RouteTarget::Local);
        let mut rest = part;
        if !is_local {
            for (list, _, of_aws) in uncertain {
                let touched = if *of_aws { by_publicness(&rest).0 } else { rest.clone() };
                if !touched.is_empty() {
                    rest = rest.without(&touched);
                    chosen.push((touched, Choice::Unknown(Self::unseen_list(list))));
                }
            }
        }
        if rest.is_empty() {
            return;
        }
        // One route reached by several entries is one way.
        if let Choice::Route(route) = &choice
            && let Some((set, _)) = chosen
                .iter_mut()
                .find(|(_, other)| matches!(other, Choice::Route(known) if std::ptr::eq(*known, *route)))
        {
            set.join_disjoint(rest);
            return;
        }
        chosen.push((rest, choice));
    }

    fn take(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        choice: &Choice<'_>,
        proof: &[EvidenceId],
        done: &mut Vec<Branch<'e>>,
    ) {
        let row = self.index.network.route_tables.seen(from.table);
        let evidence = || {
            let mut evidence = row.map(|row| row.evidence.clone()).unwrap_or_default();
            evidence.extend(proof.iter().cloned());
            evidence
        };
        let hop = |verdict, text: String| Hop {
            kind: HopKind::RouteTable,
            id: from.table.to_string(),
            at: Some(from.subnet.to_string()),
            leg: branch.leg,
            direction: None,
            verdict,
            text,
            evidence: evidence(),
        };
        let refuse = |kind, text: String| {
            let mut blocker = Self::blocker(&branch, kind, from.table.as_str(), text);
            blocker.at = Some(from.subnet.to_string());
            blocker.evidence = evidence();
            blocker.edit = self.route_edit(&branch, from);
            blocker
        };
        let route = match choice {
            Choice::Route(route) => *route,
            Choice::Unknown(gap) => {
                let hop = hop(HopVerdict::Unknown, format!("not known: {}", gap.what));
                branch.hops.push(Arc::new(hop));
                branch.gaps.push(gap.clone());
                self.out_of_sight(branch, Return::AnyRoute, done);
                return;
            }
            Choice::NoRoute => {
                let where_to = self.destination_words(&branch);
                let text = format!("{} has no route to {where_to}", from.table);
                let blocker = refuse(BlockerKind::NoRoute, text);
                Self::end_here(branch, HopKind::RouteTable, blocker, done);
                return;
            }
        };
        let to = target(route);
        let words = || format!("{} -> {}", destination_text(route), to.id());
        if route.state.as_deref() == Some("blackhole") {
            let text = format!("route {} is a blackhole: its target is gone", words());
            let blocker = refuse(BlockerKind::Blackhole, text);
            Self::end_here(branch, HopKind::RouteTable, blocker, done);
            return;
        }
        let passed = self.index.hop(HopKey::route(route, from.subnet_key, branch.leg), || {
            hop(HopVerdict::Passed, format!("route {}", words()))
        });
        branch.hops.push(passed);
        self.follow(branch, from, to, done);
    }

    fn follow(&self, branch: Branch<'e>, from: From<'_>, to: RouteTarget<'_>, done: &mut Vec<Branch<'e>>) {
        match to {
            RouteTarget::Local => self.deliver_in_vpc(branch, from.vpc, Some(from), done),
            RouteTarget::InternetGateway(id) => self.leave_by_internet_gateway(branch, from, id, done),
            RouteTarget::EgressOnly(id) => self.leave_by_egress_only(branch, from, id, done),
            RouteTarget::Nat(id) => self.through_nat(branch, from, id, done),
            RouteTarget::Endpoint(id) => self.to_endpoint(branch, from, id, done),
            RouteTarget::Peering(id) => self.through_peering(branch, from, id, done),
            RouteTarget::TransitGateway(id) => self.through_transit_gateway(branch, from, id, done),
            RouteTarget::VpnGateway(id) => self.leave_by_vpn(branch, from, id, done),
            RouteTarget::Interface(id) | RouteTarget::Instance(id) => {
                self.enter_appliance(branch, id, done);
            }
            RouteTarget::Other(id) => {
                self.beyond(branch, (HopKind::Appliance, id), "its inside", Return::Untold, done);
            }
            RouteTarget::Nowhere => {
                let table = (HopKind::RouteTable, from.table.as_str());
                self.beyond(branch, table, "the route's target", Return::Untold, done);
            }
        }
    }

    /// What lies behind the element is not in the evidence.
    pub(super) fn beyond(
        &self,
        mut branch: Branch<'e>,
        (kind, id): (HopKind, &str),
        what: &str,
        way: Return<'_>,
        done: &mut Vec<Branch<'e>>,
    ) {
        let gap = Gap {
            what: format!("what lies beyond {id} ({what})"),
            reason: GapReason::NotModelled { what: format!("the network beyond {id}") },
            evidence: Vec::new(),
            command: None,
        };
        branch.hops.push(Arc::new(Hop {
            kind,
            id: id.to_owned(),
            at: None,
            leg: branch.leg,
            direction: None,
            verdict: HopVerdict::Unknown,
            text: format!("the packets leave through {id}; {what} is not in the evidence"),
            evidence: Vec::new(),
        }));
        branch.gaps.push(gap);
        self.out_of_sight(branch, way, done);
    }

    pub(super) fn destination_words(&self, branch: &Branch<'e>) -> String {
        match (branch.leg, &self.origin) {
            (Leg::Request, _) => self.goal.what.clone(),
            (Leg::Reply, Origin::Interface(end)) => end.what.clone(),
            (Leg::Reply, _) => "the source".to_owned(),
        }
    }

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
        let mut to_subnet: Vec<(&SubnetId, PacketSet)> = Vec::new();
        if let Some(bounds) = rest.bounds() {
            for (own, subnet) in self.index.subnets_within(vpc, bounds.destination) {
                let cube = Cube::between(ANYWHERE, own);
                let part = rest.take(&cube);
                if part.is_empty() {
                    continue;
                }
                match to_subnet.iter_mut().find(|(id, _)| *id == subnet) {
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
            let acl = self.acl_pieces(&part, subnet, Direction::Ingress);
            part.split(acl, |part| self.deliver_in_subnet(part, vpc, subnet, done));
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
        let evidence = match self.index.coverage(&self.index.network.subnets, &target) {
            Coverage::Proven(evidence) => evidence,
            Coverage::Assumed(gap) => {
                branch.assumed.push(*gap);
                Vec::new()
            }
            Coverage::Unknown(gap) => {
                branch.gaps.push(*gap);
                self.out_of_sight(branch, Return::Outside, done);
                return;
            }
        };
        let held_elsewhere =
            branch.now.cubes().iter().any(|cube| self.index.held_elsewhere(vpc, cube.destination.first));
        let (kind, id, text) = match from {
            Some(from) if held_elsewhere => (
                BlockerKind::OverlappingLocalRoute,
                from.table.to_string(),
                format!(
                    "{what} is looked up in {vpc} itself, whose block holds the address too; no subnet there has it"
                ),
            ),
            _ => (BlockerKind::NoSuchSubnet, vpc.to_string(), format!("no subnet of {vpc} holds {what}")),
        };
        let blocker = Blocker { evidence, ..Self::blocker(&branch, kind, &id, text) };
        Self::mark(&mut branch, HopKind::Local, blocker);
        done.push(branch);
    }

    /// Packets are in the subnet that holds their destination, past its ACL.
    pub(super) fn deliver_in_subnet(
        &self,
        branch: Branch<'e>,
        vpc: &VpcId,
        subnet: &SubnetId,
        done: &mut Vec<Branch<'e>>,
    ) {
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
            let mut one = branch.clone();
            if part != one.now {
                one.narrow(part);
            }
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
        let what = self.goal.what.clone();
        let target = self
            .index
            .target(
                format!("the interface in {subnet} that holds {what}"),
                "DescribeNetworkInterfaces",
                &[("subnet-id", subnet.as_str())],
            )
            .with("vpc-id", vpc.as_str());
        let evidence = match self.index.coverage(&self.index.network.network_interfaces, &target) {
            Coverage::Proven(evidence) => evidence,
            Coverage::Assumed(gap) => {
                branch.assumed.push(*gap);
                Vec::new()
            }
            Coverage::Unknown(gap) => {
                // Whoever holds it answers out of this subnet.
                branch.gaps.push(*gap);
                branch.turn();
                self.leave_subnet(branch, subnet, done);
                return;
            }
        };
        let text = format!("no interface in {subnet} holds {what}");
        let blocker = Self::blocker(&branch, BlockerKind::NoSuchAddress, subnet.as_str(), text);
        Self::end_here(branch, HopKind::Local, Blocker { evidence, ..blocker }, done);
    }

    /// Packets are at the interface they are addressed to.
    pub(super) fn arrive(&self, branch: Branch<'e>, end: &'e End, done: &mut Vec<Branch<'e>>) {
        if end.kind == EndKind::NatGateway {
            let text = "a NAT gateway takes no connections from outside".to_owned();
            let mut blocker = Self::blocker(&branch, BlockerKind::NatGatewayUnusable, end.name(), text);
            blocker.at = end.subnet.as_ref().map(ToString::to_string);
            blocker.evidence.clone_from(&end.evidence);
            Self::end_here(branch, HopKind::NatGateway, blocker, done);
            return;
        }
        let pieces = self.ingress_groups(&branch, end);
        branch.split(pieces, |mut branch| {
            branch.hops.push(Arc::new(Hop {
                kind: HopKind::Destination,
                id: end.name().to_owned(),
                at: end.subnet.as_ref().map(ToString::to_string),
                leg: Leg::Request,
                direction: None,
                verdict: HopVerdict::Passed,
                text: format!("{} is addressed", end.what),
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

pub(super) fn not_modelled(what: &str, why: &str) -> Gap {
    Gap {
        what: what.to_owned(),
        reason: GapReason::NotModelled { what: why.to_owned() },
        evidence: Vec::new(),
        command: None,
    }
}

pub(super) fn pass_hop(
    leg: Leg,
    kind: HopKind,
    id: &str,
    text: String,
    evidence: Vec<EvidenceId>,
) -> Arc<Hop> {
    Arc::new(Hop {
        kind,
        id: id.to_owned(),
        at: None,
        leg,
        direction: None,
        verdict: HopVerdict::Passed,
        text,
        evidence,
    })
}

/// The public part of the packets' destinations, and the rest.
pub(super) fn by_publicness(now: &PacketSet) -> (PacketSet, PacketSet) {
    let mut public = PacketSet::default();
    let mut rest = now.clone();
    for span in public_v4().iter().chain([&crate::span::PUBLIC_V6]) {
        let cube = Cube::between(ANYWHERE, *span);
        if !rest.cubes().iter().any(|own| own.destination.meets(*span)) {
            continue;
        }
        public.join_disjoint(rest.take(&cube));
        if rest.is_empty() {
            break;
        }
    }
    (public, rest)
}
