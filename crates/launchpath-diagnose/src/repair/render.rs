//! A change as AWS CLI, Terraform and CloudFormation.
//!
//! Ids stay literal: a reader replaces them by references of their own template.

use launchpath_model::World;
use launchpath_model::aws::agentcore::Runtime;
use launchpath_model::command;
use launchpath_model::ids::SubnetId;
use launchpath_net::edit::{DnsAttribute, Peer, RouteDestination};
use launchpath_net::{Direction, Edit};
use serde_json::{Value, json};

use super::Change;

fn cli(world: &World, service: &str, operation: &str, request: &Value) -> String {
    command::aws_cli(
        service,
        operation,
        world.region.as_ref().map(launchpath_model::ids::Region::as_str),
        request,
    )
}

/// The commands that make a change.
pub(super) fn aws_cli(change: &Change, world: &World) -> Vec<String> {
    match change {
        Change::Network(edit) => vec![network_cli(edit, world)],
        Change::DropSubnets { runtime, subnets } => {
            update_runtime(world, runtime.as_str(), |runtime, request| {
                let Some(config) = runtime.vpc_config() else { return };
                let kept: Vec<&str> =
                    config.subnets.iter().filter(|s| !subnets.contains(s)).map(SubnetId::as_str).collect();
                request["networkConfiguration"]["networkModeConfig"]["subnets"] = json!(kept);
            })
        }
        Change::TrustPolicy { role, document } => vec![cli(
            world,
            "iam",
            "UpdateAssumeRolePolicy",
            &json!({ "RoleName": role, "PolicyDocument": document.to_string() }),
        )],
        Change::RolePolicy { role, name, document } => vec![cli(
            world,
            "iam",
            "PutRolePolicy",
            &json!({ "RoleName": role, "PolicyName": name, "PolicyDocument": document.to_string() }),
        )],
        Change::NetworkServiceLinkedRole => vec![cli(
            world,
            "iam",
            "CreateServiceLinkedRole",
            &json!({ "AWSServiceName": "network.bedrock-agentcore.amazonaws.com" }),
        )],
        Change::EndpointPolicy { endpoint, document } => vec![cli(
            world,
            "ec2",
            "ModifyVpcEndpoint",
            &json!({ "VpcEndpointId": endpoint.as_str(), "PolicyDocument": document.to_string() }),
        )],
        // The steps before it push; the registry needs no call of its own.
        Change::PushImage { .. } | Change::RebuildImage { .. } => Vec::new(),
        Change::RequireMmdsv2 { runtime } => update_runtime(world, runtime.as_str(), |_, request| {
            request["metadataConfiguration"] = json!({ "requireMMDSV2": true });
        }),
    }
}

