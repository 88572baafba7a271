//! The network: subnets, routes, groups, ACLs, endpoints, interfaces.

use serde_json::{Value, json};

use super::Calls;
use crate::deployment::{ACCOUNT, Deployment, Exit, Peer, REGION, everything};
use crate::service::Launch;

const NAT: &str = "nat-0aaaabbbbccccdddd";
const IGW: &str = "igw-0aaaabbbbccccdddd";
const TGW: &str = "tgw-0aaaabbbbccccdddd";
const S3_LIST: &str = "pl-63a5400a";
const PUBLIC_SUBNET: &str = "subnet-0pub0000000000000";
const TABLE: &str = "rtb-0aaaabbbbccccdddd";
const ACL: &str = "acl-0aaaabbbbccccdddd";

pub(super) fn network(d: &Deployment, launch: &Launch, calls: &mut Calls) {
    let ids: Vec<&str> = d.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    let subnet = |id: &str, zone: &str, zone_id: &str, octet: u8, free: u32| {
        json!({
            "SubnetId": id, "VpcId": d.vpc, "AvailabilityZone": zone, "AvailabilityZoneId": zone_id, "State": "available",
            "CidrBlock": format!("10.0.{octet}.0/24"), "AvailableIpAddressCount": free, "OwnerId": ACCOUNT,
            "MapPublicIpOnLaunch": false, "Ipv6CidrBlockAssociationSet": [], "Tags": [],
        })
    };
    let own: Vec<Value> =
        d.subnets.iter().map(|s| subnet(&s.id, s.zone, s.zone_id, s.third_octet, s.free_addresses)).collect();
    calls.ok("ec2", "DescribeSubnets", json!({ "SubnetIds": ids }), json!({ "Subnets": own }));
    let of_vpc = json!({ "Filters": [{ "Name": "vpc-id", "Values": [d.vpc] }] });
    calls.ok("ec2", "DescribeVpcs", json!({ "VpcIds": [d.vpc] }), json!({ "Vpcs": [{
        "VpcId": d.vpc, "CidrBlock": "10.0.0.0/16", "State": "available", "IsDefault": false, "OwnerId": ACCOUNT,
        "DhcpOptionsId": "dopt-0aaaabbbbccccdddd", "Ipv6CidrBlockAssociationSet": [], "Tags": [],
        "CidrBlockAssociationSet": [{ "AssociationId": "vpc-cidr-assoc-1", "CidrBlock": "10.0.0.0/16", "CidrBlockState": { "State": "associated" } }],
    }] }));
    for (asked, member, value) in [
        ("enableDnsSupport", "EnableDnsSupport", d.dns_support),
        ("enableDnsHostnames", "EnableDnsHostnames", d.dns_hostnames),
    ] {
        let request = json!({ "VpcId": d.vpc, "Attribute": asked });
        calls.ok(
            "ec2",
            "DescribeVpcAttribute",
            request,
            json!({ "VpcId": d.vpc, member: { "Value": value } }),
        );
    }
    calls.ok("ec2", "DescribeDhcpOptions", json!({ "DhcpOptionsIds": ["dopt-0aaaabbbbccccdddd"] }), json!({ "DhcpOptions": [{
        "DhcpOptionsId": "dopt-0aaaabbbbccccdddd", "OwnerId": ACCOUNT,
        "DhcpConfigurations": [{ "Key": "domain-name-servers", "Values": [{ "Value": "AmazonProvidedDNS" }] }],
    }] }));
    calls.ok("ec2", "DescribeRouteTables", of_vpc.clone(), json!({ "RouteTables": tables(d) }));
    calls.ok("ec2", "DescribeNetworkAcls", of_vpc.clone(), json!({ "NetworkAcls": acls(d) }));
    calls.ok(
        "ec2",
        "DescribeSecurityGroups",
        json!({ "Filters": [{ "Name": "vpc-id", "Values": [d.vpc] }] }),
        json!({ "SecurityGroups": groups(d) }),
    );
    calls.ok(
        "ec2",
        "DescribeManagedPrefixLists",
        json!({}),
        json!({ "PrefixLists": [{
        "PrefixListId": S3_LIST, "AddressFamily": "IPv4", "State": "create-complete", "OwnerId": "AWS",
        "PrefixListName": format!("com.amazonaws.{REGION}.s3"),
    }] }),
    );
    calls.ok("ec2", "DescribeVpcEndpoints", of_vpc, json!({ "VpcEndpoints": endpoints(d) }));
    let nat = (d.exit == Exit::Nat).then(|| json!({
        "NatGatewayId": NAT, "VpcId": d.vpc, "SubnetId": PUBLIC_SUBNET, "State": "available", "ConnectivityType": "public",
        "NatGatewayAddresses": [{ "PublicIp": "203.0.113.7", "PrivateIp": "10.0.200.8", "NetworkInterfaceId": "eni-0nat" }],
    }));
    let nat: Vec<Value> = nat.into_iter().collect();
    calls.ok(
        "ec2",
        "DescribeNatGateways",
        json!({ "Filter": [{ "Name": "vpc-id", "Values": [d.vpc] }] }),
        json!({ "NatGateways": nat }),
    );
    let gateway = matches!(d.exit, Exit::Nat | Exit::InternetGateway);
    let gateways: Vec<Value> = gateway
        .then(|| json!({ "InternetGatewayId": IGW, "Attachments": [{ "VpcId": d.vpc, "State": "available" }], "OwnerId": ACCOUNT }))
        .into_iter()
        .collect();
    calls.ok(
        "ec2",
        "DescribeInternetGateways",
        json!({ "Filters": [{ "Name": "attachment.vpc-id", "Values": [d.vpc] }] }),
        json!({ "InternetGateways": gateways }),
    );
    if d.exit == Exit::Nat {
        let row = subnet(PUBLIC_SUBNET, "us-east-1a", "use1-az1", 200, 240);
        calls.ok(
            "ec2",
            "DescribeSubnets",
            json!({ "SubnetIds": [PUBLIC_SUBNET] }),
            json!({ "Subnets": [row] }),
        );
    }
    if d.exit == Exit::TransitGateway {
        calls.ok("ec2", "DescribeTransitGatewayAttachments", json!({ "Filters": [{ "Name": "resource-id", "Values": [d.vpc] }] }), json!({
            "TransitGatewayAttachments": [{
                "TransitGatewayAttachmentId": "tgw-attach-0aaaabbbbccccdddd", "TransitGatewayId": TGW, "ResourceType": "vpc",
                "ResourceId": d.vpc, "ResourceOwnerId": ACCOUNT, "TransitGatewayOwnerId": "444455556666", "State": "available",
            }],
        }));
    }
    let interfaces: Vec<Value> = d
        .subnets
        .iter()
        .filter(|_| launch.interfaces)
        .enumerate()
        .map(|(n, s)| {
            let address = format!("10.0.{}.{}", s.third_octet, 40 + n);
            json!({
                "NetworkInterfaceId": format!("eni-0{:016x}", 0xabc0 + n), "SubnetId": s.id, "VpcId": d.vpc, "AvailabilityZone": s.zone,
                "PrivateIpAddress": address, "PrivateIpAddresses": [{ "Primary": true, "PrivateIpAddress": address }],
                "Description": "", "InterfaceType": "agentic_ai", "Status": "in-use", "OwnerId": ACCOUNT, "Ipv6Addresses": [],
                "Groups": [{ "GroupId": d.runtime_group, "GroupName": "runtime" }], "SourceDestCheck": true,
                "TagSet": [{ "Key": "AmazonBedrockAgentCoreManaged", "Value": "true" }],
                "Attachment": { "AttachmentId": format!("ela-attach-{n}"), "Status": "attached", "DeviceIndex": 1, "InstanceOwnerId": "amazon-aws" },
            })
        })
        .collect();
    calls.ok(
        "ec2",
        "DescribeNetworkInterfaces",
        json!({ "Filters": [{ "Name": "subnet-id", "Values": ids }] }),
        json!({ "NetworkInterfaces": interfaces }),
    );
}

