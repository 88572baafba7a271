//! The internet gateway, both ways: public addresses, one-to-one translation, ingress routing.

use std::sync::Arc;

use launchpath_model::ids::{InternetGatewayId, SubnetId, VpcId};
use launchpath_model::{EvidenceId, Gap};

use super::ahead::Return;
use super::branch::{ANYWHERE, Branch};
use super::forward::{Choice, From, by_publicness, pass_hop};
use super::{Origin, Walk};
use crate::answer::{BlockerKind, Direction, HopKind, Leg};
use crate::end::{End, EndKind};
use crate::index::Coverage;
use crate::packet::Cube;
use crate::span::{Span, is_v4};

impl<'e> Walk<'e, '_> {
    fn attached(&self, id: &str, vpc: &VpcId) -> (bool, Vec<EvidenceId>) {
        let row = self.index.network.internet_gateways.seen(&InternetGatewayId::from(id));
        match row.map(|row| (row, &row.value.attachments)) {
            Some((row, Some(attachments))) => {
                (attachments.iter().any(|a| a.vpc_id == *vpc), row.evidence.clone())
            }
            // AWS: the route of a detached gateway is a blackhole, so an active route shows the attachment.
            _ => (true, Vec::new()),
        }
    }

    pub(super) fn leave_by_internet_gateway(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        let (attached, evidence) = self.attached(id, from.vpc);
        if !attached {
            let text = format!("{id} is not attached to {}", from.vpc);
            let mut blocker = Self::blocker(&branch, BlockerKind::InternetGatewayDetached, id, text);
            blocker.evidence.clone_from(&evidence);
            Self::mark(&mut branch, HopKind::InternetGateway, blocker);
        }
        self.public_access(&mut branch, from.subnet);
        let (public, private) = by_publicness(&branch.now);
        if !private.is_empty() {
            let mut part = branch.clone();
            part.narrow(private);
            let text = format!("{id} drops packets to addresses that are not public");
            let blocker = Self::blocker(&part, BlockerKind::AddressNotPublic, id, text);
            Self::end_here(part, HopKind::InternetGateway, blocker, done);
        }
        if public.is_empty() {
            return;
        }
        branch.narrow(public);
        if branch.leg == Leg::Reply {
            self.answer_leaves_by_internet_gateway(branch, id, done);
            return;
        }
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::InternetGateway,
            id,
            "to the internet".to_owned(),
            evidence,
        ));
        Self::need_public_address(&mut branch, id);
        self.on_the_internet(branch, Some(from), done);
    }

    /// The internet gateway of a VPC; when there is none, or none was seen, the branch is marked.
    pub(super) fn internet_gateway_of(
        &self,
        branch: &mut Branch<'e>,
        vpc: &VpcId,
    ) -> Option<(&InternetGatewayId, Vec<EvidenceId>)> {
        let gateway = self.index.network.internet_gateways.iter().find(|(_, row)| {
            row.value.attachments.iter().flatten().any(|attachment| attachment.vpc_id == *vpc)
        });
        if let Some((id, row)) = gateway {
            return Some((id, row.evidence.clone()));
        }
        let target = self.index.target(
            format!("the internet gateway of {vpc}"),
            "DescribeInternetGateways",
            &[("attachment.vpc-id", vpc.as_str())],
        );
        let evidence =
            branch.take_absence(self.index.coverage(&self.index.network.internet_gateways, &target))?;
        let text = format!("{vpc} has no internet gateway");
        let mut blocker = Self::blocker(branch, BlockerKind::InternetGatewayDetached, vpc.as_str(), text);
        blocker.evidence = evidence;
        Self::mark(branch, HopKind::InternetGateway, blocker);
        None
    }

    /// VPC Block Public Access of the subnet next to an internet gateway.
    ///
    /// AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_BlockPublicAccessStates.html>
    fn public_access(&self, branch: &mut Branch<'e>, subnet: &SubnetId) {
        let Some(row) = self.index.network.subnets.seen(subnet) else { return };
        let states = row.value.block_public_access_states.as_ref();
        let mode = states.and_then(|states| states.internet_gateway_block_mode.as_deref());
        let through_nat = branch.crossings.iter().any(|crossing| crossing.nat.is_some());
        let blocked = match mode {
            Some("block-bidirectional") => true,
            Some("block-ingress") => !through_nat,
            _ => false,
        };
        if blocked {
            let mode = mode.unwrap_or_default();
            let text = format!("VPC Block Public Access ({mode}) cuts {subnet} off from internet gateways");
            let kind = BlockerKind::PublicAccessBlocked;
            let mut blocker = Self::blocker(branch, kind, subnet.as_str(), text);
            blocker.evidence.clone_from(&row.evidence);
            Self::mark(branch, HopKind::InternetGateway, blocker);
        }
    }

    /// The interface that the packets leave from needs a public address; IPv6 addresses are public themselves.
    fn need_public_address(branch: &mut Branch<'e>, id: &str) {
        if branch.now.cubes().iter().all(|cube| !is_v4(cube.source.first)) {
            return;
        }
        let leaving = match branch.crossings.iter().rev().find_map(|crossing| crossing.nat) {
            Some(nat) => Some(nat),
            None => branch.sender,
        };
        let Some(end) = leaving else {
            let text = format!("{id} translates the addresses of its own VPC only");
            let blocker = Self::blocker(branch, BlockerKind::InternetGatewayNeedsPublicAddress, id, text);
            Self::mark(branch, HopKind::InternetGateway, blocker);
            return;
        };
        if !end.public.is_empty() {
            return;
        }
        let text = format!("{} has no public address, so {id} drops its packets", end.name());
        let mut blocker = Self::blocker(branch, BlockerKind::InternetGatewayNeedsPublicAddress, id, text);
        blocker.at = Some(end.label());
        blocker.evidence.clone_from(&end.evidence);
        Self::mark(branch, HopKind::InternetGateway, blocker);
    }

    /// Packets are on the internet: at a public address of an interface we know, or at somebody else's.
    pub(super) fn on_the_internet(
        &self,
        branch: Branch<'e>,
        from: Option<From<'_>>,
        done: &mut Vec<Branch<'e>>,
    ) {
        let mut rest = branch.now.clone();
        // What a public name means is nobody's elastic address here.
        let bounds = rest.bounds().filter(|_| !self.goal.foreign);
        let ours = bounds.map(|bounds| self.index.publics_within(bounds.destination));
        for (at, end) in ours.into_iter().flatten() {
            let part = rest.take(&Cube::between(ANYWHERE, Span::one(at)));
            if part.is_empty() {
                continue;
            }
            let mut one = branch.clone();
            if part != one.now {
                one.narrow(part);
            }
            self.enter_at_public_address(one, at, end, done);
        }
        if rest.is_empty() {
            return;
        }
        let mut out = branch;
        if rest != out.now {
            out.narrow(rest);
        }
        if !self.goal.foreign && out.now.bounds().is_some_and(|b| b.destination.first == b.destination.last) {
            out.assumed.extend(self.not_our_own(&self.goal.what));
        }
        out.hops.push(pass_hop(
            Leg::Request,
            HopKind::Destination,
            Arc::clone(&self.goal.what),
            format!("{} is on the internet", self.goal.what),
            Vec::new(),
        ));
        out.turn();
        self.answer_from_internet(out, from, done);
    }

    /// A single public address is taken for somebody else's; the gap when no query proves it.
    fn not_our_own(&self, address: &str) -> Option<Gap> {
        let target = self.index.target(
            format!("an interface of this account with the public address {address}"),
            "DescribeNetworkInterfaces",
            &[("association.public-ip", address)],
        );
        match self.index.coverage(&self.index.network.network_interfaces, &target) {
            Coverage::Proven(_) => None,
            Coverage::Assumed(gap) | Coverage::Unknown(gap) => Some(*gap),
        }
    }

    /// Answers come back in through the internet gateway.
    pub(super) fn answer_from_internet(
        &self,
        branch: Branch<'e>,
        from: Option<From<'_>>,
        done: &mut Vec<Branch<'e>>,
    ) {
        let nat = branch.crossings.last().and_then(|crossing| crossing.nat);
        if let Some(nat) = nat
            && nat.subnet.is_none()
        {
            // A regional NAT gateway stands in no subnet: its own table has the local route.
            let mut branch = branch;
            branch.undo_crossing();
            self.deliver_in_vpc(branch, &nat.vpc, None, done);
            return;
        }
        let subnet = match nat {
            Some(nat) => nat.subnet.clone(),
            None => from.map(|from| from.subnet.clone()),
        };
        let Some(subnet) = subnet else {
            done.push(branch);
            return;
        };
        let acl = self.acl_pieces(&branch, &subnet, Direction::Ingress);
        branch.split(acl, |branch| self.answer_arrives(branch, &subnet, done));
    }

    pub(super) fn enter_from_internet(&self, mut branch: Branch<'e>, done: &mut Vec<Branch<'e>>) {
        let (public, private) = by_publicness(&branch.now);
        if !private.is_empty() {
            let mut part = branch.clone();
            part.narrow(private);
            let id = part.now.example().map(|p| p.destination.to_string()).unwrap_or_default();
            let text = "a private address is not routed on the internet".to_owned();
            let blocker = Self::blocker(&part, BlockerKind::PrivateAddressFromInternet, id, text);
            Self::end_here(part, HopKind::Source, blocker, done);
        }
        if public.is_empty() {
            return;
        }
        branch.narrow(public);
        self.on_the_internet(branch, None, done);
    }

    /// Packets for the public address of a known interface come in through its VPC's internet gateway.
    fn enter_at_public_address(
        &self,
        mut branch: Branch<'e>,
        public: u128,
        end: &'e End,
        done: &mut Vec<Branch<'e>>,
    ) {
        if end.kind == EndKind::NatGateway {
            self.arrive(branch, end, done);
            return;
        }
        let private = end.public.iter().find(|(_, p)| *p == public).map(|(private, _)| *private);
        let Some((private, subnet)) = private.zip(end.subnet.clone()) else {
            done.push(branch);
            return;
        };
        let Some((gateway, evidence)) = self.internet_gateway_of(&mut branch, &end.vpc) else {
            done.push(branch);
            return;
        };
        // What comes from an interface carries that interface's public address.
        let own_public = branch
            .crossings
            .iter()
            .rev()
            .find_map(|crossing| crossing.nat)
            .or(branch.sender)
            .and_then(|sender| sender.public.first().map(|(_, public)| *public));
        if let Some(source) = own_public {
            branch.translate_source(None, source, None);
        }
        branch.sender = None;
        branch.translate_destination(private);
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::InternetGateway,
            gateway.as_str(),
            format!("from the internet to {}", end.name()),
            evidence,
        ));
        self.public_access(&mut branch, &subnet);
        if let Some(table) = self.index.edge_table(gateway.as_str()) {
            for (set, choice) in self.choose(table, &branch) {
                if let Choice::Route(route) = choice
                    && crate::route::target(route) != crate::route::RouteTarget::Local
                {
                    let mut part = branch.clone();
                    part.narrow(set);
                    let target = crate::route::target(route).id();
                    let appliance = (HopKind::Appliance, target);
                    self.beyond(part, appliance, "ingress routing", Return::Untold, done);
                    return;
                }
            }
        }
        let acl = self.acl_pieces(&branch, &subnet, Direction::Ingress);
        branch.split(acl, |branch| self.arrive(branch, end, done));
    }

    /// Answers of an interface with a public address leave through the internet gateway.
    fn answer_leaves_by_internet_gateway(
        &self,
        mut branch: Branch<'e>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        let came_that_way = branch.crossings.last().is_some_and(|crossing| crossing.nat.is_none());
        if !came_that_way {
            let text = format!("answers leave through {id}, requests came another way");
            let blocker = Self::blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            Self::end_here(branch, HopKind::InternetGateway, blocker, done);
            return;
        }
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::InternetGateway,
            id,
            "to the internet".to_owned(),
            Vec::new(),
        ));
        // Undo the destination's translation, then the source's when the source is an interface of ours.
        let mut asked_from_ours = false;
        while let Some(crossing) = branch.crossings.last() {
            if crossing.nat.is_some() {
                break;
            }
            branch.undo_crossing();
            asked_from_ours = true;
        }
        match &self.origin {
            Origin::Interface(end) if asked_from_ours => {
                let nat = branch.crossings.last().and_then(|crossing| crossing.nat);
                let subnet = nat.map_or_else(|| end.subnet.clone(), |nat| nat.subnet.clone());
                let Some(subnet) = subnet else {
                    done.push(branch);
                    return;
                };
                let acl = self.acl_pieces(&branch, &subnet, Direction::Ingress);
                branch.split(acl, |branch| self.answer_arrives(branch, &subnet, done));
            }
            _ => done.push(branch),
        }
    }
}
