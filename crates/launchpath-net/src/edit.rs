//! Edits: the smallest change that opens one element, as data, and their application to a copy of the world.
//!
//! An edit says what to change, never how to say it in a shell: renderings belong to the report. [`Edit::apply`]
//! performs it on a [`Network`] in memory, so that a fix is proven before it is shown.

use ipnet::{IpNet, Ipv4Net};
use launchpath_model::EvidenceId;
use launchpath_model::aws::network_acl::AclEntry;
use launchpath_model::aws::route_table::{Association, Route};
use launchpath_model::aws::security_group::{
    GroupIdentifier, GroupPair, IpPermission, IpRange, Ipv6Range, PortRange, PrefixListReference,
};
use launchpath_model::aws::vpc_endpoint::{EndpointType, VpcEndpoint};
use launchpath_model::ids::{
    NetworkAclId, PrefixListId, RouteTableId, SecurityGroupId, SubnetId, VpcEndpointId, VpcId,
};
use launchpath_model::world::Network;
use serde::Serialize;
use thiserror::Error;

use crate::answer::Direction;

/// Whom a new security group rule admits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Members of a group.
    Group(SecurityGroupId),
    /// A block of addresses.
    Block(IpNet),
    /// The entries of a prefix list.
    PrefixList(PrefixListId),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Group(id) => id.fmt(f),
            Self::Block(block) => block.fmt(f),
            Self::PrefixList(id) => id.fmt(f),
        }
    }
}

/// What a new route matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteDestination {
    /// A block.
    Block(IpNet),
    /// A prefix list.
    PrefixList(PrefixListId),
}

/// The VPC attributes that DNS depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsAttribute {
    /// `enableDnsSupport`.
    Support,
    /// `enableDnsHostnames`.
    Hostnames,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// A rule more in a security group.
    AddGroupRule {
        /// The group.
        group: SecurityGroupId,
        /// Inbound or outbound.
        direction: Direction,
        /// IANA protocol number.
        protocol: u8,
        /// Ports, or ICMP type and code; `None` for protocols without ports.
        ports: Option<(u16, u16)>,
        /// Whom it admits.
        peer: Peer,
    },
    /// An allow rule before the rule that denies.
    AddAclRule {
        /// The ACL.
        acl: NetworkAclId,
        /// Into or out of the subnet.
        direction: Direction,
        /// The rule's number, free and before the denying rule.
        number: i64,
        /// IANA protocol number.
        protocol: u8,
        /// Ports; `None` for protocols without ports.
        ports: Option<(u16, u16)>,
        /// The peer's block.
        block: IpNet,
    },
    /// A route more, or another target of the existing one.
    SetRoute {
        /// The table.
        table: RouteTableId,
        /// What it matches.
        destination: RouteDestination,
        /// The target's id: `nat-…`, `tgw-…`, `igw-…`, `vpce-…`.
        target: String,
    },
    /// A gateway endpoint's route in one more table.
    AssociateGatewayEndpoint {
        /// The endpoint.
        endpoint: VpcEndpointId,
        /// The table.
        table: RouteTableId,
    },
    /// A VPC attribute switched on.
    EnableDns {
        /// The VPC.
        vpc: VpcId,
        /// Which attribute.
        attribute: DnsAttribute,
    },
    /// Private DNS of an interface endpoint switched on.
    EnablePrivateDns {
        /// The endpoint.
        endpoint: VpcEndpointId,
    },
    /// A new endpoint: interfaces in subnets with groups, or a route in tables.
    CreateEndpoint {
        /// The VPC.
        vpc: VpcId,
        /// The full service name, for example `com.amazonaws.us-east-1.ecr.api`.
        service: String,
        /// Subnets of an interface endpoint; empty for a gateway endpoint.
        subnets: Vec<SubnetId>,
        /// Groups of an interface endpoint; empty for a gateway endpoint.
        groups: Vec<SecurityGroupId>,
        /// Route tables of a gateway endpoint; empty for an interface endpoint.
        tables: Vec<RouteTableId>,
    },
}

/// Why an edit cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// The element it changes is not in the world.
    #[error("{0} is not in the evidence")]
    NotSeen(String),
}

/// The evidence id of what an edit made: no call shows it.
pub const PROPOSED: &str = "proposed";