/// UpdateAgentRuntime replaces everything: what is left out may be reset, so the present values go along.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_UpdateAgentRuntime.html>
fn update_runtime(world: &World, id: &str, change: impl Fn(&Runtime, &mut Value)) -> Vec<String> {
    let Some(row) = world.runtimes.seen(&id.into()) else { return Vec::new() };
    let runtime = &row.value;
    let mut request = json!({ "agentRuntimeId": id });
    if let Some(role) = &runtime.role_arn {
        request["roleArn"] = json!(role);
    }
    if let Some(uri) = runtime.container_uri() {
        request["agentRuntimeArtifact"] = json!({ "containerConfiguration": { "containerUri": uri } });
    } else if let Some(code) = runtime.code() {
        let s3 = code.code.as_ref().and_then(|code| code.s3.as_ref());
        let location: serde_json::Map<String, Value> = s3.map_or_else(serde_json::Map::new, |s3| {
            let members = [("bucket", &s3.bucket), ("prefix", &s3.prefix), ("versionId", &s3.version_id)];
            members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))))
                .collect()
        });
        request["agentRuntimeArtifact"] = json!({ "codeConfiguration": {
            "code": { "s3": location }, "runtime": code.runtime, "entryPoint": code.entry_point,
        } });
    }
    if let Some(config) = runtime.vpc_config() {
        request["networkConfiguration"] = json!({ "networkMode": "VPC", "networkModeConfig": {
            "subnets": config.subnets.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "securityGroups": config.security_groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
        } });
        if let Some(required) = config.require_service_s3_endpoint {
            request["networkConfiguration"]["networkModeConfig"]["requireServiceS3Endpoint"] =
                json!(required);
        }
    } else if let Some(mode) = runtime.network_mode() {
        request["networkConfiguration"] = json!({ "networkMode": mode.as_str() });
    }
    request["protocolConfiguration"] = json!({ "serverProtocol": runtime.protocol().as_str() });
    if let Some(required) = runtime.metadata_configuration.as_ref().and_then(|m| m.require_mmdsv2) {
        request["metadataConfiguration"] = json!({ "requireMMDSV2": required });
    }
    let kept = [
        ("description", runtime.description.as_ref().map(|text| json!(text))),
        ("authorizerConfiguration", runtime.authorizer_configuration.clone()),
        ("requestHeaderConfiguration", runtime.request_header_configuration.clone()),
        ("lifecycleConfiguration", runtime.lifecycle_configuration.clone()),
        ("filesystemConfigurations", runtime.filesystem_configurations.as_ref().map(|list| json!(list))),
    ];
    for (member, value) in kept {
        if let Some(value) = value {
            request[member] = value;
        }
    }
    let mut lines = Vec::new();
    let names: Vec<&str> =
        runtime.environment_variables.iter().flatten().map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        // Their values never reach a bundle. A file that is not there stops the command before it could reset them.
        request["environmentVariables"] = json!("file://environment.json");
        lines.push(format!(
            "# write the present environment variables with their values to environment.json first: {}",
            names.join(", ")
        ));
    }
    change(runtime, &mut request);
    lines.push(cli(world, "bedrock-agentcore-control", "UpdateAgentRuntime", &request));
    lines
}

fn network_cli(edit: &Edit, world: &World) -> String {
    let call = |operation: &str, request: Value| cli(world, "ec2", operation, &request);
    match edit {
        Edit::AddGroupRule { group, direction, protocol, ports, peer } => {
            let operation = match direction {
                Direction::Ingress => "AuthorizeSecurityGroupIngress",
                Direction::Egress => "AuthorizeSecurityGroupEgress",
            };
            call(
                operation,
                json!({ "GroupId": group.as_str(), "IpPermissions": [permission(*protocol, *ports, peer)] }),
            )
        }
        Edit::AddAclRule { acl, direction, number, protocol, ports, block } => {
            let mut request = json!({
                "NetworkAclId": acl.as_str(),
                "RuleNumber": number,
                "Protocol": protocol.to_string(),
                "RuleAction": "allow",
                "CidrBlock": block.to_string(),
            });
            if let Some((from, to)) = ports {
                request["PortRange"] = json!({ "From": from, "To": to });
            }
            let side = if *direction == Direction::Egress { " --egress" } else { " --ingress" };
            call("CreateNetworkAclEntry", request) + side
        }
        Edit::SetRoute { table, destination, target } => {
            let mut request = json!({ "RouteTableId": table.as_str() });
            match destination {
                RouteDestination::Block(block) => request["DestinationCidrBlock"] = json!(block.to_string()),
                RouteDestination::PrefixList(list) => {
                    request["DestinationPrefixListId"] = json!(list.as_str());
                }
            }
            request[target_member(target)] = json!(target);
            let exists = world.network.route_tables.seen(table).is_some_and(|row| {
                row.value.routes.iter().flatten().any(|route| match destination {
                    RouteDestination::Block(block) => {
                        route.destination_cidr_block.map(ipnet_text) == Some(block.to_string())
                    }
                    RouteDestination::PrefixList(list) => {
                        route.destination_prefix_list_id.as_ref() == Some(list)
                    }
                })
            });
            call(if exists { "ReplaceRoute" } else { "CreateRoute" }, request)
        }
        Edit::AssociateGatewayEndpoint { endpoint, table } => call(
            "ModifyVpcEndpoint",
            json!({ "VpcEndpointId": endpoint.as_str(), "AddRouteTableIds": [table.as_str()] }),
        ),
        Edit::EnableDns { vpc, attribute } => {
            let member = match attribute {
                DnsAttribute::Support => "EnableDnsSupport",
                DnsAttribute::Hostnames => "EnableDnsHostnames",
            };
            call("ModifyVpcAttribute", json!({ "VpcId": vpc.as_str(), member: { "Value": true } }))
        }
        Edit::EnablePrivateDns { endpoint } => call(
            "ModifyVpcEndpoint",
            json!({ "VpcEndpointId": endpoint.as_str(), "PrivateDnsEnabled": true }),
        ),
        Edit::CreateEndpoint { vpc, service, subnets, groups, tables } => {
            let mut request = json!({
                "VpcId": vpc.as_str(),
                "ServiceName": service,
                "VpcEndpointType": if tables.is_empty() { "Interface" } else { "Gateway" },
            });
            if tables.is_empty() {
                request["SubnetIds"] = json!(subnets.iter().map(ToString::to_string).collect::<Vec<_>>());
                request["SecurityGroupIds"] =
                    json!(groups.iter().map(ToString::to_string).collect::<Vec<_>>());
                request["PrivateDnsEnabled"] = json!(true);
            } else {
                request["RouteTableIds"] = json!(tables.iter().map(ToString::to_string).collect::<Vec<_>>());
            }
            call("CreateVpcEndpoint", request)
        }
    }
}

