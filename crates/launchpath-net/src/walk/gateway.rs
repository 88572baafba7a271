//! Gateways: what each lets through, how it translates, and where the packets come out.

use ipnet::IpNet;
use launchpath_model::aws::vpc_endpoint::EndpointType;
use launchpath_model::ids::{
    EgressOnlyInternetGatewayId, InternetGatewayId, NatGatewayId, NetworkInterfaceId, PeeringConnectionId,
    SubnetId, TransitGatewayId, TransitGatewayRouteTableId, VpcEndpointId, VpcId, VpnGatewayId,
};
use launchpath_model::{EvidenceId, Gap};

use super::branch::{ANYWHERE, Branch, Effect};
use super::filter::dropped;
use super::forward::{From, by_publicness, not_modelled, pass_hop};
use super::{Origin, Walk};
use crate::answer::{Blocker, BlockerKind, Direction, HopKind, Leg};
use crate::edit::{Edit, RouteDestination};
use crate::index::{Coverage, End};
use crate::packet::{Cube, ICMP, PacketSet, TCP, UDP};
use crate::span::{Span, block, is_v4};

/// AWS: a NAT gateway uses source ports 1024-65535
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html>, ephemeral ports).
pub(super) const NAT_PORTS: Span<u16> = Span { first: 1024, last: u16::MAX };