impl Edit {
    /// The id of the element it changes, or of the VPC it adds to.
    pub fn subject(&self) -> &str {
        match self {
            Self::AddGroupRule { group, .. } => group.as_str(),
            Self::AddAclRule { acl, .. } => acl.as_str(),
            Self::SetRoute { table, .. } => table.as_str(),
            Self::AssociateGatewayEndpoint { endpoint, .. } | Self::EnablePrivateDns { endpoint } => {
                endpoint.as_str()
            }
            Self::EnableDns { vpc, .. } | Self::CreateEndpoint { vpc, .. } => vpc.as_str(),
        }
    }

    /// Performs it on `network`, meant to be a copy of the world.
    pub fn apply(&self, network: &mut Network) -> Result<(), EditError> {
        match self {
            Self::AddGroupRule { group, direction, protocol, ports, peer } => {
                let row = network
                    .security_groups
                    .seen_mut(group)
                    .ok_or_else(|| EditError::NotSeen(group.to_string()))?;
                let rules = match direction {
                    Direction::Ingress => &mut row.value.ip_permissions,
                    Direction::Egress => &mut row.value.ip_permissions_egress,
                };
                rules.get_or_insert_default().push(permission(*protocol, *ports, peer));
            }
            Self::AddAclRule { acl, direction, number, protocol, ports, block } => {
                let row =
                    network.network_acls.seen_mut(acl).ok_or_else(|| EditError::NotSeen(acl.to_string()))?;
                let (v4, v6) = families(*block);
                let entries = row.value.entries.get_or_insert_default();
                // Several edits may want the number in front of the same rule: the next free one serves as well.
                let egress = *direction == Direction::Egress;
                let taken = |n: i64| entries.iter().any(|e| e.egress == egress && e.rule_number == n);
                let number = (1..=*number).rev().find(|n| !taken(*n)).unwrap_or(*number);
                entries.push(AclEntry {
                    rule_number: number,
                    egress,
                    protocol: protocol.to_string(),
                    rule_action: "allow".to_owned(),
                    cidr_block: v4,
                    ipv6_cidr_block: v6,
                    port_range: ports.map(|(from, to)| PortRange { from: from.into(), to: to.into() }),
                    icmp_type_code: None,
                });
            }
            Self::SetRoute { table, destination, target } => {
                let row = network
                    .route_tables
                    .seen_mut(table)
                    .ok_or_else(|| EditError::NotSeen(table.to_string()))?;
                let new = route_to(destination, target);
                let routes = row.value.routes.get_or_insert_default();
                routes.retain(|route| !same_destination(route, &new));
                routes.push(new);
            }
            Self::AssociateGatewayEndpoint { endpoint, table } => associate(network, endpoint, table)?,
            Self::EnableDns { vpc, attribute } => {
                let values = match attribute {
                    DnsAttribute::Support => &mut network.dns_support,
                    DnsAttribute::Hostnames => &mut network.dns_hostnames,
                };
                values.insert(vpc.clone(), true, EvidenceId::from(PROPOSED));
            }
            Self::EnablePrivateDns { endpoint } => {
                let row = network
                    .vpc_endpoints
                    .seen_mut(endpoint)
                    .ok_or_else(|| EditError::NotSeen(endpoint.to_string()))?;
                row.value.private_dns_enabled = Some(true);
            }
            Self::CreateEndpoint { vpc, service, subnets, groups, tables } => {
                create_endpoint(network, vpc, service, subnets, groups, tables)?;
            }
        }
        Ok(())
    }
}

fn families(block: IpNet) -> (Option<Ipv4Net>, Option<ipnet::Ipv6Net>) {
    match block {
        IpNet::V4(v4) => (Some(v4), None),
        IpNet::V6(v6) => (None, Some(v6)),
    }
}

fn permission(protocol: u8, ports: Option<(u16, u16)>, peer: &Peer) -> IpPermission {
    let mut permission = IpPermission {
        ip_protocol: match protocol {
            1 => "icmp".to_owned(),
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            58 => "icmpv6".to_owned(),
            other => other.to_string(),
        },
        from_port: ports.map(|(from, _)| from.into()),
        to_port: ports.map(|(_, to)| to.into()),
        ..IpPermission::default()
    };
    match peer {
        Peer::Group(group) => permission
            .user_id_group_pairs
            .push(GroupPair { group_id: Some(group.clone()), ..GroupPair::default() }),
        Peer::Block(IpNet::V4(block)) => {
            permission.ip_ranges.push(IpRange { cidr_ip: Some(*block), description: None });
        }
        Peer::Block(IpNet::V6(block)) => permission.ipv6_ranges.push(Ipv6Range { cidr_ipv6: Some(*block) }),
        Peer::PrefixList(list) => {
            permission.prefix_list_ids.push(PrefixListReference { prefix_list_id: list.clone() });
        }
    }
    permission
}

