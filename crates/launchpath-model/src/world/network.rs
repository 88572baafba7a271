//! The network half of the world: what `launchpath-net` walks.

use crate::aws::dns_profile::{DnsProfileAssociation, DnsProfileResource};
use crate::aws::gateway::{EgressOnlyInternetGateway, InternetGateway, NatGateway, VpnGateway};
use crate::aws::hosted_zone::{HostedZone, ResourceRecordSet};
use crate::aws::instance::Instance;
use crate::aws::network_acl::NetworkAcl;
use crate::aws::network_interface::NetworkInterface;
use crate::aws::peering::PeeringConnection;
use crate::aws::prefix_list::{PrefixList, PrefixListEntry};
use crate::aws::resolver_rule::{ResolverRule, ResolverRuleAssociation};
use crate::aws::route_table::RouteTable;
use crate::aws::security_group::SecurityGroup;
use crate::aws::transit_gateway::{
    TransitGateway, TransitGatewayAttachment, TransitGatewayPropagation, TransitGatewayRoute,
    TransitGatewayRouteTable, TransitGatewayVpcAttachment,
};
use crate::aws::vpc::{AvailabilityZone, DhcpOptions, Subnet, Vpc};
use crate::aws::vpc_endpoint::VpcEndpoint;
use crate::ids::{
    DhcpOptionsId, DnsProfileId, EgressOnlyInternetGatewayId, HostedZoneId, InstanceId, InternetGatewayId,
    NatGatewayId, NetworkAclId, NetworkInterfaceId, PeeringConnectionId, PrefixListId, Region,
    ResolverRuleId, RouteTableId, SecurityGroupId, SubnetId, TransitGatewayAttachmentId, TransitGatewayId,
    TransitGatewayRouteTableId, VpcEndpointId, VpcId, VpnGatewayId,
};
use crate::table::Table;

/// VPCs and all that decides where their packets go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// The Region all of it lies in; names of AWS services depend on it.
    pub region: Option<Region>,
    /// VPCs.
    pub vpcs: Table<VpcId, Vpc>,
    /// The VPC attribute `enableDnsSupport`.
    pub dns_support: Table<VpcId, bool>,
    /// The VPC attribute `enableDnsHostnames`.
    pub dns_hostnames: Table<VpcId, bool>,
    /// DHCP option sets.
    pub dhcp_options: Table<DhcpOptionsId, DhcpOptions>,
    /// Subnets.
    pub subnets: Table<SubnetId, Subnet>,
    /// Availability Zones, by zone name.
    pub availability_zones: Table<String, AvailabilityZone>,
    /// Route tables.
    pub route_tables: Table<RouteTableId, RouteTable>,
    /// Network ACLs.
    pub network_acls: Table<NetworkAclId, NetworkAcl>,
    /// Security groups.
    pub security_groups: Table<SecurityGroupId, SecurityGroup>,
    /// Prefix lists.
    pub prefix_lists: Table<PrefixListId, PrefixList>,
    /// Entries of prefix lists.
    pub prefix_list_entries: Table<PrefixListId, Vec<PrefixListEntry>>,
    /// VPC endpoints.
    pub vpc_endpoints: Table<VpcEndpointId, VpcEndpoint>,
    /// NAT gateways.
    pub nat_gateways: Table<NatGatewayId, NatGateway>,
    /// Internet gateways.
    pub internet_gateways: Table<InternetGatewayId, InternetGateway>,
    /// Egress-only internet gateways.
    pub egress_only_internet_gateways: Table<EgressOnlyInternetGatewayId, EgressOnlyInternetGateway>,
    /// Virtual private gateways.
    pub vpn_gateways: Table<VpnGatewayId, VpnGateway>,
    /// Network interfaces.
    pub network_interfaces: Table<NetworkInterfaceId, NetworkInterface>,
    /// Instances.
    pub instances: Table<InstanceId, Instance>,
    /// Peering connections.
    pub peering_connections: Table<PeeringConnectionId, PeeringConnection>,
    /// Transit gateways.
    pub transit_gateways: Table<TransitGatewayId, TransitGateway>,
    /// Attachments of transit gateways.
    pub transit_gateway_attachments: Table<TransitGatewayAttachmentId, TransitGatewayAttachment>,
    /// VPC attachments with their subnets.
    pub transit_gateway_vpc_attachments: Table<TransitGatewayAttachmentId, TransitGatewayVpcAttachment>,
    /// Transit gateway route tables.
    pub transit_gateway_route_tables: Table<TransitGatewayRouteTableId, TransitGatewayRouteTable>,
    /// Routes of transit gateway route tables.
    pub transit_gateway_routes: Table<TransitGatewayRouteTableId, Vec<TransitGatewayRoute>>,
    /// Propagations of transit gateway route tables, where the routes themselves were not searched.
    pub transit_gateway_propagations: Table<TransitGatewayRouteTableId, Vec<TransitGatewayPropagation>>,
    /// Private hosted zones, by VPC and zone.
    pub hosted_zones: Table<(VpcId, HostedZoneId), HostedZone>,
    /// Route 53 Profiles in use, by VPC and profile.
    pub dns_profiles: Table<(VpcId, DnsProfileId), DnsProfileAssociation>,
    /// What a Route 53 Profile holds.
    pub dns_profile_resources: Table<DnsProfileId, Vec<DnsProfileResource>>,
    /// Rules of the Route 53 Resolver.
    pub resolver_rules: Table<ResolverRuleId, ResolverRule>,
    /// Rules in use, by VPC and rule.
    pub resolver_rule_associations: Table<(VpcId, ResolverRuleId), ResolverRuleAssociation>,
    /// Record sets, by zone.
    pub record_sets: Table<HostedZoneId, Vec<ResourceRecordSet>>,
}
