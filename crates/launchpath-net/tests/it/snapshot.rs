//! A small loader of saved describe outputs: every JSON file below a folder, recognised by its top-level member.

use std::path::{Path, PathBuf};

use launchpath_model::EvidenceId;
use launchpath_model::ids::VpcId;
use launchpath_model::world::Network;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Public question sets and snapshots; tests that need them say that they are skipped where the folder is missing.
pub fn shared_data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is missing", path.display());
    None
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "json") {
            out.push(path);
        }
    }
}

pub fn load(folder: &Path) -> Network {
    let mut network = Network::default();
    let mut paths = Vec::new();
    files(folder, &mut paths);
    for (number, path) in paths.iter().enumerate() {
        let evidence = EvidenceId::from(format!("f{number}").as_str());
        let text = std::fs::read_to_string(path).unwrap();
        let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (key, value) in document.as_object().into_iter().flatten() {
            for row in value.as_array().into_iter().flatten() {
                add(&mut network, key, row, &evidence);
            }
        }
    }
    network
}

fn read<T: DeserializeOwned>(row: &Value) -> T {
    serde_json::from_value(row.clone()).unwrap_or_else(|error| panic!("{error}: {row}"))
}

fn text(row: &Value, member: &str) -> String {
    row.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub fn add(network: &mut Network, key: &str, row: &Value, evidence: &EvidenceId) {
    macro_rules! tables {
        ($($name:literal => $table:ident by $id:literal),+ $(,)?) => {
            match key {
                $($name => {
                    network.$table.insert(text(row, $id).as_str().into(), read(row), evidence.clone());
                })+
                _ => return rest(network, key, row, evidence),
            }
        };
    }
    if key == "Subnets" && network.region.is_none() {
        let zone = text(row, "AvailabilityZone");
        network.region = zone.get(..zone.len().saturating_sub(1)).map(Into::into);
    }
    tables! {
        "Vpcs" => vpcs by "VpcId",
        "Subnets" => subnets by "SubnetId",
        "RouteTables" => route_tables by "RouteTableId",
        "NetworkAcls" => network_acls by "NetworkAclId",
        "SecurityGroups" => security_groups by "GroupId",
        "PrefixLists" => prefix_lists by "PrefixListId",
        "VpcEndpoints" => vpc_endpoints by "VpcEndpointId",
        "NatGateways" => nat_gateways by "NatGatewayId",
        "InternetGateways" => internet_gateways by "InternetGatewayId",
        "EgressOnlyInternetGateways" => egress_only_internet_gateways by "EgressOnlyInternetGatewayId",
        "VpnGateways" => vpn_gateways by "VpnGatewayId",
        "NetworkInterfaces" => network_interfaces by "NetworkInterfaceId",
        "VpcPeeringConnections" => peering_connections by "VpcPeeringConnectionId",
        "TransitGateways" => transit_gateways by "TransitGatewayId",
        "TransitGatewayAttachments" => transit_gateway_attachments by "TransitGatewayAttachmentId",
        "TransitGatewayVpcAttachments" => transit_gateway_vpc_attachments by "TransitGatewayAttachmentId",
        "TransitGatewayRouteTables" => transit_gateway_route_tables by "TransitGatewayRouteTableId",
        "DhcpOptions" => dhcp_options by "DhcpOptionsId",
    }
}

fn rest(network: &mut Network, key: &str, row: &Value, evidence: &EvidenceId) {
    let table = || text(row, "TransitGatewayRouteTableId").as_str().into();
    match key {
        "Reservations" => {
            for instance in row["Instances"].as_array().into_iter().flatten() {
                let id = text(instance, "InstanceId");
                network.instances.insert(id.as_str().into(), read(instance), evidence.clone());
            }
        }
        "TransitGatewayStaticRoutes" => {
            network.transit_gateway_routes.insert(table(), read(&row["Routes"]), evidence.clone());
        }
        "TransitGatewayPropagations" => {
            let rows = read(&row["TransitGatewayRouteTablePropagations"]);
            network.transit_gateway_propagations.insert(table(), rows, evidence.clone());
        }
        "DnsSupport" => {
            let on = row["Value"].as_bool().unwrap_or_default();
            network.dns_support.insert(VpcId::from(text(row, "VpcId")), on, evidence.clone());
        }
        _ => {}
    }
}
