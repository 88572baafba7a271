//! A deployment as a CloudFormation template, for linters and policy checkers of others (`peers.sh`).
//!
//! What a template shows of a deployment is its configuration; what an image holds or what happened is not in it.

use serde_json::{Map, Value, json};

use crate::deployment::{Artifact, Deployment, Exit, Peer, REGION};

/// The template.
pub(crate) fn template(d: &Deployment) -> Value {
    let mut all = Resources(Map::new());
    all.add("Role", "AWS::IAM::Role", json!({
        "AssumeRolePolicyDocument": d.trust,
        "Policies": [{ "PolicyName": "agent", "PolicyDocument": { "Version": "2012-10-17", "Statement": d.policy } }],
    }));
    if d.topology.in_vpc() {
        network(d, &mut all);
    }
    all.add("Runtime", "AWS::BedrockAgentCore::Runtime", runtime(d));
    json!({ "AWSTemplateFormatVersion": "2010-09-09", "Resources": all.0 })
}

struct Resources(Map<String, Value>);

impl Resources {
    #[expect(clippy::needless_pass_by_value, reason = "properties are built where they are given")]
    fn add(&mut self, name: &str, kind: &str, properties: Value) {
        self.0.insert(name.to_owned(), json!({ "Type": kind, "Properties": properties }));
    }
}

fn subnet_names(d: &Deployment) -> Vec<String> {
    (0..d.subnets.len()).map(|n| format!("Subnet{n}")).collect()
}

fn references(names: &[String]) -> Vec<Value> {
    names.iter().map(|name| json!({ "Ref": name })).collect()
}

fn runtime(d: &Deployment) -> Value {
    let artifact = match d.artifact {
        Artifact::Container => json!({ "ContainerConfiguration": { "ContainerUri": d.image() } }),
        Artifact::CodeZip => json!({ "CodeConfiguration": {
            "Code": { "S3": { "Bucket": d.bucket(), "Prefix": "agent.zip" } }, "Runtime": "PYTHON_3_12", "EntryPoint": ["main.py"],
        } }),
    };
    let network = if d.topology.in_vpc() && !d.story.network_left_out {
        json!({ "NetworkMode": "VPC", "NetworkModeConfig": {
            "Subnets": references(&subnet_names(d)), "SecurityGroups": [{ "Fn::GetAtt": ["RuntimeGroup", "GroupId"] }],
        } })
    } else {
        json!({ "NetworkMode": if d.topology.in_vpc() { "VPC" } else { "PUBLIC" } })
    };
    json!({
        "AgentRuntimeName": d.name, "RoleArn": { "Fn::GetAtt": ["Role", "Arn"] }, "AgentRuntimeArtifact": artifact,
        "NetworkConfiguration": network, "ProtocolConfiguration": d.protocol,
    })
}

fn network(d: &Deployment, all: &mut Resources) {
    let vpc = json!({ "Ref": "Vpc" });
    all.add("Vpc", "AWS::EC2::VPC", json!({
        "CidrBlock": "10.0.0.0/16", "EnableDnsSupport": d.dns_support, "EnableDnsHostnames": d.dns_hostnames,
    }));
    all.add("Table", "AWS::EC2::RouteTable", json!({ "VpcId": vpc }));
    all.add("Acl", "AWS::EC2::NetworkAcl", json!({ "VpcId": vpc }));
    for (n, entry) in d.acl.iter().enumerate() {
        let mut rule = json!({
            "NetworkAclId": { "Ref": "Acl" }, "RuleNumber": entry.number, "Egress": entry.egress, "CidrBlock": "0.0.0.0/0",
            "Protocol": entry.protocol.parse::<i32>().unwrap_or(-1), "RuleAction": if entry.allow { "allow" } else { "deny" },
        });
        if let Some((from, to)) = entry.ports {
            rule["PortRange"] = json!({ "From": from, "To": to });
        }
        all.add(&format!("AclEntry{n}"), "AWS::EC2::NetworkAclEntry", rule);
    }
    for (name, subnet) in subnet_names(d).iter().zip(&d.subnets) {
        all.add(name, "AWS::EC2::Subnet", json!({
            "VpcId": vpc, "CidrBlock": format!("10.0.{}.0/24", subnet.third_octet), "AvailabilityZone": subnet.zone,
        }));
        let reference = json!({ "Ref": name });
        all.add(
            &format!("{name}Table"),
            "AWS::EC2::SubnetRouteTableAssociation",
            json!({ "SubnetId": reference, "RouteTableId": { "Ref": "Table" } }),
        );
        all.add(
            &format!("{name}Acl"),
            "AWS::EC2::SubnetNetworkAclAssociation",
            json!({ "SubnetId": reference, "NetworkAclId": { "Ref": "Acl" } }),
        );
    }
    way_out(d, all);
    all.add("RuntimeGroup", "AWS::EC2::SecurityGroup", json!({
        "GroupDescription": "the runtime", "VpcId": vpc, "SecurityGroupEgress": rules(&d.egress, "DestinationSecurityGroupId"),
    }));
    if d.topology.has_endpoints() {
        all.add("EndpointGroup", "AWS::EC2::SecurityGroup", json!({
            "GroupDescription": "the endpoints", "VpcId": vpc, "SecurityGroupIngress": rules(&d.endpoint_ingress, "SourceSecurityGroupId"),
        }));
    }
    for endpoint in &d.endpoints {
        let name = format!("Endpoint{}", endpoint.service.replace('.', ""));
        all.add(&name, "AWS::EC2::VPCEndpoint", json!({
            "VpcEndpointType": "Interface", "ServiceName": format!("com.amazonaws.{REGION}.{}", endpoint.service), "VpcId": vpc,
            "SubnetIds": references(&subnet_names(d)), "SecurityGroupIds": [{ "Fn::GetAtt": ["EndpointGroup", "GroupId"] }],
            "PrivateDnsEnabled": endpoint.private_dns,
        }));
    }
    if d.s3_gateway {
        let tables: Vec<Value> =
            d.s3_gateway_on_table.then(|| json!({ "Ref": "Table" })).into_iter().collect();
        all.add("EndpointS3", "AWS::EC2::VPCEndpoint", json!({
            "VpcEndpointType": "Gateway", "ServiceName": format!("com.amazonaws.{REGION}.s3"), "VpcId": vpc, "RouteTableIds": tables,
            "PolicyDocument": d.s3_policy,
        }));
    }
}

fn way_out(d: &Deployment, all: &mut Resources) {
    let (member, target) = match d.exit {
        Exit::Nowhere => return,
        Exit::Nat => ("NatGatewayId", "nat-0aaaabbbbccccdddd"),
        Exit::InternetGateway => ("GatewayId", "igw-0aaaabbbbccccdddd"),
        Exit::TransitGateway => ("TransitGatewayId", "tgw-0aaaabbbbccccdddd"),
    };
    let mut route = json!({ "RouteTableId": { "Ref": "Table" }, "DestinationCidrBlock": "0.0.0.0/0" });
    route[member] = json!(target);
    all.add("Route", "AWS::EC2::Route", route);
}

fn rules(peers: &[Peer], by_group: &str) -> Vec<Value> {
    let rule = |peer: &Peer| {
        let mut rule = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443 });
        match peer {
            Peer::Anywhere => rule["CidrIp"] = json!("0.0.0.0/0"),
            Peer::Block(block) => rule["CidrIp"] = json!(block),
            Peer::Group(group) => rule[by_group] = json!(group),
        }
        rule
    };
    peers.iter().map(rule).collect()
}
