//! Other networks: peered VPCs, and what lies behind VPN and Direct Connect gateways.

use launchpath_model::ids::{PeeringConnectionId, RouteTableId, VpnGatewayId};

use super::ahead::Return;
use super::branch::{ANYWHERE, Branch};
use super::forward::{From, pass_hop};
use super::{Origin, Walk};
use crate::answer::{Blocker, BlockerKind, HopKind, Leg};
use crate::packet::{Cube, PacketSet};
use crate::span::Span;

impl<'e> Walk<'e, '_> {
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
            self.out_of_sight(branch, Return::Outside, done);
            return;
        };
        let peering = &row.value;
        let code = peering.status.as_ref().and_then(|status| status.code.as_deref());
        if let Some(code) = code.filter(|code| !code.eq_ignore_ascii_case("active")) {
            let mut blocker =
                Self::blocker(&branch, BlockerKind::PeeringUnusable, id, format!("{id} is {code}"));
            blocker.evidence.clone_from(&row.evidence);
            Self::mark(&mut branch, HopKind::Peering, blocker);
        }
        let (one, two) = (&peering.accepter_vpc_info.vpc_id, &peering.requester_vpc_info.vpc_id);
        let other = if one == from.vpc { two } else { one };
        let Some(blocks) = self.index.vpc_blocks(other) else {
            let what = format!("{other} in another account");
            self.beyond(branch, (HopKind::Peering, id), &what, Return::Outside, done);
            return;
        };
        // AWS: peering is not transitive: both addresses must be in the VPCs' own blocks
        // (https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html).
        let parts = by_blocks(&branch.now, blocks);
        let refusal = |part: &Branch<'e>| {
            let text = format!("{id} carries packets to the blocks of {other} only");
            let blocker = Self::blocker(part, BlockerKind::PeeringUnusable, id, text);
            Blocker { evidence: row.evidence.clone(), ..blocker }
        };
        let Some(mut branch) = Self::keep(branch, parts, HopKind::Peering, refusal, done) else { return };
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
                let mut blocker = Self::blocker(&branch, BlockerKind::VpnGatewayUnusable, id, text);
                blocker.evidence.clone_from(&row.evidence);
                Self::mark(&mut branch, HopKind::VpnGateway, blocker);
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
        let gateway = (HopKind::VpnGateway, id);
        let Some(learned) = self.learned_routes(from.table, id) else {
            self.beyond(branch, gateway, "the network on premises", Return::Outside, done);
            return;
        };
        let parts = by_blocks(&branch.now, learned);
        let refusal = |part: &Branch<'e>| {
            let where_to = self.destination_words(part);
            let text =
                format!("{id} has learned no route to {where_to}: it would be propagated to {}", from.table);
            let mut blocker = Self::blocker(part, BlockerKind::VpnGatewayUnusable, id, text);
            blocker.evidence.extend(evidence.iter().cloned());
            let table = self.index.network.route_tables.seen(from.table);
            blocker.evidence.extend(table.iter().flat_map(|row| row.evidence.iter().cloned()));
            blocker
        };
        if let Some(branch) = Self::keep(branch, parts, HopKind::VpnGateway, refusal, done) {
            self.beyond(branch, gateway, "the network on premises", Return::Outside, done);
        }
    }

    /// The blocks a VPN gateway knows routes to, when it propagates them to this table; `None` when it does not.
    ///
    /// AWS: with propagation on, the routes of the VPN connection appear in the table, beside static routes to the same
    /// block (<https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html>).
    fn learned_routes(&self, table: &RouteTableId, gateway: &str) -> Option<Vec<Span<u128>>> {
        let row = self.index.network.route_tables.seen(table)?;
        let propagates =
            row.value.propagating_vgws.iter().flatten().any(|vgw| vgw.gateway_id.as_str() == gateway);
        let routes = row.value.routes.as_ref().filter(|_| propagates)?;
        let learned = routes.iter().filter(|route| {
            route.origin.as_deref() == Some("EnableVgwRoutePropagation")
                && route.gateway_id.as_deref() == Some(gateway)
        });
        Some(
            learned
                .flat_map(|route| {
                    let v4 = route.destination_cidr_block.map(crate::span::v4_block);
                    v4.into_iter().chain(route.destination_ipv6_cidr_block.map(crate::span::v6_block))
                })
                .collect(),
        )
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
            let blocker = Self::blocker(&branch, BlockerKind::VpnGatewayUnusable, gateway, text);
            Self::end_here(branch, HopKind::VpnGateway, blocker, done);
            return;
        };
        let vpc = &attachment.vpc_id;
        let blocks = self.index.vpc_blocks(vpc).unwrap_or_default();
        let parts = by_blocks(&branch.now, blocks);
        let refusal = |part: &Branch<'e>| {
            let text = format!("{gateway} routes to the blocks of {vpc} only");
            let blocker = Self::blocker(part, BlockerKind::VpnGatewayUnusable, gateway, text);
            Blocker { evidence: row.evidence.clone(), ..blocker }
        };
        let Some(mut branch) = Self::keep(branch, parts, HopKind::VpnGateway, refusal, done) else { return };
        branch.hops.push(pass_hop(
            branch.leg,
            HopKind::VpnGateway,
            gateway,
            format!("into {vpc}"),
            row.evidence.clone(),
        ));
        self.deliver_in_vpc(branch, vpc, None, done);
    }
}

/// The packets to one of the blocks, and the others.
fn by_blocks(packets: &PacketSet, blocks: impl IntoIterator<Item = Span<u128>>) -> (PacketSet, PacketSet) {
    let mut inside = PacketSet::default();
    let mut outside = packets.clone();
    for span in blocks {
        inside.join_disjoint(outside.take(&Cube::between(ANYWHERE, span)));
    }
    (inside, outside)
}
