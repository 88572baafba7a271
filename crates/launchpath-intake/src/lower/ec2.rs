//! EC2: VPCs and everything in them.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Operations.html>

use launchpath_model::aws::instance::Instance;
use launchpath_model::aws::prefix_list::{PrefixList, PrefixListEntry};
use launchpath_model::aws::transit_gateway::{TransitGatewayPropagation, TransitGatewayRoute};
use launchpath_model::aws::vpc_endpoint::VpcEndpoint;
use launchpath_model::ids::{PrefixListId, TransitGatewayRouteTableId, VpcId};
use launchpath_model::query::Read;
use launchpath_model::table::Table;
use launchpath_model::world::Network;
use serde::Deserialize;
use serde_json::{Value, json};

use super::document::decode;
use super::{Lowered, Recorded, fill};
use crate::error::IntakeError;

pub(super) fn lower(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "DescribeVpcs" => fill(&mut net.vpcs, call, "Vpcs", "VpcId", |row| row.vpc_id.clone()),
        "DescribeVpcAttribute" => vpc_attribute(net, call),
        "DescribeDhcpOptions" => fill(&mut net.dhcp_options, call, "DhcpOptions", "DhcpOptionsId", |row| {
            row.dhcp_options_id.clone()
        }),
        "DescribeSubnets" => fill(&mut net.subnets, call, "Subnets", "SubnetId", |row| row.subnet_id.clone()),
        "DescribeAvailabilityZones" => {
            fill(&mut net.availability_zones, call, "AvailabilityZones", "ZoneName", |row| {
                row.zone_name.clone()
            })
        }
        "DescribeRouteTables" => {
            fill(&mut net.route_tables, call, "RouteTables", "RouteTableId", |row| row.route_table_id.clone())
        }
        "DescribeNetworkAcls" => {
            fill(&mut net.network_acls, call, "NetworkAcls", "NetworkAclId", |row| row.network_acl_id.clone())
        }
        "DescribeSecurityGroups" => {
            fill(&mut net.security_groups, call, "SecurityGroups", "GroupId", |row| row.group_id.clone())
        }
        "DescribeManagedPrefixLists" => {
            fill(&mut net.prefix_lists, call, "PrefixLists", "PrefixListId", |row| row.prefix_list_id.clone())
        }
        "DescribePrefixLists" => prefix_lists(net, call),
        "GetManagedPrefixListEntries" => prefix_list_entries(net, call),
        "DescribeVpcEndpoints" => vpc_endpoints(net, call),
        "DescribeNatGateways" => {
            fill(&mut net.nat_gateways, call, "NatGateways", "NatGatewayId", |row| row.nat_gateway_id.clone())
        }
        "DescribeInternetGateways" => {
            fill(&mut net.internet_gateways, call, "InternetGateways", "InternetGatewayId", |row| {
                row.internet_gateway_id.clone()
            })
        }
        "DescribeEgressOnlyInternetGateways" => fill(
            &mut net.egress_only_internet_gateways,
            call,
            "EgressOnlyInternetGateways",
            "EgressOnlyInternetGatewayId",
            |row| row.egress_only_internet_gateway_id.clone(),
        ),
        "DescribeVpnGateways" => {
            fill(&mut net.vpn_gateways, call, "VpnGateways", "VpnGatewayId", |row| row.vpn_gateway_id.clone())
        }
        "DescribeNetworkInterfaces" => {
            fill(&mut net.network_interfaces, call, "NetworkInterfaces", "NetworkInterfaceId", |row| {
                row.network_interface_id.clone()
            })
        }
        "DescribeInstances" => instances(net, call),
        "DescribeVpcPeeringConnections" => fill(
            &mut net.peering_connections,
            call,
            "VpcPeeringConnections",
            "VpcPeeringConnectionId",
            |row| row.vpc_peering_connection_id.clone(),
        ),
        "DescribeTransitGateways" => {
            fill(&mut net.transit_gateways, call, "TransitGateways", "TransitGatewayId", |row| {
                row.transit_gateway_id.clone()
            })
        }
        "DescribeTransitGatewayAttachments" => fill(
            &mut net.transit_gateway_attachments,
            call,
            "TransitGatewayAttachments",
            "TransitGatewayAttachmentId",
            |row| row.transit_gateway_attachment_id.clone(),
        ),
        "DescribeTransitGatewayVpcAttachments" => fill(
            &mut net.transit_gateway_vpc_attachments,
            call,
            "TransitGatewayVpcAttachments",
            "TransitGatewayAttachmentId",
            |row| row.transit_gateway_attachment_id.clone(),
        ),
        "DescribeTransitGatewayRouteTables" => fill(
            &mut net.transit_gateway_route_tables,
            call,
            "TransitGatewayRouteTables",
            "TransitGatewayRouteTableId",
            |row| row.transit_gateway_route_table_id.clone(),
        ),
        "SearchTransitGatewayRoutes" => transit_gateway_routes(net, call),
        "GetTransitGatewayRouteTablePropagations" => transit_gateway_propagations(net, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

/// A boolean attribute of a VPC as EC2 wraps it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attribute {
    value: Option<bool>,
}

/// Each attribute is asked for by itself: a read of one says nothing about the other.
fn vpc_attribute(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let vpc = call.text("VpcId").or_else(|| call.asked("VpcId")).map(VpcId::from);
    let asked = call.asked("Attribute");
    for (attribute, member, table) in [
        ("enableDnsSupport", "EnableDnsSupport", &mut net.dns_support),
        ("enableDnsHostnames", "EnableDnsHostnames", &mut net.dns_hostnames),
    ] {
        let value = call.object::<Attribute>(member)?.and_then(|attribute| attribute.value);
        match (value, &vpc) {
            (Some(value), Some(vpc)) => {
                table.insert(vpc.clone(), value, call.evidence.id.clone());
                table.record(call.read(1));
            }
            (Some(_), None) => return Ok(Lowered::NoKey("which VPC the attribute belongs to")),
            (None, _) if asked == Some(attribute) || (asked.is_none() && !call.is_ok()) => {
                table.record(call.read_without(member));
            }
            (None, _) => {}
        }
    }
    Ok(Lowered::Done)
}

/// AWS: DescribePrefixLists shows the lists of AWS services only,
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribePrefixLists.html>
fn prefix_lists(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let read = |read: Read| {
        let mut read = read;
        if let Some(Value::Object(members)) = &mut read.call_mut().request {
            let filters = members.entry("Filters").or_insert_with(|| json!([]));
            if let Value::Array(filters) = filters {
                filters.push(json!({ "Name": "owner-id", "Values": ["AWS"] }));
            }
        }
        read
    };
    let Some(rows) = call.rows::<PrefixList>("PrefixLists", "PrefixListId")? else {
        net.prefix_lists.record(read(call.read_without("PrefixLists")));
        net.prefix_list_entries.record(read(call.read_without("PrefixLists")));
        return Ok(Lowered::Done);
    };
    let id = &call.evidence.id;
    net.prefix_lists.record(read(call.read(rows.len())));
    net.prefix_list_entries.record(read(call.read(rows.len())));
    for row in rows {
        if let Some(blocks) = &row.cidrs {
            let entries = blocks.iter().map(|&cidr| PrefixListEntry { cidr }).collect();
            net.prefix_list_entries.insert(row.prefix_list_id.clone(), entries, id.clone());
        }
        // DescribeManagedPrefixLists knows owner and family, this operation does not.
        let known = net.prefix_lists.seen(&row.prefix_list_id).map(|known| known.value.clone());
        let merged = match known {
            Some(known) => PrefixList { cidrs: row.cidrs.or(known.cidrs.clone()), ..known },
            None => row,
        };
        net.prefix_lists.insert(merged.prefix_list_id.clone(), merged, id.clone());
    }
    Ok(Lowered::Done)
}

fn prefix_list_entries(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut net.prefix_list_entries;
    let Some(rows) = call.rows::<PrefixListEntry>("Entries", "Cidr")? else {
        table.record(call.read_without("Entries"));
        return Ok(Lowered::Done);
    };
    let lists = net.prefix_lists.iter().map(|(id, _)| id.as_str());
    table.record(call.read(rows.len()));
    let Some(list) = call.asked("PrefixListId").or_else(|| call.only_one_of(lists)).map(PrefixListId::from)
    else {
        return Ok(Lowered::NoKey("which prefix list the entries belong to"));
    };
    table.insert(list, rows, call.evidence.id.clone());
    Ok(Lowered::Done)
}

fn vpc_endpoints(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut net.vpc_endpoints;
    let Some(rows) = call.rows::<VpcEndpoint>("VpcEndpoints", "VpcEndpointId")? else {
        table.record(call.read_without("VpcEndpoints"));
        return Ok(Lowered::Done);
    };
    table.record(call.read(rows.len()));
    for mut row in rows {
        row.policy_document = row.policy_document.map(decode);
        table.insert(row.vpc_endpoint_id.clone(), row, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Reservation {
    instances: Vec<Instance>,
}

fn instances(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table: &mut Table<_, Instance> = &mut net.instances;
    let Some(reservations) = call.objects::<Reservation>("Reservations")? else {
        table.record(call.read_without("Reservations"));
        return Ok(Lowered::Done);
    };
    table.record(call.read(reservations.iter().map(|reservation| reservation.instances.len()).sum()));
    for (at, reservation) in reservations.into_iter().enumerate() {
        for (index, instance) in reservation.instances.into_iter().enumerate() {
            if instance.instance_id.as_str().is_empty() {
                let place = call.place.member("Reservations").index(at).member("Instances").index(index);
                return Err(place.error("a member `InstanceId`", "none"));
            }
            table.insert(instance.instance_id.clone(), instance, call.evidence.id.clone());
        }
    }
    Ok(Lowered::Done)
}

/// Several searches may each bring a part of a table; the parts are put together.
fn transit_gateway_routes(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(routes) = call.objects::<TransitGatewayRoute>("Routes")? else {
        net.transit_gateway_routes.record(call.read_without("Routes"));
        return Ok(Lowered::Done);
    };
    net.transit_gateway_routes.record(call.read(routes.len()));
    let Some(id) = transit_gateway_route_table(net, call) else {
        return Ok(Lowered::NoKey("which transit gateway route table the routes belong to"));
    };
    let table = &mut net.transit_gateway_routes;
    let mut all = table.seen(&id).map(|row| row.value.clone()).unwrap_or_default();
    let is_part = call.evidence.request_member("Filters").is_some_and(selects_a_part);
    for route in routes {
        if !all.contains(&route) {
            all.push(route);
        }
    }
    if !all.is_empty() || !is_part {
        table.insert(id, all, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

/// Snapshots of other tools name the table beside the answer; AWS names it in the request only.
fn transit_gateway_route_table(net: &Network, call: &Recorded) -> Option<TransitGatewayRouteTableId> {
    let known = net.transit_gateway_route_tables.iter().map(|(id, _)| id.as_str());
    let named = call.asked("TransitGatewayRouteTableId").or_else(|| call.text("TransitGatewayRouteTableId"));
    named.or_else(|| call.only_one_of(known)).map(TransitGatewayRouteTableId::from)
}

fn transit_gateway_propagations(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    const MEMBER: &str = "TransitGatewayRouteTablePropagations";
    let Some(rows) = call.objects::<TransitGatewayPropagation>(MEMBER)? else {
        net.transit_gateway_propagations.record(call.read_without(MEMBER));
        return Ok(Lowered::Done);
    };
    net.transit_gateway_propagations.record(call.read(rows.len()));
    let Some(id) = transit_gateway_route_table(net, call) else {
        return Ok(Lowered::NoKey("which transit gateway route table the propagations belong to"));
    };
    net.transit_gateway_propagations.insert(id, rows, call.evidence.id.clone());
    Ok(Lowered::Done)
}

/// The operation demands a filter; those that let every route through select no part.
fn selects_a_part(filters: &Value) -> bool {
    let everything = |filter: &Value| {
        let values: Vec<&str> = filter
            .get("Values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        match filter.get("Name").and_then(Value::as_str) {
            Some("type") => values.contains(&"static") && values.contains(&"propagated"),
            Some("state") => values.contains(&"active") && values.contains(&"blackhole"),
            _ => false,
        }
    };
    !filters.as_array().is_some_and(|filters| filters.iter().all(everything))
}
