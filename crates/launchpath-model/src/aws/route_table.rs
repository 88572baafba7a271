//! Route tables.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTable.html>

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use crate::ids::{
    EgressOnlyInternetGatewayId, InstanceId, NatGatewayId, NetworkInterfaceId, PeeringConnectionId,
    PrefixListId, RouteTableId, SubnetId, TransitGatewayId, VpcId, VpnGatewayId,
};

/// A route table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RouteTable {
    /// Its id.
    pub route_table_id: RouteTableId,
    /// Its VPC.
    pub vpc_id: VpcId,
    /// Subnets and gateways that use it, and whether it is the main table.
    pub associations: Option<Vec<Association>>,
    /// Its routes.
    pub routes: Option<Vec<Route>>,
    /// Virtual private gateways whose learned routes are copied into the table.
    pub propagating_vgws: Option<Vec<PropagatingVgw>>,
}

/// A virtual private gateway that propagates its routes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PropagatingVgw {
    /// The gateway.
    pub gateway_id: VpnGatewayId,
}

/// Who uses a route table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Association {
    /// True: subnets without an association of their own use this table.
    pub main: Option<bool>,
    /// The subnet, for a subnet association.
    pub subnet_id: Option<SubnetId>,
    /// The gateway, for an ingress (edge) association.
    pub gateway_id: Option<String>,
}

/// One route. Exactly one destination and, normally, one target is set.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Route {
    /// IPv4 destination.
    pub destination_cidr_block: Option<Ipv4Net>,
    /// IPv6 destination.
    pub destination_ipv6_cidr_block: Option<Ipv6Net>,
    /// Prefix-list destination.
    pub destination_prefix_list_id: Option<PrefixListId>,
    /// `local`, `igw-…`, `vgw-…` or, for gateway endpoints and gateway load balancer endpoints, `vpce-…`.
    pub gateway_id: Option<String>,
    /// A NAT gateway.
    pub nat_gateway_id: Option<NatGatewayId>,
    /// A transit gateway.
    pub transit_gateway_id: Option<TransitGatewayId>,
    /// An egress-only internet gateway.
    pub egress_only_internet_gateway_id: Option<EgressOnlyInternetGatewayId>,
    /// A peering connection.
    pub vpc_peering_connection_id: Option<PeeringConnectionId>,
    /// An instance.
    pub instance_id: Option<InstanceId>,
    /// An interface.
    pub network_interface_id: Option<NetworkInterfaceId>,
    /// A carrier gateway.
    pub carrier_gateway_id: Option<String>,
    /// A local gateway (Outposts).
    pub local_gateway_id: Option<String>,
    /// A core network (Cloud WAN).
    pub core_network_arn: Option<String>,
    /// `active` or `blackhole`.
    pub state: Option<String>,
    /// `CreateRouteTable`, `CreateRoute` or `EnableVgwRoutePropagation`.
    pub origin: Option<String>,
}
