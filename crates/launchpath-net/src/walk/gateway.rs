//! NAT gateways, egress-only gateways, gateway endpoints, appliances: what each lets through and how it translates.

use std::sync::Arc;

use ipnet::IpNet;
use launchpath_model::aws::vpc_endpoint::EndpointType;
use launchpath_model::ids::{
    EgressOnlyInternetGatewayId, NatGatewayId, NetworkInterfaceId, SecurityGroupId, SubnetId, VpcEndpointId,
};
use smallvec::smallvec;

use super::Walk;
use super::ahead::Return;
use super::branch::{ANYWHERE, Branch, Effect};
use super::filter::dropped;
use super::forward::{From, by_publicness, not_modelled, pass_hop};
use crate::answer::{Blocker, BlockerKind, Direction, HopKind, Leg};
use crate::edit::{Edit, RouteDestination};
use crate::end::End;
use crate::packet::{Cube, ICMP, PacketSet, TCP, UDP};
use crate::span::{Span, place};

/// AWS: a NAT gateway uses source ports 1024-65535
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html>, ephemeral ports).
pub(super) const NAT_PORTS: Span<u16> = Span { first: 1024, last: u16::MAX };

impl<'e> Walk<'e, '_> {
    pub(super) fn blocker(
        branch: &Branch<'e>,
        kind: BlockerKind,
        id: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
    ) -> Blocker {
        Blocker {
            kind,
            id: id.into(),
            at: None,
            leg: branch.leg,
            direction: None,
            rule: None,
            text: text.into(),
            evidence: Vec::new(),
            edit: None,
        }
    }

    pub(super) fn end_here(branch: Branch<'e>, kind: HopKind, blocker: Blocker, done: &mut Vec<Branch<'e>>) {
        let piece = dropped(branch.now.clone(), kind, Arc::clone(&blocker.id), blocker);
        branch.split(smallvec![piece], |branch| done.push(branch));
    }

    /// Keeps what `kept` holds of the branch; the rest ends here, refused. `None` when nothing is kept.
    pub(super) fn keep(
        mut branch: Branch<'e>,
        (kept, rest): (PacketSet, PacketSet),
        kind: HopKind,
        refusal: impl FnOnce(&Branch<'e>) -> Blocker,
        done: &mut Vec<Branch<'e>>,
    ) -> Option<Branch<'e>> {
        if !rest.is_empty() {
            let mut part = branch.clone();
            part.narrow(rest);
            let blocker = refusal(&part);
            Self::end_here(part, kind, blocker, done);
        }
        if kept.is_empty() {
            return None;
        }
        branch.narrow(kept);
        Some(branch)
    }

    /// The branch goes on although `blocker` stops it: the rest of the way counts too.
    pub(super) fn mark(branch: &mut Branch<'e>, kind: HopKind, blocker: Blocker) {
        let piece = dropped(PacketSet::default(), kind, Arc::clone(&blocker.id), blocker);
        branch.hops.extend(piece.hop);
        if let Effect::Drop(blocker) = piece.effect {
            branch.blockers.push(blocker);
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
            let blocker = Self::blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            Self::end_here(branch, HopKind::EgressOnlyInternetGateway, blocker, done);
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
            let blocker = Self::blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            Self::end_here(branch, HopKind::NatGateway, blocker, done);
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
            self.out_of_sight(branch, Return::Outside, done);
            return;
        };
        let nat = &row.value;
        if let Some(state) = nat.state.as_deref().filter(|state| !state.eq_ignore_ascii_case("available")) {
            let why = nat.failure_message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
            let text = format!("{id} is {state}{why}");
            let mut blocker = Self::blocker(&branch, BlockerKind::NatGatewayUnusable, id, text);
            blocker.evidence.clone_from(&row.evidence);
            Self::mark(&mut branch, HopKind::NatGateway, blocker);
        }
        // AWS: NAT gateways carry TCP, UDP and ICMP (https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html).
        let mut carried = PacketSet::default();
        let mut refused = branch.now.clone();
        for protocol in [TCP, UDP, ICMP] {
            let cube = Cube { protocol: Span::one(protocol), ..Cube::between(ANYWHERE, ANYWHERE) };
            carried.join_disjoint(refused.take(&cube));
        }
        let refusal = |part: &Branch<'e>| {
            let text = format!("{id} carries TCP, UDP and ICMP only");
            let blocker = Self::blocker(part, BlockerKind::NatGatewayUnusable, id, text);
            Blocker { evidence: row.evidence.clone(), ..blocker }
        };
        let kept = Self::keep(branch, (carried, refused), HopKind::NatGateway, refusal, done);
        let Some(mut branch) = kept else { return };
        let passed_before = branch.crossings.iter().filter_map(|crossing| crossing.nat);
        let this = self.index.nat_end(&nat.nat_gateway_id);
        if passed_before.into_iter().any(|end| this.is_some_and(|this| std::ptr::eq(this, end))) {
            let text = format!("{} routes what comes out of {id} back to {id}", from.table);
            let mut blocker = Self::blocker(&branch, BlockerKind::NatGatewayUnusable, id, text);
            blocker.at = Some(from.subnet.into());
            blocker.evidence.clone_from(&row.evidence);
            Self::end_here(branch, HopKind::NatGateway, blocker, done);
            return;
        }
        let regional = nat.availability_mode.as_deref() == Some("regional");
        if let (true, Some(end)) = (regional, this) {
            self.through_regional_nat(branch, id, end, done);
            return;
        }
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

    /// A regional NAT gateway has no subnet, no ACL, and a table of its own with a route to the internet gateway.
    ///
    /// AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html>
    fn through_regional_nat(
        &self,
        mut branch: Branch<'e>,
        id: &str,
        end: &'e End,
        done: &mut Vec<Branch<'e>>,
    ) {
        let (public, private) = by_publicness(&branch.now);
        if !private.is_empty() {
            let mut part = branch.clone();
            part.narrow(private);
            let what = "the routes of a regional NAT gateway";
            self.beyond(part, (HopKind::NatGateway, id), what, Return::Outside, done);
        }
        if public.is_empty() {
            return;
        }
        branch.narrow(public);
        let text = "source becomes an address of the gateway".to_owned();
        branch.hops.push(pass_hop(branch.leg, HopKind::NatGateway, id, text, end.evidence.clone()));
        if let Some((gateway, evidence)) = self.internet_gateway_of(&mut branch, &end.vpc) {
            let text = "to the internet".to_owned();
            let hop = pass_hop(branch.leg, HopKind::InternetGateway, gateway.as_str(), text, evidence);
            branch.hops.push(hop);
        }
        let address = end.public.first().map(|(_, public)| *public);
        // RFC 5737: an address that belongs to nobody stands for one that the document does not name.
        let address = address.unwrap_or_else(|| place(std::net::IpAddr::from([192, 0, 2, 1])));
        branch.translate_source(Some(end), address, Some(NAT_PORTS));
        branch.sender = None;
        self.on_the_internet(branch, None, done);
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
            let mut blocker = Self::blocker(&branch, BlockerKind::NatGatewayUnusable, id, text);
            blocker.evidence.clone_from(&row.evidence);
            Self::mark(&mut branch, HopKind::NatGateway, blocker);
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
            let way = Return::Endpoint(id);
            self.beyond(branch, (HopKind::Appliance, id), "the appliances behind it", way, done);
            return;
        }
        if branch.leg == Leg::Reply {
            let text = format!("answers are routed to {id}, which did not see the requests");
            let blocker = Self::blocker(&branch, BlockerKind::AsymmetricReturn, id, text);
            Self::end_here(branch, HopKind::VpcEndpoint, blocker, done);
            return;
        }
        match endpoint.is_available() {
            Some(false) => {
                let state = endpoint.state.clone().unwrap_or_default();
                let mut blocker =
                    Self::blocker(&branch, BlockerKind::EndpointUnavailable, id, format!("{id} is {state}"));
                blocker.evidence.clone_from(&row.evidence);
                Self::mark(&mut branch, HopKind::VpcEndpoint, blocker);
            }
            None => branch.gaps.push(not_modelled("the endpoint's state", "the document does not name it")),
            Some(true) => {}
        }
        // AWS: a gateway endpoint serves its own VPC's interfaces only: no peering, VPN, transit gateway
        // (https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html).
        if branch.sender.is_none() && branch.crossings.is_empty() {
            let text = format!("{id} serves the interfaces of its own VPC only");
            let mut blocker = Self::blocker(&branch, BlockerKind::EndpointDoesNotServe, id, text);
            blocker.evidence.clone_from(&row.evidence);
            Self::mark(&mut branch, HopKind::VpcEndpoint, blocker);
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
            Arc::clone(&self.goal.what),
            format!("{} is reached", endpoint.service_name),
            row.evidence.clone(),
        ));
        branch.turn();
        self.answer_from_internet(branch, Some(from), done);
    }

    pub(super) fn enter_appliance(&self, mut branch: Branch<'e>, id: &str, done: &mut Vec<Branch<'e>>) {
        let end = self.index.end_of(&NetworkInterfaceId::from(id));
        if let Some(end) = end
            && end.source_dest_check == Some(true)
        {
            let text = format!("{id} checks source and destination, so it drops what is not for itself");
            let mut blocker = Self::blocker(&branch, BlockerKind::SourceDestinationCheck, id, text);
            blocker.evidence.clone_from(&end.evidence);
            Self::mark(&mut branch, HopKind::Appliance, blocker);
        }
        let way = Return::Interface(end.and_then(|end| end.subnet.as_ref()));
        self.beyond(branch, (HopKind::Appliance, id), "what the appliance forwards", way, done);
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
        let service = self.goal.service.as_deref()?;
        let region = network.region.as_ref()?;
        let of_gateway = matches!(service, "s3" | "dynamodb");
        let tables = if of_gateway { vec![from.table.clone()] } else { Vec::new() };
        let subnets = if of_gateway { Vec::new() } else { vec![from.subnet.clone()] };
        let groups = if of_gateway { Vec::new() } else { self.endpoint_groups(branch, from) };
        Some(Edit::CreateEndpoint {
            vpc: from.vpc.clone(),
            service: format!("com.amazonaws.{region}.{service}"),
            subnets,
            groups,
            tables,
        })
    }

    /// Groups for a new endpoint: those of the VPC's other endpoints, else the sender's own.
    fn endpoint_groups(&self, branch: &Branch<'e>, from: From<'_>) -> Vec<SecurityGroupId> {
        let others = self.index.network.vpc_endpoints.iter().filter(|(_, row)| row.value.vpc_id == *from.vpc);
        let groups =
            others.flat_map(|(_, row)| row.value.groups.iter().flatten()).map(|g| g.group_id.clone());
        let first = groups.into_iter().next();
        let own = || branch.sender.and_then(|sender| sender.groups.clone()).unwrap_or_default();
        first.map_or_else(own, |group| vec![group])
    }
}
