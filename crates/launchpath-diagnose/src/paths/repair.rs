//! The repairs of a path fault: edits that open every element it blocks, in one way or another.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use launchpath_model::aws::vpc_endpoint::EndpointType;
use launchpath_model::ids::{RouteTableId, SecurityGroupId, SubnetId, VpcId};
use launchpath_net::edit::{Peer, RouteDestination};
use launchpath_net::{Direction, Edit};

use super::culprit::{Culprit, service_name};
use crate::case::Case;
use crate::diagnosis::Safety;
use crate::repair::{Change, Repair};

/// The repairs of one fault, the usual one first; none where no edit of the network is known to open it.
pub(super) fn repairs(case: &Case, code: &str, culprits: &[Culprit]) -> Vec<Repair> {
    let usual = repair(case, code, culprits);
    let by_nat = matches!(
        code,
        "net.missing_vpc_endpoint"
            | "net.s3_path_missing"
            | "net.public_subnet_no_nat"
            | "net.no_egress_route"
    )
    .then(|| default_route_to_nat(case, culprits))
    .flatten();
    usual.into_iter().chain(by_nat).collect()
}

/// A default route to a NAT gateway that the VPC has already.
fn default_route_to_nat(case: &Case, culprits: &[Culprit]) -> Option<Repair> {
    let vpc = vpc(case)?;
    let gateways = case.world.network.nat_gateways.iter().map(|(_, row)| &row.value);
    let nat = gateways.filter(|nat| nat.vpc_id.as_ref() == Some(&vpc)).find(|nat| {
        let public = nat.connectivity_type.as_deref().is_none_or(|kind| kind == "public");
        public && nat.state.as_deref() == Some("available")
    })?;
    let mut tables: Vec<RouteTableId> =
        culprits.iter().filter_map(|culprit| table_of(case, &vpc, &culprit.subnet)).collect();
    tables.sort();
    tables.dedup();
    let route = |table: RouteTableId| Edit::SetRoute {
        table,
        destination: RouteDestination::Block(EVERYWHERE),
        target: nat.nat_gateway_id.to_string(),
    };
    let changes: Vec<Change> = tables.into_iter().map(route).map(Change::Network).collect();
    let summary =
        format!("Route 0.0.0.0/0 of the runtime's subnets to the NAT gateway {}", nat.nat_gateway_id);
    (!changes.is_empty()).then(|| Repair::new(summary, Safety::Review, changes))
}

/// Every IPv4 address.
const EVERYWHERE: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));

/// The usual repair.
fn repair(case: &Case, code: &str, culprits: &[Culprit]) -> Option<Repair> {
    if let Some(repair) = endpoint_policies(case, culprits) {
        return Some(repair);
    }
    // Private DNS turns the service's name to the endpoint for the whole VPC: who is not admitted there loses the service.
    let (summary, safety, edits) = match code {
        "net.missing_vpc_endpoint" => {
            let edits = create_endpoints(case, culprits)?;
            ("Create the missing interface endpoints, with private DNS".to_owned(), Safety::Review, edits)
        }
        "net.s3_path_missing" => {
            let edits = s3_gateway(case, culprits)?;
            ("Give the subnets' route tables an S3 gateway endpoint".to_owned(), Safety::Safe, edits)
        }
        "net.public_subnet_no_nat" | "net.no_egress_route" => {
            let edits = create_endpoints(case, culprits)?;
            let summary = if code == "net.public_subnet_no_nat" {
                "Create endpoints for what the launch needs (or move the runtime to private subnets behind a NAT gateway)"
            } else {
                "Create endpoints for what the launch needs (or a default route to a NAT gateway)"
            };
            (summary.to_owned(), Safety::Review, edits)
        }
        _ => {
            let mut edits: Vec<Edit> = Vec::new();
            for edit in culprits.iter().filter_map(|culprit| culprit.edit.clone()) {
                if !edits.contains(&edit) {
                    edits.push(edit);
                }
            }
            let summary = match code {
                "net.endpoint_sg_blocks" => {
                    "Let the endpoint's security group admit the runtime's on port 443"
                }
                "net.runtime_sg_egress_blocks" => {
                    "Let the runtime's security group send to what the launch needs on port 443"
                }
                "net.nacl" => "Let the network ACL pass the requests and their answers on ephemeral ports",
                "net.dns_off" => "Switch on the VPC's DNS attributes, and private DNS on the endpoints",
                _ => return None,
            };
            (summary.to_owned(), if code == "net.dns_off" { Safety::Review } else { Safety::Safe }, edits)
        }
    };
    (!edits.is_empty())
        .then(|| Repair::new(summary, safety, edits.into_iter().map(Change::Network).collect()))
}