fn tables(d: &Deployment) -> Vec<Value> {
    let local = json!({ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active" });
    let mut routes = vec![local.clone()];
    let default = |member: &str, target: &str| json!({ "DestinationCidrBlock": "0.0.0.0/0", member: target, "Origin": "CreateRoute", "State": "active" });
    match d.exit {
        Exit::Nowhere => {}
        Exit::Nat => routes.push(default("NatGatewayId", NAT)),
        Exit::InternetGateway => routes.push(default("GatewayId", IGW)),
        Exit::TransitGateway => routes.push(default("TransitGatewayId", TGW)),
    }
    if d.s3_gateway && d.s3_gateway_on_table {
        routes.push(json!({ "DestinationPrefixListId": S3_LIST, "GatewayId": "vpce-0s3gateway0000000", "Origin": "CreateRoute", "State": "active" }));
    }
    let table = |id: &str, subnets: Vec<&str>, routes: Vec<Value>| {
        let associations: Vec<Value> = subnets
            .into_iter()
            .enumerate()
            .map(|(n, subnet)| json!({
                "RouteTableAssociationId": format!("rtbassoc-{id}-{n}"), "RouteTableId": id, "SubnetId": subnet, "Main": false,
                "AssociationState": { "State": "associated" },
            }))
            .collect();
        json!({ "RouteTableId": id, "VpcId": d.vpc, "OwnerId": ACCOUNT, "PropagatingVgws": [], "Tags": [], "Associations": associations, "Routes": routes })
    };
    let mut all = vec![table(TABLE, d.subnets.iter().map(|s| s.id.as_str()).collect(), routes)];
    if d.exit == Exit::Nat {
        all.push(table("rtb-0public000000000", vec![PUBLIC_SUBNET], vec![local, default("GatewayId", IGW)]));
    }
    all
}

fn acls(d: &Deployment) -> Vec<Value> {
    let mut entries: Vec<Value> = d
        .acl
        .iter()
        .map(|entry| {
            let mut row = json!({
                "RuleNumber": entry.number, "Egress": entry.egress, "Protocol": entry.protocol,
                "RuleAction": if entry.allow { "allow" } else { "deny" }, "CidrBlock": "0.0.0.0/0",
            });
            if let Some((from, to)) = entry.ports {
                row["PortRange"] = json!({ "From": from, "To": to });
            }
            row
        })
        .collect();
    for egress in [true, false] {
        entries.push(json!({ "RuleNumber": 32767, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }));
    }
    let open: Vec<Value> = entries.iter().filter(|entry| entry["RuleNumber"] != 90).cloned().collect();
    let acl = |id: &str, subnets: Vec<&str>, entries: Vec<Value>| {
        let associations: Vec<Value> = subnets
            .into_iter()
            .map(|subnet| json!({ "NetworkAclAssociationId": format!("aclassoc-{subnet}"), "NetworkAclId": id, "SubnetId": subnet }))
            .collect();
        json!({ "NetworkAclId": id, "VpcId": d.vpc, "IsDefault": id != ACL, "OwnerId": ACCOUNT, "Tags": [], "Associations": associations, "Entries": entries })
    };
    let mut all = vec![acl(ACL, d.subnets.iter().map(|s| s.id.as_str()).collect(), entries)];
    let others = if d.exit == Exit::Nat { vec![PUBLIC_SUBNET] } else { Vec::new() };
    all.push(acl("acl-0default00000000", others, open));
    all
}

fn groups(d: &Deployment) -> Vec<Value> {
    let rules = |peers: &[Peer], every_port: bool| -> Vec<Value> {
        peers
            .iter()
            .map(|peer| {
                let mut rule = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [] });
                match peer {
                    Peer::Anywhere => {
                        rule["IpRanges"] = json!([{ "CidrIp": "0.0.0.0/0" }]);
                        if every_port {
                            rule["IpProtocol"] = json!("-1");
                            let members = rule.as_object_mut().expect("a rule is an object");
                            members.remove("FromPort");
                            members.remove("ToPort");
                        }
                    }
                    Peer::Group(group) => rule["UserIdGroupPairs"] = json!([{ "GroupId": group, "UserId": ACCOUNT }]),
                    Peer::Block(block) => rule["IpRanges"] = json!([{ "CidrIp": block }]),
                }
                rule
            })
            .collect()
    };
    let group = |id: &str, name: &str, ingress: Vec<Value>, egress: Vec<Value>| {
        json!({
            "GroupId": id, "GroupName": name, "VpcId": d.vpc, "OwnerId": ACCOUNT, "Description": name, "Tags": [],
            "IpPermissions": ingress, "IpPermissionsEgress": egress,
        })
    };
    let mut all = vec![group(&d.runtime_group, "runtime", Vec::new(), rules(&d.egress, true))];
    if d.topology.has_endpoints() {
        all.push(group(
            &d.endpoint_group,
            "endpoints",
            rules(&d.endpoint_ingress, false),
            rules(&[Peer::Anywhere], true),
        ));
    }
    all
}