fn route_to(destination: &RouteDestination, target: &str) -> Route {
    let mut route = Route { state: Some("active".to_owned()), ..Route::default() };
    match destination {
        RouteDestination::Block(IpNet::V4(block)) => route.destination_cidr_block = Some(*block),
        RouteDestination::Block(IpNet::V6(block)) => route.destination_ipv6_cidr_block = Some(*block),
        RouteDestination::PrefixList(list) => route.destination_prefix_list_id = Some(list.clone()),
    }
    match target.split('-').next().unwrap_or_default() {
        "nat" => route.nat_gateway_id = Some(target.into()),
        "tgw" => route.transit_gateway_id = Some(target.into()),
        "pcx" => route.vpc_peering_connection_id = Some(target.into()),
        "eigw" => route.egress_only_internet_gateway_id = Some(target.into()),
        "eni" => route.network_interface_id = Some(target.into()),
        _ => route.gateway_id = Some(target.to_owned()),
    }
    route
}

fn same_destination(a: &Route, b: &Route) -> bool {
    a.destination_cidr_block == b.destination_cidr_block
        && a.destination_ipv6_cidr_block == b.destination_ipv6_cidr_block
        && a.destination_prefix_list_id == b.destination_prefix_list_id
}

fn associate(network: &mut Network, endpoint: &VpcEndpointId, table: &RouteTableId) -> Result<(), EditError> {
    let row =
        network.vpc_endpoints.seen_mut(endpoint).ok_or_else(|| EditError::NotSeen(endpoint.to_string()))?;
    let tables = row.value.route_table_ids.get_or_insert_default();
    if !tables.contains(table) {
        tables.push(table.clone());
    }
    let service = row.value.service_name.clone();
    let list = crate::index::list_of_service(network, &service)
        .unwrap_or_else(|| PrefixListId::from(format!("pl-of-{service}")));
    Edit::SetRoute {
        table: table.clone(),
        destination: RouteDestination::PrefixList(list),
        target: endpoint.to_string(),
    }
    .apply(network)
}

fn create_endpoint(
    network: &mut Network,
    vpc: &VpcId,
    service: &str,
    subnets: &[SubnetId],
    groups: &[SecurityGroupId],
    tables: &[RouteTableId],
) -> Result<(), EditError> {
    let id = VpcEndpointId::from(format!("vpce-new-{}", service.rsplit('.').next().unwrap_or(service)));
    let gateway = !tables.is_empty();
    let endpoint = VpcEndpoint {
        vpc_endpoint_id: id.clone(),
        vpc_endpoint_type: Some(if gateway { EndpointType::Gateway } else { EndpointType::Interface }),
        vpc_id: vpc.clone(),
        service_name: service.to_owned(),
        state: Some("available".to_owned()),
        route_table_ids: Some(Vec::new()),
        subnet_ids: Some(subnets.to_vec()),
        groups: Some(
            groups.iter().map(|g| GroupIdentifier { group_id: g.clone(), group_name: None }).collect(),
        ),
        private_dns_enabled: Some(!gateway),
        network_interface_ids: Some(Vec::new()),
        ..VpcEndpoint::default()
    };
    network.vpc_endpoints.insert(id.clone(), endpoint, EvidenceId::from(PROPOSED));
    for table in tables {
        associate(network, &id, table)?;
    }
    Ok(())
}

/// The route table association that moves a subnet to another table: for proofs of such a fix.
pub fn move_subnet(network: &mut Network, subnet: &SubnetId, table: &RouteTableId) -> Result<(), EditError> {
    let ids: Vec<RouteTableId> = network.route_tables.iter().map(|(id, _)| id.clone()).collect();
    for id in ids {
        if let Some(row) = network.route_tables.seen_mut(&id) {
            row.value
                .associations
                .get_or_insert_default()
                .retain(|association| association.subnet_id.as_ref() != Some(subnet));
        }
    }
    let row = network.route_tables.seen_mut(table).ok_or_else(|| EditError::NotSeen(table.to_string()))?;
    row.value
        .associations
        .get_or_insert_default()
        .push(Association { subnet_id: Some(subnet.clone()), ..Association::default() });
    Ok(())
}