fn ipnet_text(block: impl std::fmt::Display) -> String {
    block.to_string()
}

pub(super) fn permission(protocol: u8, ports: Option<(u16, u16)>, peer: &Peer) -> Value {
    let mut permission = json!({ "IpProtocol": protocol_name(protocol) });
    if let Some((from, to)) = ports {
        permission["FromPort"] = json!(from);
        permission["ToPort"] = json!(to);
    }
    match peer {
        Peer::Group(group) => permission["UserIdGroupPairs"] = json!([{ "GroupId": group.as_str() }]),
        Peer::Block(block) => permission["IpRanges"] = json!([{ "CidrIp": block.to_string() }]),
        Peer::PrefixList(list) => permission["PrefixListIds"] = json!([{ "PrefixListId": list.as_str() }]),
    }
    permission
}

fn protocol_name(protocol: u8) -> String {
    match protocol {
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn target_member(target: &str) -> &'static str {
    match target.split('-').next().unwrap_or_default() {
        "nat" => "NatGatewayId",
        "tgw" => "TransitGatewayId",
        "pcx" => "VpcPeeringConnectionId",
        "vpce" => "VpcEndpointId",
        _ => "GatewayId",
    }
}

/// A name for a new block of a template.
fn label(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn quoted(items: &[impl ToString]) -> String {
    items.iter().map(|item| format!("\"{}\"", item.to_string())).collect::<Vec<_>>().join(", ")
}

/// The change as Terraform; `None` when it has no form there.
pub(super) fn terraform(change: &Change, _world: &World) -> Option<String> {
    let text = match change {
        Change::Network(Edit::AddGroupRule { group, direction, protocol, ports, peer }) => {
            let side = if *direction == Direction::Ingress { "ingress" } else { "egress" };
            let member = match peer {
                Peer::Group(_) => "referenced_security_group_id",
                Peer::Block(_) => "cidr_ipv4",
                Peer::PrefixList(_) => "prefix_list_id",
            };
            let ports = ports
                .map(|(from, to)| format!("  from_port         = {from}\n  to_port           = {to}\n"))
                .unwrap_or_default();
            format!(
                "resource \"aws_vpc_security_group_{side}_rule\" \"{}_{}\" {{\n  security_group_id = \"{group}\"\n  ip_protocol       = \"{}\"\n{ports}  {member} = \"{peer}\"\n}}\n",
                label(group.as_str()),
                label(&peer.to_string()),
                protocol_name(*protocol),
            )
        }
        Change::Network(Edit::SetRoute { table, destination, target }) => {
            let (member, value) = match destination {
                RouteDestination::Block(block) => ("destination_cidr_block", block.to_string()),
                RouteDestination::PrefixList(list) => ("destination_prefix_list_id", list.to_string()),
            };
            let target_name = match target_member(target) {
                "NatGatewayId" => "nat_gateway_id",
                "TransitGatewayId" => "transit_gateway_id",
                "VpcPeeringConnectionId" => "vpc_peering_connection_id",
                "VpcEndpointId" => "vpc_endpoint_id",
                _ => "gateway_id",
            };
            format!(
                "resource \"aws_route\" \"{}\" {{\n  route_table_id = \"{table}\"\n  {member} = \"{value}\"\n  {target_name} = \"{target}\"\n}}\n",
                label(&format!("{table}_{target}")),
            )
        }
        Change::Network(Edit::AssociateGatewayEndpoint { endpoint, table }) => format!(
            "resource \"aws_vpc_endpoint_route_table_association\" \"{}\" {{\n  vpc_endpoint_id = \"{endpoint}\"\n  route_table_id  = \"{table}\"\n}}\n",
            label(table.as_str()),
        ),
        Change::Network(Edit::EnableDns { vpc, attribute }) => {
            let member = match attribute {
                DnsAttribute::Support => "enable_dns_support",
                DnsAttribute::Hostnames => "enable_dns_hostnames",
            };
            format!("# in the aws_vpc resource of {vpc}:\n{member} = true\n")
        }
        Change::Network(Edit::EnablePrivateDns { endpoint }) => {
            format!("# in the aws_vpc_endpoint resource of {endpoint}:\nprivate_dns_enabled = true\n")
        }
        Change::Network(Edit::CreateEndpoint { vpc, service, subnets, groups, tables }) => {
            let body = if tables.is_empty() {
                format!(
                    "  vpc_endpoint_type   = \"Interface\"\n  subnet_ids          = [{}]\n  security_group_ids  = [{}]\n  private_dns_enabled = true\n",
                    quoted(subnets),
                    quoted(groups)
                )
            } else {
                format!("  vpc_endpoint_type = \"Gateway\"\n  route_table_ids   = [{}]\n", quoted(tables))
            };
            let name = service.splitn(4, '.').last().unwrap_or(service);
            format!(
                "resource \"aws_vpc_endpoint\" \"{}\" {{\n  vpc_id       = \"{vpc}\"\n  service_name = \"{service}\"\n{body}}}\n",
                label(name)
            )
        }
        Change::DropSubnets { subnets, .. } => {
            format!("# in network_mode_config of the aws_bedrockagentcore_agent_runtime, remove from subnets:\n# {}\n", quoted(subnets))
        }
        Change::TrustPolicy { role, document } => {
            format!("# in the aws_iam_role resource of {role}:\nassume_role_policy = jsonencode({document})\n")
        }
        Change::RolePolicy { role, name, document } => format!(
            "resource \"aws_iam_role_policy\" \"{}\" {{\n  role   = \"{role}\"\n  name   = \"{name}\"\n  policy = jsonencode({document})\n}}\n",
            label(name)
        ),
        Change::NetworkServiceLinkedRole => {
            "resource \"aws_iam_service_linked_role\" \"agentcore_network\" {\n  aws_service_name = \"network.bedrock-agentcore.amazonaws.com\"\n}\n".to_owned()
        }
        Change::Network(Edit::AddAclRule { acl, direction, number, protocol, ports, block }) => {
            let egress = *direction == Direction::Egress;
            let ports = ports.map(|(from, to)| format!("  from_port      = {from}\n  to_port        = {to}\n")).unwrap_or_default();
            format!(
                "resource \"aws_network_acl_rule\" \"{}_{number}\" {{\n  network_acl_id = \"{acl}\"\n  rule_number    = {number}\n  egress         = {egress}\n  protocol       = \"{protocol}\"\n  rule_action    = \"allow\"\n  cidr_block     = \"{block}\"\n{ports}}}\n",
                label(acl.as_str())
            )
        }
        Change::EndpointPolicy { endpoint, document } => {
            format!("# in the aws_vpc_endpoint resource of {endpoint}:\npolicy = jsonencode({document})\n")
        }
        Change::PushImage { .. } | Change::RebuildImage { .. } | Change::RequireMmdsv2 { .. } => return None,
    };
    Some(text)
}

/// The change as a CloudFormation resource in YAML; `None` when it is no resource of its own.
pub(super) fn cloudformation(change: &Change, _world: &World) -> Option<String> {
    let (name, kind, properties) = match change {
        Change::Network(Edit::AddGroupRule { group, direction, protocol, ports, peer }) => {
            let ingress = *direction == Direction::Ingress;
            let kind =
                if ingress { "AWS::EC2::SecurityGroupIngress" } else { "AWS::EC2::SecurityGroupEgress" };
            let mut properties = vec![
                ("GroupId", group.to_string()),
                ("IpProtocol", format!("\"{}\"", protocol_name(*protocol))),
            ];
            if let Some((from, to)) = ports {
                properties.push(("FromPort", from.to_string()));
                properties.push(("ToPort", to.to_string()));
            }
            properties.push(match (peer, ingress) {
                (Peer::Group(id), true) => ("SourceSecurityGroupId", id.to_string()),
                (Peer::Group(id), false) => ("DestinationSecurityGroupId", id.to_string()),
                (Peer::Block(block), _) => ("CidrIp", block.to_string()),
                (Peer::PrefixList(list), true) => ("SourcePrefixListId", list.to_string()),
                (Peer::PrefixList(list), false) => ("DestinationPrefixListId", list.to_string()),
            });
            ("RuntimeRule", kind, properties)
        }
        Change::Network(Edit::SetRoute { table, destination: RouteDestination::Block(block), target }) => (
            "RuntimeRoute",
            "AWS::EC2::Route",
            vec![
                ("RouteTableId", table.to_string()),
                ("DestinationCidrBlock", block.to_string()),
                (target_member(target), target.clone()),
            ],
        ),
        Change::Network(Edit::CreateEndpoint { vpc, service, subnets, groups, tables }) => {
            let mut properties = vec![("VpcId", vpc.to_string()), ("ServiceName", service.clone())];
            if tables.is_empty() {
                properties.push(("VpcEndpointType", "Interface".to_owned()));
                properties.push(("SubnetIds", format!("[{}]", quoted(subnets))));
                properties.push(("SecurityGroupIds", format!("[{}]", quoted(groups))));
                properties.push(("PrivateDnsEnabled", "true".to_owned()));
            } else {
                properties.push(("VpcEndpointType", "Gateway".to_owned()));
                properties.push(("RouteTableIds", format!("[{}]", quoted(tables))));
            }
            ("RuntimeEndpoint", "AWS::EC2::VPCEndpoint", properties)
        }
        Change::NetworkServiceLinkedRole => (
            "AgentCoreNetworkRole",
            "AWS::IAM::ServiceLinkedRole",
            vec![("AWSServiceName", "network.bedrock-agentcore.amazonaws.com".to_owned())],
        ),
        Change::RolePolicy { role, name, document } => (
            "RuntimeRolePolicy",
            "AWS::IAM::RolePolicy",
            vec![
                ("RoleName", role.clone()),
                ("PolicyName", name.clone()),
                ("PolicyDocument", document.to_string()),
            ],
        ),
        _ => return None,
    };
    let lines: String = properties.iter().map(|(key, value)| format!("    {key}: {value}\n")).collect();
    Some(format!("{name}:\n  Type: {kind}\n  Properties:\n{lines}"))
}
