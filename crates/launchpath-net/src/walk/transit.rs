//! Transit gateways: attachments, zones, the gateway's own tables, and the ACLs of the attachments' subnets.

use launchpath_model::Gap;
use launchpath_model::ids::{SubnetId, TransitGatewayId, TransitGatewayRouteTableId, VpcId};

use smallvec::smallvec;

use super::Walk;
use super::ahead::Return;
use super::branch::{ANYWHERE, Branch};
use super::filter::passed;
use super::forward::{From, not_modelled, pass_hop};
use crate::answer::{BlockerKind, Direction, HopKind};
use crate::index::AclOfSubnet;
use crate::packet::Cube;
use crate::span::{Span, block};

impl<'e> Walk<'e, '_> {
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
            self.beyond_gateway(branch, id, "its attachments", done);
            return;
        };
        if let Some(state) = row.value.state.as_deref().filter(|state| *state != "available") {
            let text = format!("attachment {attachment} is {state}");
            let mut blocker = Self::blocker(&branch, BlockerKind::TransitGatewayAttachment, id, text);
            blocker.evidence.clone_from(&row.evidence);
            Self::mark(&mut branch, HopKind::TransitGateway, blocker);
        }
        // AWS: an attachment reaches only zones in which it has a subnet
        // (https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html).
        let zone = |subnet: &SubnetId| self.index.zone_of(subnet);
        let here = zone(from.subnet);
        let mut entry: Option<SubnetId> = None;
        match (here.clone(), &row.value.subnet_ids) {
            (Some(zone_here), Some(subnets)) => {
                let zones: Vec<Option<String>> = subnets.iter().map(zone).collect();
                entry = subnets.iter().find(|subnet| zone(subnet).as_ref() == Some(&zone_here)).cloned();
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
                        let mut blocker = Self::blocker(&branch, kind, id, text);
                        blocker.at = Some(attachment.into());
                        blocker.evidence.clone_from(&row.evidence);
                        Self::mark(&mut branch, HopKind::TransitGateway, blocker);
                    }
                }
            }
            _ => branch.gaps.push(not_modelled(
                &format!("the zones of {attachment}"),
                "the document does not name its subnets or their zones",
            )),
        }
        // AWS: the ACL of the attachment's subnet sees what enters the gateway, not what leaves the subnet for it
        // (https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html).
        let pieces = entry.as_ref().map_or_else(
            || smallvec![passed(branch.now.clone(), None)],
            |subnet| self.acl_pieces(&branch, subnet, Direction::Ingress),
        );
        let table = network
            .transit_gateway_attachments
            .seen(attachment)
            .and_then(|row| row.value.association.as_ref())
            .and_then(|association| association.transit_gateway_route_table_id.clone());
        branch.split(pieces, |branch| {
            self.route_in_transit_gateway(branch, id, table.as_ref(), here.as_ref(), done);
        });
    }

    fn beyond_gateway(&self, branch: Branch<'e>, id: &str, what: &str, done: &mut Vec<Branch<'e>>) {
        self.beyond(branch, (HopKind::TransitGateway, id), what, Return::TransitGateway(id), done);
    }

    /// Whether packets that come out of an attachment fare alike in both subnets.
    pub(super) fn alike(&self, one: &SubnetId, other: &SubnetId) -> bool {
        let fate = |subnet: &SubnetId| {
            let acl = match self.index.find_acl(subnet) {
                AclOfSubnet::Seen(acl) => Some(acl.id),
                AclOfSubnet::Default(_) | AclOfSubnet::Unknown(_) => None,
            };
            (acl, self.index.find_table(subnet).ok().map(|(table, _)| table.id))
        };
        fate(one) == fate(other)
    }

    fn route_in_transit_gateway(
        &self,
        mut branch: Branch<'e>,
        id: &str,
        table: Option<&TransitGatewayRouteTableId>,
        from_zone: Option<&String>,
        done: &mut Vec<Branch<'e>>,
    ) {
        let Some(table) = table else {
            self.beyond_gateway(branch, id, "the route table of the attachment", done);
            return;
        };
        let Some(routes) = self.transit_routes(table) else {
            self.beyond_gateway(branch, id, &format!("the routes of {table}"), done);
            return;
        };
        let mut rest = branch.now.clone();
        for (span, target) in routes {
            let cube = Cube::between(ANYWHERE, span);
            let part = rest.take(&cube);
            if part.is_empty() {
                continue;
            }
            let mut one = branch.clone();
            one.narrow(part);
            self.leave_transit_gateway(one, id, table, target, from_zone, done);
        }
        if !rest.is_empty() {
            branch.narrow(rest);
            let text = format!("{table} has no route to {}", self.destination_words(&branch));
            let mut blocker = Self::blocker(&branch, BlockerKind::TransitGatewayNoRoute, id, text);
            blocker.at = Some(table.into());
            Self::end_here(branch, HopKind::TransitGateway, blocker, done);
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
        from_zone: Option<&String>,
        done: &mut Vec<Branch<'e>>,
    ) {
        let vpc = match target {
            TransitTarget::Vpc(vpc) => vpc,
            TransitTarget::Blackhole => {
                let text = format!("the route in {table} is a blackhole");
                let mut blocker = Self::blocker(&branch, BlockerKind::TransitGatewayNoRoute, id, text);
                blocker.at = Some(table.into());
                Self::end_here(branch, HopKind::TransitGateway, blocker, done);
                return;
            }
            TransitTarget::Other(resource) => {
                self.beyond_gateway(branch, id, &resource, done);
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
        // AWS: references to groups survive a transit gateway only when its option says so; it is off by default
        // (https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html).
        let gateway = TransitGatewayId::from(id);
        match self.index.network.transit_gateways.seen(&gateway) {
            Some(row) => {
                let option = row
                    .value
                    .options
                    .as_ref()
                    .and_then(|options| options.security_group_referencing_support.as_deref());
                if option != Some("enable") {
                    branch.sender = None;
                }
            }
            None if branch.sender.take().is_some() => {
                branch.sender_lost = Some(Gap::not_asked(
                    format!("whether {id} keeps references to security groups"),
                    format!("aws ec2 describe-transit-gateways --transit-gateway-ids {id}"),
                ));
            }
            None => {}
        }
        let arriving = self
            .index
            .network
            .transit_gateway_vpc_attachments
            .iter()
            .find(|(_, row)| row.value.transit_gateway_id == gateway && row.value.vpc_id == vpc);
        let subnets = arriving.and_then(|(_, row)| row.value.subnet_ids.as_deref()).unwrap_or_default();
        if self.index.network.vpcs.seen(&vpc).is_none() || subnets.is_empty() {
            self.beyond_gateway(branch, id, &format!("{vpc} in another account"), done);
            return;
        }
        // AWS: packets stay in their zone where the attachment has a subnet in it
        // (https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html).
        let zone = |subnet: &SubnetId| self.index.zone_of(subnet);
        // AWS: with appliance mode it picks a zone by the flow, whatever zone the packets come from
        // (https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-appliance-scenario.html).
        let by_flow = arriving
            .and_then(|(_, row)| row.value.options.as_ref())
            .is_some_and(|options| options.appliance_mode_support.as_deref() == Some("enable"));
        let near = from_zone
            .as_ref()
            .filter(|_| !by_flow)
            .and_then(|here| subnets.iter().find(|s| zone(s).as_ref() == Some(here)));
        if near.is_none() && subnets.iter().any(|subnet| !self.alike(subnet, &subnets[0])) {
            branch.gaps.push(not_modelled(
                &format!("which subnet of the attachment to {vpc} the packets come out of"),
                "its subnets have different tables or ACLs",
            ));
        }
        // AWS: the attachment subnet's ACL and table decide what comes out of it
        // (https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html).
        let subnet = near.unwrap_or(&subnets[0]).clone();
        self.leave_subnet(branch, &subnet, done);
    }
}

/// Where a transit gateway route leads.
enum TransitTarget {
    Vpc(VpcId),
    Blackhole,
    Other(String),
}
