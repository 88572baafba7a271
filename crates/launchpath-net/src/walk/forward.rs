//! Forwarding: out of a subnet and through its route table to whatever the route leads to.

use std::sync::Arc;

use launchpath_model::aws::route_table::Route;
use launchpath_model::ids::{PrefixListId, RouteTableId, SubnetId, VpcId};
use launchpath_model::{EvidenceId, Gap, GapReason};
use smallvec::{SmallVec, smallvec};

use super::ahead::Return;
use super::branch::{ANYWHERE, Branch};
use super::{DEEPEST, Origin, Walk};
use crate::answer::{BlockerKind, Direction, Hop, HopKind, HopVerdict, Leg};
use crate::index::{Coverage, HopKey, SubnetInfo};
use crate::packet::{Cube, PacketSet};
use crate::route::{RouteList, RouteTarget, destination_text, target};
use crate::span::public_v4;

/// Where one part of the packets is routed.
pub(super) enum Choice<'r> {
    Route(&'r Route),
    NoRoute,
    Unknown(Gap),
}

/// The parts of the packets by the way they are routed: most often one.
pub(super) type Choices<'r> = SmallVec<[(PacketSet, Choice<'r>); 1]>;

/// The place a packet is routed from.
#[derive(Clone, Copy)]
pub(super) struct From<'p> {
    pub(super) vpc: &'p VpcId,
    pub(super) subnet: &'p SubnetId,
    /// The subnet's place in the index.
    pub(super) subnet_key: usize,
    pub(super) table: &'p RouteTableId,
    table_evidence: &'p [EvidenceId],
}

impl<'e, 'a> Walk<'e, 'a> {
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
            self.deliver_in_subnet(branch, info, done);
            return;
        }
        if !inside.is_empty() {
            let mut part = branch.clone();
            part.narrow(inside);
            self.deliver_in_subnet(part, info, done);
            branch.narrow(outside);
        }
        let acl = self.acl_at(&branch, info, Direction::Egress);
        branch.split(acl, |branch| self.route(branch, info, done));
    }

    fn route(&self, mut branch: Branch<'e>, info: &SubnetInfo<'a>, done: &mut Vec<Branch<'e>>) {
        let (table, coverage) = match self.index.table_of(info) {
            Ok(found) => found,
            Err(gap) => {
                self.route_by_unseen_table(branch, info.vpc, gap.as_ref().clone(), done);
                return;
            }
        };
        let mut proof: &[EvidenceId] = &[];
        match coverage {
            Coverage::Proven(evidence) => proof = evidence,
            Coverage::Assumed(gap) => branch.assumed.push(gap.as_ref().clone()),
            Coverage::Unknown(gap) => branch.gaps.push(gap.as_ref().clone()),
        }
        let from = From {
            vpc: info.vpc,
            subnet: info.id,
            subnet_key: info.key(),
            table: table.id,
            table_evidence: table.evidence,
        };
        let mut choices = self.choose(table, &branch).into_iter().peekable();
        let mut own = Some(branch);
        while let Some((set, choice)) = choices.next() {
            let part = if choices.peek().is_none() { own.take() } else { own.clone() };
            let Some(mut part) = part else { return };
            if set != part.now {
                part.narrow(set);
            }
            self.take(part, from, &choice, proof, done);
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
    pub(super) fn choose<'r>(&self, table: &'r RouteList<'_>, branch: &Branch<'e>) -> Choices<'r> {
        let unknown_routes = || {
            let gap = Gap {
                what: format!("the routes of {}", table.id),
                reason: GapReason::MemberMissing { path: "Routes".to_owned() },
                evidence: Vec::new(),
                command: Some(format!("aws ec2 describe-route-tables --route-table-ids {}", table.id)),
            };
            smallvec![(branch.now.clone(), Choice::Unknown(gap))]
        };
        // Routes to lists whose entries are not known: those that hold the destination, and those that may.
        let mut aimed_at: Vec<&Route> = Vec::new();
        let mut uncertain: Vec<(&PrefixListId, bool)> = Vec::new();
        for (id, route) in &table.lists {
            let service = self.index.service_of_list(id);
            if branch.leg == Leg::Request && self.goal.lists.contains(id) {
                aimed_at.push(route);
                continue;
            }
            let aims_elsewhere = branch.leg == Leg::Request
                && service.is_some_and(|s| self.goal.service.as_deref().is_some_and(|g| !s.ends_with(g)));
            if !aims_elsewhere {
                uncertain.push((id, service.is_some()));
            }
        }
        let merged;
        let blocks = if aimed_at.is_empty() {
            table.blocks.as_deref()
        } else {
            // The entries of S3 and DynamoDB are /8 at the widest, so they are preferred to every route shorter than that.
            let anywhere = aimed_at.iter().flat_map(|route| public_v4().iter().map(|span| (*span, *route)));
            merged = table.with_ranges(96 + 8, anywhere);
            merged.as_deref()
        };
        let Some(blocks) = blocks else { return unknown_routes() };
        let mut rest = branch.now.clone();
        let mut chosen = Choices::new();
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
        uncertain: &[(&PrefixListId, bool)],
        chosen: &mut Choices<'r>,
    ) {
        let is_local = matches!(&choice, Choice::Route(route) if target(route) == RouteTarget::Local);
        let mut rest = part;
        if !is_local {
            for (list, of_aws) in uncertain {
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
        let evidence = || from.table_evidence.iter().chain(proof).cloned().collect();
        let hop = |verdict, text: String| Hop {
            kind: HopKind::RouteTable,
            id: from.table.into(),
            at: Some(from.subnet.into()),
            leg: branch.leg,
            direction: None,
            verdict,
            text: text.into(),
            evidence: evidence(),
        };
        let refuse = |kind, text: String| {
            let mut blocker = Self::blocker(&branch, kind, from.table, text);
            blocker.at = Some(from.subnet.into());
            blocker.evidence = evidence();
            blocker.edit = self.route_edit(&branch, from);
            blocker
        };
        let route = match choice {
            Choice::Route(route) => *route,
            Choice::Unknown(gap) => {
                let hop = hop(HopVerdict::Unknown, gap.what.clone());
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
            id: id.into(),
            at: None,
            leg: branch.leg,
            direction: None,
            verdict: HopVerdict::Unknown,
            text: format!("the packets leave through {id}; {what} is not in the evidence").into(),
            evidence: Vec::new(),
        }));
        branch.gaps.push(gap);
        self.out_of_sight(branch, way, done);
    }

    pub(super) fn destination_words(&self, branch: &Branch<'e>) -> Arc<str> {
        match (branch.leg, &self.origin) {
            (Leg::Request, _) => Arc::clone(&self.goal.what),
            (Leg::Reply, Origin::Interface(end)) => Arc::clone(&end.what),
            (Leg::Reply, _) => "the source".into(),
        }
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
    id: impl Into<Arc<str>>,
    text: impl Into<Arc<str>>,
    evidence: Vec<EvidenceId>,
) -> Arc<Hop> {
    Arc::new(Hop {
        kind,
        id: id.into(),
        at: None,
        leg,
        direction: None,
        verdict: HopVerdict::Passed,
        text: text.into(),
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