fn endpoints(d: &Deployment) -> Vec<Value> {
    let subnets: Vec<&str> = d.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    let mut all: Vec<Value> = d
        .endpoints
        .iter()
        .map(|endpoint| {
            json!({
                "VpcEndpointId": format!("vpce-0{}", endpoint.service.replace('.', "")), "VpcEndpointType": "Interface", "VpcId": d.vpc,
                "ServiceName": format!("com.amazonaws.{REGION}.{}", endpoint.service), "State": "available",
                "PolicyDocument": everything().to_string(), "RouteTableIds": [], "SubnetIds": subnets,
                "Groups": [{ "GroupId": d.endpoint_group, "GroupName": "endpoints" }], "PrivateDnsEnabled": endpoint.private_dns,
                "NetworkInterfaceIds": [], "OwnerId": ACCOUNT,
            })
        })
        .collect();
    if d.s3_gateway {
        let tables: Vec<&str> = if d.s3_gateway_on_table { vec![TABLE] } else { Vec::new() };
        all.push(json!({
            "VpcEndpointId": "vpce-0s3gateway0000000", "VpcEndpointType": "Gateway", "VpcId": d.vpc,
            "ServiceName": format!("com.amazonaws.{REGION}.s3"), "State": "available", "PolicyDocument": d.s3_policy.to_string(),
            "RouteTableIds": tables, "SubnetIds": [], "Groups": [], "PrivateDnsEnabled": false, "NetworkInterfaceIds": [], "OwnerId": ACCOUNT,
        }));
    }
    all
}