/// The policies of S3 endpoints, each with a statement more that lets image layers through.
fn endpoint_policies(case: &Case, culprits: &[Culprit]) -> Option<Repair> {
    let region = case.world.region.as_ref()?;
    let partition = case.world.partition.as_deref().unwrap_or("aws");
    let mut endpoints: Vec<&str> =
        culprits.iter().filter(|c| c.by_policy).map(|c| c.subject.as_str()).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    let mut changes = Vec::new();
    for endpoint in endpoints {
        let row = case.world.network.vpc_endpoints.seen(&endpoint.into())?;
        let mut document: serde_json::Value = match row.value.policy_document.as_ref()? {
            serde_json::Value::String(text) => serde_json::from_str(text).ok()?,
            other => other.clone(),
        };
        // AWS: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html
        document["Statement"].as_array_mut()?.push(serde_json::json!({
            "Sid": "AgentCoreImageLayers",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": format!("arn:{partition}:s3:::prod-{region}-starport-layer-bucket/*"),
        }));
        changes.push(Change::EndpointPolicy { endpoint: endpoint.into(), document });
    }
    let summary = "Let the endpoint's policy pass image layers: they are signed by a principal of AWS's own";
    (!changes.is_empty()).then(|| Repair::new(summary, Safety::Review, changes))
}

fn vpc(case: &Case) -> Option<VpcId> {
    case.vpc_id()
}

/// Endpoints for every service the culprits are about: interface endpoints in the runtime's subnets, S3 as a gateway.
fn create_endpoints(case: &Case, culprits: &[Culprit]) -> Option<Vec<Edit>> {
    let vpc = vpc(case)?;
    let config = case.vpc_config()?;
    let mut services: Vec<&str> = culprits.iter().map(|culprit| culprit.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    let mut edits = Vec::new();
    let groups = endpoint_groups(case, &vpc).unwrap_or_else(|| {
        // The runtime's own groups serve, once they admit themselves.
        let admit = |group: &SecurityGroupId| Edit::AddGroupRule {
            group: group.clone(),
            direction: Direction::Ingress,
            protocol: 6,
            ports: Some((443, 443)),
            peer: Peer::Group(group.clone()),
        };
        edits.extend(config.security_groups.first().map(admit));
        config.security_groups.iter().take(1).cloned().collect()
    });
    for service in services {
        if service == "s3" {
            edits.extend(s3_gateway(case, culprits)?);
            continue;
        }
        edits.push(Edit::CreateEndpoint {
            vpc: vpc.clone(),
            service: service_name(case, service),
            subnets: config.subnets.clone(),
            groups: groups.clone(),
            tables: Vec::new(),
        });
    }
    Some(edits)
}

/// The groups that the VPC's interface endpoints use already.
fn endpoint_groups(case: &Case, vpc: &VpcId) -> Option<Vec<SecurityGroupId>> {
    let endpoints = case.world.network.vpc_endpoints.iter().map(|(_, row)| &row.value);
    let used = endpoints
        .filter(|endpoint| {
            endpoint.vpc_id == *vpc && endpoint.vpc_endpoint_type == Some(EndpointType::Interface)
        })
        .find_map(|endpoint| endpoint.groups.as_ref().filter(|groups| !groups.is_empty()))?;
    Some(used.iter().map(|group| group.group_id.clone()).collect())
}

fn s3_gateway(case: &Case, culprits: &[Culprit]) -> Option<Vec<Edit>> {
    let vpc = vpc(case)?;
    let subnets: Vec<&SubnetId> = culprits.iter().filter(|c| c.service == "s3").map(|c| &c.subnet).collect();
    let mut tables: Vec<RouteTableId> =
        subnets.iter().filter_map(|subnet| table_of(case, &vpc, subnet)).collect();
    tables.sort();
    tables.dedup();
    if tables.is_empty() {
        return None;
    }
    let endpoints = case.world.network.vpc_endpoints.iter().map(|(_, row)| &row.value);
    let existing = endpoints
        .filter(|endpoint| endpoint.vpc_id == vpc && endpoint.service() == "s3")
        .find(|endpoint| endpoint.vpc_endpoint_type == Some(EndpointType::Gateway));
    Some(match existing {
        Some(endpoint) => tables
            .into_iter()
            .filter(|table| !endpoint.route_table_ids.iter().flatten().any(|on| on == table))
            .map(|table| Edit::AssociateGatewayEndpoint { endpoint: endpoint.vpc_endpoint_id.clone(), table })
            .collect(),
        None => vec![Edit::CreateEndpoint {
            vpc,
            service: service_name(case, "s3"),
            subnets: Vec::new(),
            groups: Vec::new(),
            tables,
        }],
    })
}

/// The route table of a subnet: its own, else the VPC's main one.
pub(super) fn table_of(case: &Case, vpc: &VpcId, subnet: &SubnetId) -> Option<RouteTableId> {
    let tables =
        || case.world.network.route_tables.iter().map(|(_, row)| &row.value).filter(|t| t.vpc_id == *vpc);
    let own =
        tables().find(|t| t.associations.iter().flatten().any(|a| a.subnet_id.as_ref() == Some(subnet)));
    let main = || tables().find(|t| t.associations.iter().flatten().any(|a| a.main == Some(true)));
    own.or_else(main).map(|table| table.route_table_id.clone())
}