impl<'e> Walk<'e, '_> {
    fn blocker(&self, branch: &Branch<'e>, kind: BlockerKind, id: &str, text: String) -> Blocker {
        Blocker {
            kind,
            id: id.to_owned(),
            at: None,
            leg: branch.leg,
            direction: None,
            rule: None,
            text,
            evidence: Vec::new(),
            edit: None,
        }
    }

    fn end_here(&self, branch: Branch<'e>, kind: HopKind, blocker: Blocker, done: &mut Vec<Branch<'e>>) {
        let piece = dropped(branch.now.clone(), branch.leg, kind, blocker);
        branch.split(vec![piece], |branch| done.push(branch));
    }

    /// The branch goes on although `blocker` stops it: the rest of the way counts too.
    fn mark(&self, branch: &mut Branch<'e>, kind: HopKind, blocker: Blocker) {
        let piece = dropped(PacketSet::default(), branch.leg, kind, blocker);
        branch.hops.extend(piece.hop);
        if let Effect::Drop(blocker) = piece.effect {
            branch.blockers.push(blocker);
        }
    }

    fn attached(&self, id: &str, vpc: &VpcId) -> Result<(bool, Vec<EvidenceId>), Gap> {
        let row = self.index.network.internet_gateways.seen(&InternetGatewayId::from(id));
        match row.map(|row| (row, &row.value.attachments)) {
            Some((row, Some(attachments))) => {
                Ok((attachments.iter().any(|a| a.vpc_id == *vpc), row.evidence.clone()))
            }
            // AWS: the route of a detached gateway is a blackhole, so an active route shows the attachment.
            _ => Ok((true, Vec::new())),
        }
    }

    pub(super) fn leave_by_internet_gateway(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        let mut evidence = Vec::new();
        match self.attached(id, from.vpc) {
            Ok((true, shown)) => evidence = shown,
            Ok((false, shown)) => {
                let text = format!("{id} is not attached to {}", from.vpc);
                let mut blocker = self.blocker(&branch, BlockerKind::InternetGatewayDetached, id, text);
                blocker.evidence = shown;
                self.mark(&mut branch, HopKind::InternetGateway, blocker);
            }
            Err(gap) => branch.gaps.push(gap),
        }
        let (public, private) = by_publicness(&branch.now);
        if !private.is_empty() {
            let mut part = branch.clone();
            part.narrow(private);
            let text = format!("{id} drops packets to addresses that are not public");
            let blocker = self.blocker(&part, BlockerKind::AddressNotPublic, id, text);
            self.end_here(part, HopKind::InternetGateway, blocker, done);
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
        self.need_public_address(&mut branch, id);
        self.on_the_internet(branch, Some(from), done);
    }

    /// The interface that the packets leave from needs a public address; IPv6 addresses are public themselves.
    fn need_public_address(&self, branch: &mut Branch<'e>, id: &str) {
        if branch.now.cubes().iter().all(|cube| !is_v4(cube.source.first)) {
            return;
        }
        let leaving = match branch.crossings.iter().rev().find_map(|crossing| crossing.nat) {
            Some(nat) => Some(nat),
            None => branch.sender,
        };
        let Some(end) = leaving else {
            let text = format!("{id} translates the addresses of its own VPC only");
            let blocker = self.blocker(branch, BlockerKind::InternetGatewayNeedsPublicAddress, id, text);
            self.mark(branch, HopKind::InternetGateway, blocker);
            return;
        };
        if !end.public.is_empty() {
            return;
        }
        let text = format!("{} has no public address, so {id} drops its packets", end.name());
        let mut blocker = self.blocker(branch, BlockerKind::InternetGatewayNeedsPublicAddress, id, text);
        blocker.at = Some(end.name().to_owned());
        blocker.evidence.clone_from(&end.evidence);
        self.mark(branch, HopKind::InternetGateway, blocker);
    }

    /// Packets are on the internet: at a public address of an interface we know, or at somebody else's.
    fn on_the_internet(&self, branch: Branch<'e>, from: Option<From<'_>>, done: &mut Vec<Branch<'e>>) {
        let mut rest = branch.now.clone();
        let spans: Vec<Span<u128>> = branch.now.cubes().iter().map(|cube| cube.destination).collect();
        // The public addresses of AWS services are nobody's elastic addresses.
        if self.goal.service.is_none() && branch.now.cubes().len() <= 16 {
            for span in spans.into_iter().filter(|span| span.first == span.last) {
                for (at, end) in self.index.publics_within(span) {
                    let cube = Cube::between(ANYWHERE, Span::one(at));
                    let part = rest.within(&cube);
                    rest.remove(&cube);
                    if part.is_empty() {
                        continue;
                    }
                    let mut one = branch.clone();
                    one.narrow(part);
                    self.enter_at_public_address(one, at, end, done);
                }
            }
        }
        if rest.is_empty() {
            return;
        }
        let mut out = branch;
        if rest != out.now {
            out.narrow(rest);
        }
        out.hops.push(pass_hop(
            Leg::Request,
            HopKind::Destination,
            &self.goal.what,
            format!("{} is on the internet", self.goal.what),
            Vec::new(),
        ));
        out.turn();
        self.answer_from_internet(out, from, done);
    }

    /// Answers come back in through the internet gateway.
    fn answer_from_internet(&self, branch: Branch<'e>, from: Option<From<'_>>, done: &mut Vec<Branch<'e>>) {
        let nat = branch.crossings.last().and_then(|crossing| crossing.nat);
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
            let blocker = self.blocker(&part, BlockerKind::PrivateAddressFromInternet, &id, text);
            self.end_here(part, HopKind::Source, blocker, done);
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
        let private = end.public.iter().find(|(_, p)| *p == public).map(|(private, _)| *private);
        let Some((private, subnet)) = private.zip(end.subnet.clone()) else {
            done.push(branch);
            return;
        };
        let gateway = self.index.network.internet_gateways.iter().find(|(_, row)| {
            row.value.attachments.iter().flatten().any(|attachment| attachment.vpc_id == end.vpc)
        });
        let Some((gateway, row)) = gateway else {
            let target = self.index.target(
                format!("the internet gateway of {}", end.vpc),
                "DescribeInternetGateways",
                &[("attachment.vpc-id", end.vpc.as_str())],
            );
            match self.index.coverage(&self.index.network.internet_gateways, &target) {
                Coverage::Proven(evidence) => {
                    let text = format!("{} has no internet gateway", end.vpc);
                    let kind = BlockerKind::InternetGatewayDetached;
                    let mut blocker = self.blocker(&branch, kind, end.vpc.as_str(), text);
                    blocker.evidence = evidence;
                    self.mark(&mut branch, HopKind::InternetGateway, blocker);
                }
                Coverage::Assumed(gap) => {
                    let text = format!("{} has no internet gateway", end.vpc);
                    let kind = BlockerKind::InternetGatewayDetached;
                    let blocker = self.blocker(&branch, kind, end.vpc.as_str(), text);
                    branch.assumed.push(*gap);
                    self.mark(&mut branch, HopKind::InternetGateway, blocker);
                }
                Coverage::Unknown(gap) => branch.gaps.push(*gap),
            }
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
            row.evidence.clone(),
        ));
        if let Some(table) = self.index.edge_table(gateway.as_str()) {
            for (set, choice) in self.choose(table, &branch) {
                if let super::forward::Choice::Route(route) = choice
                    && crate::route::target(route) != crate::route::RouteTarget::Local
                {
                    let mut part = branch.clone();
                    part.narrow(set);
                    let target = crate::route::target(route).id();
                    self.beyond(part, HopKind::Appliance, target, "ingress routing", done);
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
            let blocker = self.blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            self.end_here(branch, HopKind::InternetGateway, blocker, done);
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

    pub(super) fn leave_by_egress_only(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        if branch.leg == Leg::Reply {
            let text = format!("{id} lets no connections in");
            let blocker = self.blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            self.end_here(branch, HopKind::EgressOnlyInternetGateway, blocker, done);
            return;
        }
        let row =
            self.index.network.egress_only_internet_gateways.seen(&EgressOnlyInternetGatewayId::from(id));
        let evidence = row.map(|row| row.evidence.clone()).unwrap_or_default();
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::EgressOnlyInternetGateway,
            id,
            "to the internet".to_owned(),
            evidence,
        ));
        self.on_the_internet(branch, Some(from), done);
    }

    pub(super) fn through_nat(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        if branch.leg == Leg::Reply {
            let text = format!("answers are routed to {id}, which did not see the requests");
            let blocker = self.blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            self.end_here(branch, HopKind::NatGateway, blocker, done);
            return;
        }
        let Some(row) = self.index.network.nat_gateways.seen(&NatGatewayId::from(id)) else {
            branch.gaps.push(self.index.missing(
                &self.index.network.nat_gateways,
                format!("NAT gateway {id}"),
                "DescribeNatGateways",
                "NatGatewayIds",
                id,
            ));
            done.push(branch);
            return;
        };
        let nat = &row.value;
        if let Some(state) = nat.state.as_deref().filter(|state| !state.eq_ignore_ascii_case("available")) {
            let why = nat.failure_message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
            let text = format!("{id} is {state}{why}");
            let mut blocker = self.blocker(&branch, BlockerKind::NatGatewayUnusable, id, text);
            blocker.evidence.clone_from(&row.evidence);
            self.mark(&mut branch, HopKind::NatGateway, blocker);
        }
        // AWS: NAT gateways carry TCP, UDP and ICMP (https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html).
        let mut carried = PacketSet::default();
        let mut refused = branch.now.clone();
        for protocol in [TCP, UDP, ICMP] {
            let cube = Cube { protocol: Span::one(protocol), ..Cube::between(ANYWHERE, ANYWHERE) };
            carried.add(&branch.now.within(&cube));
            refused.remove(&cube);
        }
        if !refused.is_empty() {
            let mut part = branch.clone();
            part.narrow(refused);
            let text = format!("{id} carries TCP, UDP and ICMP only");
            let mut blocker = self.blocker(&part, BlockerKind::NatGatewayUnusable, id, text);
            blocker.evidence.clone_from(&row.evidence);
            self.end_here(part, HopKind::NatGateway, blocker, done);
        }
        if carried.is_empty() {
            return;
        }
        branch.narrow(carried);
        let Some(subnet) = nat.subnet_id.clone() else {
            branch.gaps.push(not_modelled("the NAT gateway's subnet", "the document does not name it"));
            done.push(branch);
            return;
        };
        if subnet == *from.subnet {
            self.translate_at_nat(branch, id, &subnet, done);
            return;
        }
        let acl = self.acl_pieces(&branch, &subnet, Direction::Ingress);
        branch.split(acl, |branch| self.translate_at_nat(branch, id, &subnet, done));
    }

    fn translate_at_nat(
        &self,
        mut branch: Branch<'e>,
        id: &str,
        subnet: &SubnetId,
        done: &mut Vec<Branch<'e>>,
    ) {
        let Some(row) = self.index.network.nat_gateways.seen(&NatGatewayId::from(id)) else { return };
        let Some(end) = self.index.nat_end(&row.value.nat_gateway_id) else {
            branch.gaps.push(not_modelled(
                &format!("the address of {id}"),
                "the document does not name an address of the NAT gateway",
            ));
            done.push(branch);
            return;
        };
        let public = row.value.connectivity_type.as_deref() != Some("private");
        let text = format!("source becomes {}", end.what);
        branch.hops.push(pass_hop(branch.leg, HopKind::NatGateway, id, text, row.evidence.clone()));
        if public && end.public.is_empty() {
            let text = format!("{id} is public and has no public address");
            let mut blocker = self.blocker(&branch, BlockerKind::NatGatewayUnusable, id, text);
            blocker.evidence.clone_from(&row.evidence);
            self.mark(&mut branch, HopKind::NatGateway, blocker);
        }
        let Some(address) = end.addresses.first().map(|span| span.first) else {
            done.push(branch);
            return;
        };
        branch.translate_source(Some(end), address, Some(NAT_PORTS));
        branch.sender = None;
        self.leave_subnet(branch, subnet, done);
    }

    pub(super) fn to_endpoint(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        let Some(row) = self.index.network.vpc_endpoints.seen(&VpcEndpointId::from(id)) else {
            // A prefix-list route to an endpoint is a gateway endpoint's; an unseen one keeps its state to itself.
            branch.gaps.push(self.index.missing(
                &self.index.network.vpc_endpoints,
                format!("VPC endpoint {id}"),
                "DescribeVpcEndpoints",
                "VpcEndpointIds",
                id,
            ));
            done.push(branch);
            return;
        };
        let endpoint = &row.value;
        if endpoint.vpc_endpoint_type == Some(EndpointType::GatewayLoadBalancer) {
            self.beyond(branch, HopKind::Appliance, id, "the appliances behind it", done);
            return;
        }
        if branch.leg == Leg::Reply {
            let text = format!("answers are routed to {id}, which did not see the requests");
            let blocker = self.blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            self.end_here(branch, HopKind::VpcEndpoint, blocker, done);
            return;
        }
        match endpoint.is_available() {
            Some(false) => {
                let state = endpoint.state.clone().unwrap_or_default();
                let mut blocker =
                    self.blocker(&branch, BlockerKind::EndpointUnavailable, id, format!("{id} is {state}"));
                blocker.evidence.clone_from(&row.evidence);
                self.mark(&mut branch, HopKind::VpcEndpoint, blocker);
            }
            None => branch.gaps.push(not_modelled("the endpoint's state", "the document does not name it")),
            Some(true) => {}
        }
        // AWS: a gateway endpoint serves its own VPC's interfaces only: no peering, VPN, transit gateway
        // (https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html).
        if branch.sender.is_none() && branch.crossings.is_empty() {
            let text = format!("{id} serves the interfaces of its own VPC only");
            let mut blocker = self.blocker(&branch, BlockerKind::EndpointDoesNotServe, id, text);
            blocker.evidence.clone_from(&row.evidence);
            self.mark(&mut branch, HopKind::VpcEndpoint, blocker);
        }
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::VpcEndpoint,
            id,
            format!("gateway endpoint of {}", endpoint.service_name),
            row.evidence.clone(),
        ));
        branch.hops.push(pass_hop(
            Leg::Request,
            HopKind::Destination,
            &self.goal.what,
            format!("{} is reached", endpoint.service_name),
            row.evidence.clone(),
        ));
        branch.turn();
        self.answer_from_internet(branch, Some(from), done);
    }

    pub(super) fn through_peering(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        let table = &self.index.network.peering_connections;
        let Some(row) = table.seen(&PeeringConnectionId::from(id)) else {
            branch.gaps.push(self.index.missing(
                table,
                format!("peering connection {id}"),
                "DescribeVpcPeeringConnections",
                "VpcPeeringConnectionIds",
                id,
            ));
            done.push(branch);
            return;
        };
        let peering = &row.value;
        let code = peering.status.as_ref().and_then(|status| status.code.as_deref());
        if let Some(code) = code.filter(|code| !code.eq_ignore_ascii_case("active")) {
            let mut blocker =
                self.blocker(&branch, BlockerKind::PeeringUnusable, id, format!("{id} is {code}"));
            blocker.evidence.clone_from(&row.evidence);
            self.mark(&mut branch, HopKind::Peering, blocker);
        }
        let (one, two) = (&peering.accepter_vpc_info.vpc_id, &peering.requester_vpc_info.vpc_id);
        let other = if one == from.vpc { two } else { one };
        let Some(blocks) = self.index.vpc_blocks(other) else {
            self.beyond(branch, HopKind::Peering, id, &format!("{other} in another account"), done);
            return;
        };
        // AWS: peering is not transitive: both addresses must be in the VPCs' own blocks
        // (https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html).
        let mut inside = PacketSet::default();
        let mut outside = branch.now.clone();
        for span in blocks {
            let cube = Cube::between(ANYWHERE, span);
            inside.add(&branch.now.within(&cube));
            outside.remove(&cube);
        }
        if !outside.is_empty() {
            let mut part = branch.clone();
            part.narrow(outside);
            let text = format!("{id} carries packets to the blocks of {other} only");
            let mut blocker = self.blocker(&part, BlockerKind::PeeringUnusable, id, text);
            blocker.evidence.clone_from(&row.evidence);
            self.end_here(part, HopKind::Peering, blocker, done);
        }
        if inside.is_empty() {
            return;
        }
        branch.narrow(inside);
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::Peering,
            id,
            format!("to {other}"),
            row.evidence.clone(),
        ));
        self.deliver_in_vpc(branch, other, None, done);
    }

    pub(super) fn leave_by_vpn(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        let row = self.index.network.vpn_gateways.seen(&VpnGatewayId::from(id));
        if let Some(row) = row {
            let attached = row.value.vpc_attachments.as_ref().map(|attachments| {
                attachments.iter().any(|attachment| {
                    attachment.vpc_id == *from.vpc
                        && attachment.state.as_deref().is_none_or(|state| state == "attached")
                })
            });
            if attached == Some(false) {
                let text = format!("{id} is not attached to {}", from.vpc);
                let mut blocker = self.blocker(&branch, BlockerKind::VpnGatewayUnusable, id, text);
                blocker.evidence.clone_from(&row.evidence);
                self.mark(&mut branch, HopKind::VpnGateway, blocker);
            }
        }
        let evidence = row.map(|row| row.evidence.clone()).unwrap_or_default();
        let home = branch.leg == Leg::Reply && matches!(&self.origin, Origin::VpnGateway(own) if own == id);
        if home || (branch.leg == Leg::Request && self.goal.on_premises) {
            let text = "leaves AWS here".to_owned();
            branch.hops.push(pass_hop(branch.leg, HopKind::VpnGateway, id, text, evidence));
            done.push(branch);
            return;
        }
        self.beyond(branch, HopKind::VpnGateway, id, "the network on premises", done);
    }

    pub(super) fn enter_from_vpn(&self, gateway: &str, branch: Branch<'e>, done: &mut Vec<Branch<'e>>) {
        let row = self.index.network.vpn_gateways.seen(&VpnGatewayId::from(gateway));
        let attachment = row.and_then(|row| {
            row.value
                .vpc_attachments
                .as_ref()?
                .iter()
                .find(|attachment| attachment.state.as_deref().is_none_or(|state| state == "attached"))
        });
        let Some((row, attachment)) = row.zip(attachment) else {
            let text = format!("{gateway} is attached to no VPC");
            let blocker = self.blocker(&branch, BlockerKind::VpnGatewayUnusable, gateway, text);
            self.end_here(branch, HopKind::VpnGateway, blocker, done);
            return;
        };
        let vpc = &attachment.vpc_id;
        let blocks = self.index.vpc_blocks(vpc).unwrap_or_default();
        let mut inside = PacketSet::default();
        let mut outside = branch.now.clone();
        for span in blocks {
            let cube = Cube::between(ANYWHERE, span);
            inside.add(&branch.now.within(&cube));
            outside.remove(&cube);
        }
        if !outside.is_empty() {
            let mut part = branch.clone();
            part.narrow(outside);
            let text = format!("{gateway} routes to the blocks of {vpc} only");
            let mut blocker = self.blocker(&part, BlockerKind::VpnGatewayUnusable, gateway, text);
            blocker.evidence.clone_from(&row.evidence);
            self.end_here(part, HopKind::VpnGateway, blocker, done);
        }
        if inside.is_empty() {
            return;
        }
        let mut branch = branch;
        branch.narrow(inside);
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::VpnGateway,
            gateway,
            format!("into {vpc}"),
            row.evidence.clone(),
        ));
        self.deliver_in_vpc(branch, vpc, None, done);
    }

    pub(super) fn into_appliance(&self, mut branch: Branch<'e>, id: &str, done: &mut Vec<Branch<'e>>) {
        let end = self.index.end_of(&NetworkInterfaceId::from(id));
        if let Some(end) = end
            && end.source_dest_check == Some(true)
        {
            let text = format!("{id} checks source and destination, so it drops what is not for itself");
            let mut blocker = self.blocker(&branch, BlockerKind::SourceDestinationCheck, id, text);
            blocker.evidence.clone_from(&end.evidence);
            self.mark(&mut branch, HopKind::Appliance, blocker);
        }
        self.beyond(branch, HopKind::Appliance, id, "what the appliance forwards", done);
    }

    pub(super) fn through_transit_gateway(
        &self,
        mut branch: Branch<'e>,
        from: From<'_>,
        id: &str,
        done: &mut Vec<Branch<'e>>,
    ) {
        let network = self.index.network;
        let gateway = TransitGatewayId::from(id);
        let own = network
            .transit_gateway_vpc_attachments
            .iter()
            .find(|(_, row)| row.value.transit_gateway_id == gateway && row.value.vpc_id == *from.vpc);
        let Some((attachment, row)) = own else {
            self.beyond(branch, HopKind::TransitGateway, id, "its attachments", done);
            return;
        };
        if let Some(state) = row.value.state.as_deref().filter(|state| *state != "available") {
            let text = format!("attachment {attachment} is {state}");
            let mut blocker = self.blocker(&branch, BlockerKind::TransitGatewayAttachment, id, text);
            blocker.evidence.clone_from(&row.evidence);
            self.mark(&mut branch, HopKind::TransitGateway, blocker);
        }
        // AWS: an attachment reaches only zones in which it has a subnet
        // (https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html).
        let zone = |subnet: &SubnetId| {
            network.subnets.seen(subnet).and_then(|row| row.value.availability_zone.clone())
        };
        match (zone(from.subnet), &row.value.subnet_ids) {
            (Some(zone_here), Some(subnets)) => {
                let zones: Vec<Option<String>> = subnets.iter().map(zone).collect();
                if !zones.contains(&Some(zone_here.clone())) {
                    if zones.contains(&None) {
                        branch.gaps.push(not_modelled(
                            &format!("the zones of {attachment}"),
                            "one of its subnets was not seen",
                        ));
                    } else {
                        let text = format!(
                            "attachment {attachment} has no subnet in {zone_here}, the source's zone"
                        );
                        let kind = BlockerKind::TransitGatewayAttachment;
                        let mut blocker = self.blocker(&branch, kind, id, text);
                        blocker.at = Some(attachment.to_string());
                        blocker.evidence.clone_from(&row.evidence);
                        self.mark(&mut branch, HopKind::TransitGateway, blocker);
                    }
                }
            }
            _ => branch.gaps.push(not_modelled(
                &format!("the zones of {attachment}"),
                "the document does not name its subnets or their zones",
            )),
        }
        let table = network
            .transit_gateway_attachments
            .seen(attachment)
            .and_then(|row| row.value.association.as_ref())
            .and_then(|association| association.transit_gateway_route_table_id.clone());
        let Some(table) = table else {
            self.beyond(branch, HopKind::TransitGateway, id, "the route table of the attachment", done);
            return;
        };
        let Some(routes) = self.transit_routes(&table) else {
            self.beyond(branch, HopKind::TransitGateway, id, &format!("the routes of {table}"), done);
            return;
        };
        let mut rest = branch.now.clone();
        for (span, target) in routes {
            let cube = Cube::between(ANYWHERE, span);
            let part = rest.within(&cube);
            if part.is_empty() {
                continue;
            }
            rest.remove(&cube);
            let mut one = branch.clone();
            one.narrow(part);
            self.leave_transit_gateway(one, id, &table, target, done);
        }
        if !rest.is_empty() {
            branch.narrow(rest);
            let text = format!("{table} has no route to {}", self.destination_words(&branch));
            let mut blocker = self.blocker(&branch, BlockerKind::TransitGatewayNoRoute, id, text);
            blocker.at = Some(table.to_string());
            self.end_here(branch, HopKind::TransitGateway, blocker, done);
        }
    }

    /// Routes of a transit gateway table, most specific first: the attached VPC, or why it ends.
    fn transit_routes(&self, table: &TransitGatewayRouteTableId) -> Option<Vec<(Span<u128>, TransitTarget)>> {
        let network = self.index.network;
        let mut routes: Vec<(Span<u128>, u8, TransitTarget)> = Vec::new();
        let searched = network.transit_gateway_routes.seen(table);
        for route in searched.iter().flat_map(|row| &row.value) {
            let Some(destination) = route.destination_cidr_block else { continue };
            let priority = u8::from(route.r#type.as_deref() == Some("propagated"));
            let target = if route.state.as_deref() == Some("blackhole") {
                TransitTarget::Blackhole
            } else {
                let to = route.transit_gateway_attachments.iter().flatten().next();
                match to {
                    Some(to) if to.resource_type.as_deref() == Some("vpc") => {
                        TransitTarget::Vpc(VpcId::from(to.resource_id.clone().unwrap_or_default()))
                    }
                    Some(to) => TransitTarget::Other(to.resource_id.clone().unwrap_or_default()),
                    None => TransitTarget::Other("an attachment".to_owned()),
                }
            };
            routes.push((block(destination), priority, target));
        }
        let propagations = network.transit_gateway_propagations.seen(table);
        for propagation in propagations.iter().flat_map(|row| &row.value) {
            if propagation.state.as_deref().is_some_and(|state| state != "enabled") {
                continue;
            }
            let resource = propagation.resource_id.clone().unwrap_or_default();
            if propagation.resource_type.as_deref() != Some("vpc") {
                // What a VPN or peering attachment propagates is not in the evidence.
                return None;
            }
            let vpc = VpcId::from(resource);
            for span in self.index.vpc_blocks(&vpc)? {
                routes.push((span, 1, TransitTarget::Vpc(vpc.clone())));
            }
        }
        if searched.is_none() && propagations.is_none() {
            return None;
        }
        routes.sort_by_key(|(span, priority, _)| (span.last - span.first, *priority));
        Some(routes.into_iter().map(|(span, _, target)| (span, target)).collect())
    }

    fn leave_transit_gateway(
        &self,
        mut branch: Branch<'e>,
        id: &str,
        table: &TransitGatewayRouteTableId,
        target: TransitTarget,
        done: &mut Vec<Branch<'e>>,
    ) {
        let vpc = match target {
            TransitTarget::Vpc(vpc) => vpc,
            TransitTarget::Blackhole => {
                let text = format!("the route in {table} is a blackhole");
                let mut blocker = self.blocker(&branch, BlockerKind::TransitGatewayNoRoute, id, text);
                blocker.at = Some(table.to_string());
                self.end_here(branch, HopKind::TransitGateway, blocker, done);
                return;
            }
            TransitTarget::Other(resource) => {
                self.beyond(branch, HopKind::TransitGateway, id, &resource, done);
                return;
            }
        };
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::TransitGateway,
            id,
            format!("by {table} to {vpc}"),
            Vec::new(),
        ));
        // References to groups do not survive a transit gateway unless the gateway is told to keep them.
        branch.sender = None;
        let gateway = TransitGatewayId::from(id);
        let arriving = self
            .index
            .network
            .transit_gateway_vpc_attachments
            .iter()
            .find(|(_, row)| row.value.transit_gateway_id == gateway && row.value.vpc_id == vpc);
        if self.index.network.vpcs.seen(&vpc).is_none() || arriving.is_none() {
            self.beyond(branch, HopKind::TransitGateway, id, &format!("{vpc} in another account"), done);
            return;
        }
        let blocks = self.index.vpc_blocks(&vpc).unwrap_or_default();
        let inside =
            blocks.iter().any(|span| branch.now.cubes().iter().all(|cube| span.covers(cube.destination)));
        if inside {
            self.deliver_in_vpc(branch, &vpc, None, done);
            return;
        }
        // Not addressed to the VPC itself: the attachment subnet's route table decides (central egress).
        let subnets = arriving.and_then(|(_, row)| row.value.subnet_ids.clone()).unwrap_or_default();
        let Some(subnet) = subnets.first().cloned() else {
            self.beyond(branch, HopKind::TransitGateway, id, &vpc.to_string(), done);
            return;
        };
        self.leave_subnet(branch, &subnet, done);
    }

    /// The edit that gives a subnet's table a route to what the branch is after, when something suitable exists.
    pub(super) fn route_edit(&self, branch: &Branch<'e>, from: From<'_>) -> Option<Edit> {
        let network = self.index.network;
        if branch.leg == Leg::Reply {
            return None;
        }
        if let Some(service) = &self.goal.service {
            let gateway = network.vpc_endpoints.iter().find(|(_, row)| {
                row.value.vpc_id == *from.vpc
                    && row.value.vpc_endpoint_type == Some(EndpointType::Gateway)
                    && row.value.service() == service
            });
            if let Some((endpoint, _)) = gateway {
                return Some(Edit::AssociateGatewayEndpoint {
                    endpoint: endpoint.clone(),
                    table: from.table.clone(),
                });
            }
        }
        let public = !by_publicness(&branch.now).0.is_empty();
        let nat = network.nat_gateways.iter().find(|(_, row)| {
            row.value.vpc_id.as_ref() == Some(from.vpc)
                && row.value.state.as_deref() == Some("available")
                && row.value.connectivity_type.as_deref() != Some("private")
        });
        if let (true, Some((nat, _))) = (public, nat) {
            return Some(Edit::SetRoute {
                table: from.table.clone(),
                destination: RouteDestination::Block(IpNet::default()),
                target: nat.to_string(),
            });
        }
        let service = self.goal.service.as_deref().filter(|s| matches!(*s, "s3" | "dynamodb"))?;
        let region = network.region.as_ref()?;
        Some(Edit::CreateEndpoint {
            vpc: from.vpc.clone(),
            service: format!("com.amazonaws.{region}.{service}"),
            subnets: Vec::new(),
            groups: Vec::new(),
            tables: vec![from.table.clone()],
        })
    }
}

/// Where a transit gateway route leads.
pub(super) enum TransitTarget {
    Vpc(VpcId),
    Blackhole,
    Other(String),
}
