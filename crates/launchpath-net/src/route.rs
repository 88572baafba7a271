//! Route tables: which route a destination takes, exactly, for sets of destinations.
//!
//! AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html>: the longest prefix wins; for
//! equal prefixes a static route beats a prefix-list route, and both beat a propagated one.

use std::collections::BTreeMap;

use launchpath_model::aws::route_table::{Route, RouteTable};
use launchpath_model::ids::{PrefixListId, RouteTableId};
use launchpath_model::{EvidenceId, Row};

use crate::index::Entries;
use crate::span::{ANY_V6, Span, v4_block, v6_block};

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteTarget<'a> {
    Local,
    InternetGateway(&'a str),
    EgressOnly(&'a str),
    Nat(&'a str),
    Endpoint(&'a str),
    VpnGateway(&'a str),
    TransitGateway(&'a str),
    Peering(&'a str),
    Interface(&'a str),
    Instance(&'a str),
    /// Carrier, local gateway, core network: beyond this model.
    Other(&'a str),
    /// The document names none.
    Nowhere,
}

impl<'a> RouteTarget<'a> {
    pub(crate) fn id(self) -> &'a str {
        match self {
            Self::Local => "local",
            Self::InternetGateway(id)
            | Self::EgressOnly(id)
            | Self::Nat(id)
            | Self::Endpoint(id)
            | Self::VpnGateway(id)
            | Self::TransitGateway(id)
            | Self::Peering(id)
            | Self::Interface(id)
            | Self::Instance(id)
            | Self::Other(id) => id,
            Self::Nowhere => "no target",
        }
    }
}

/// One route to a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRoute<'a> {
    pub(crate) span: Span<u128>,
    /// Prefix length on the 128-bit line: an IPv4 /n is 96 + n.
    pub(crate) length: u8,
    pub(crate) route: &'a Route,
    priority: u8,
}

/// The priority of routes to prefix lists, after static ones (1).
const OF_A_LIST: u8 = 2;
/// The priority of propagated routes, after those.
const PROPAGATED: u8 = 3;

/// The routes of a table, most preferred first; routes of prefix lists whose entries are not known apart.
#[derive(Clone, Debug)]
pub(crate) struct RouteList<'a> {
    pub(crate) id: &'a RouteTableId,
    pub(crate) evidence: &'a [EvidenceId],
    pub(crate) blocks: Option<Vec<BlockRoute<'a>>>,
    pub(crate) lists: Vec<(&'a PrefixListId, &'a Route)>,
}

impl<'a> RouteList<'a> {
    pub(crate) fn new(
        id: &'a RouteTableId,
        row: &'a Row<RouteTable>,
        entries_of: &BTreeMap<PrefixListId, Entries>,
    ) -> Self {
        let evidence = row.evidence.as_slice();
        let Some(routes) = &row.value.routes else {
            return Self { id, evidence, blocks: None, lists: Vec::new() };
        };
        let mut blocks = Vec::with_capacity(routes.len());
        let mut lists = Vec::new();
        for route in routes {
            let priority = match route.origin.as_deref() {
                Some("CreateRouteTable") => 0,
                Some("EnableVgwRoutePropagation") => PROPAGATED,
                _ => 1,
            };
            if let Some(block) = route.destination_cidr_block {
                let length = 96 + block.prefix_len();
                blocks.push(BlockRoute { span: v4_block(block), length, route, priority });
            } else if let Some(block) = route.destination_ipv6_cidr_block {
                if block.prefix_len() == 0 {
                    blocks.extend(ANY_V6.map(|span| BlockRoute { span, length: 0, route, priority }));
                } else {
                    let length = block.prefix_len();
                    blocks.push(BlockRoute { span: v6_block(block), length, route, priority });
                }
            } else if let Some(list) = &route.destination_prefix_list_id {
                match entries_of.get(list) {
                    Some((entries, _)) => blocks.extend(entries.iter().map(|span| {
                        #[expect(clippy::cast_possible_truncation, reason = "at most 128")]
                        let length = 128 - (span.last - span.first).count_ones() as u8;
                        BlockRoute { span: *span, length, route, priority: OF_A_LIST }
                    })),
                    None => lists.push((list, route)),
                }
            }
        }
        // AWS: the local route beats propagated routes, even more specific ones
        // (https://docs.aws.amazon.com/vpn/latest/s2svpn/vpn-route-priority.html).
        let local: Vec<Span<u128>> =
            blocks.iter().filter(|b| target(b.route) == RouteTarget::Local).map(|b| b.span).collect();
        blocks.retain(|b| b.priority < PROPAGATED || !local.iter().any(|span| span.covers(b.span)));
        sort(&mut blocks);
        Self { id, evidence, blocks: Some(blocks), lists }
    }

    /// The block routes with the ranges of other lists among them, each of which counts as a block of the given length; most
    /// preferred first.
    pub(crate) fn with_ranges(
        &self,
        length: u8,
        ranges: impl Iterator<Item = (Span<u128>, &'a Route)>,
    ) -> Option<Vec<BlockRoute<'a>>> {
        let mut blocks = self.blocks.clone()?;
        blocks.extend(ranges.map(|(span, route)| BlockRoute { span, length, route, priority: OF_A_LIST }));
        sort(&mut blocks);
        Some(blocks)
    }
}

fn sort(blocks: &mut [BlockRoute<'_>]) {
    blocks.sort_by_key(|b| (std::cmp::Reverse(b.length), b.priority));
}

/// Where the route leads.
pub(crate) fn target(route: &Route) -> RouteTarget<'_> {
    if let Some(id) = &route.nat_gateway_id {
        return RouteTarget::Nat(id.as_str());
    }
    if let Some(id) = &route.transit_gateway_id {
        return RouteTarget::TransitGateway(id.as_str());
    }
    if let Some(id) = &route.egress_only_internet_gateway_id {
        return RouteTarget::EgressOnly(id.as_str());
    }
    if let Some(id) = &route.vpc_peering_connection_id {
        return RouteTarget::Peering(id.as_str());
    }
    if let Some(id) = &route.network_interface_id {
        return RouteTarget::Interface(id.as_str());
    }
    if let Some(id) = &route.instance_id {
        return RouteTarget::Instance(id.as_str());
    }
    let other = [&route.carrier_gateway_id, &route.local_gateway_id, &route.core_network_arn];
    if let Some(id) = other.into_iter().flatten().next() {
        return RouteTarget::Other(id);
    }
    let Some(gateway) = route.gateway_id.as_deref() else {
        return RouteTarget::Nowhere;
    };
    match gateway.split('-').next().unwrap_or_default() {
        "local" => RouteTarget::Local,
        "igw" => RouteTarget::InternetGateway(gateway),
        "vgw" => RouteTarget::VpnGateway(gateway),
        "vpce" => RouteTarget::Endpoint(gateway),
        "eigw" => RouteTarget::EgressOnly(gateway),
        "nat" => RouteTarget::Nat(gateway),
        "tgw" => RouteTarget::TransitGateway(gateway),
        "pcx" => RouteTarget::Peering(gateway),
        _ => RouteTarget::Other(gateway),
    }
}

/// The route's destination as written.
pub(crate) fn destination_text(route: &Route) -> String {
    if let Some(block) = route.destination_cidr_block {
        return block.to_string();
    }
    if let Some(block) = route.destination_ipv6_cidr_block {
        return block.to_string();
    }
    route.destination_prefix_list_id.as_ref().map(ToString::to_string).unwrap_or_default()
}
