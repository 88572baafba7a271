//! Synthetic networks for the benchmark: an ordinary VPC, a VPC with many rules, a large account.

use std::cell::RefCell;

use launchpath_model::EvidenceId;
use launchpath_model::world::Network;
use serde_json::{Value, json};

use crate::snapshot::add;

thread_local! {
    /// The documents put so far: what the comparison with z3 reads.
    pub static DOCUMENTS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

pub fn put(network: &mut Network, key: &str, row: &Value) {
    DOCUMENTS.with_borrow_mut(|all| all.push(json!([key, row])));
    add(network, key, row, &EvidenceId::from("c1"));
}

/// The ACLs of a VPC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Acls {
    /// Allow all, as AWS makes them.
    Default,
    /// Deny one port in both directions before that: it hits one ephemeral port too.
    DenyOnePort,
}

/// A VPC of `subnets` subnets (at most 200) in `10.<number>.0.0/16`: NAT, internet gateway, S3 gateway endpoint, interface endpoints
/// for ECR and logs in the first two subnets, `extra` rules of single addresses before the ones that matter.
pub fn add_vpc(network: &mut Network, number: usize, subnets: usize, extra: usize, acls: Acls) {
    let vpc = format!("vpc-{number}");
    put(
        network,
        "Vpcs",
        &json!({ "VpcId": vpc, "CidrBlock": format!("10.{number}.0.0/16"), "DhcpOptionsId": "default" }),
    );
    network.dns_support.insert(vpc.as_str().into(), true, EvidenceId::from("c2"));
    network.dns_hostnames.insert(vpc.as_str().into(), true, EvidenceId::from("c2"));
    let local = json!({ "DestinationCidrBlock": format!("10.{number}.0.0/16"), "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" });
    let s3 = json!({ "DestinationPrefixListId": "pl-s3", "GatewayId": format!("vpce-{number}-s3"), "State": "active" });
    let nat = json!({ "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": format!("nat-{number}"), "State": "active" });
    let igw = json!({ "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": format!("igw-{number}"), "State": "active" });
    for n in 0..subnets {
        let subnet = format!("subnet-{number}-{n}");
        put(
            network,
            "Subnets",
            &json!({ "SubnetId": subnet, "VpcId": vpc, "CidrBlock": format!("10.{number}.{n}.0/24"), "AvailabilityZone": "us-east-1a" }),
        );
        let public = n + 1 == subnets;
        let routes = if public { json!([local, igw]) } else { json!([local, s3, nat]) };
        put(
            network,
            "RouteTables",
            &json!({ "RouteTableId": format!("rtb-{number}-{n}"), "VpcId": vpc, "Associations": [{ "SubnetId": subnet }], "Routes": routes }),
        );
        let mut entries = vec![];
        for egress in [true, false] {
            if acls == Acls::DenyOnePort {
                entries.push(json!({ "RuleNumber": 50, "Egress": egress, "Protocol": "6", "PortRange": { "From": 3389, "To": 3389 }, "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }));
            }
            entries.push(json!({ "RuleNumber": 100, "Egress": egress, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }));
            entries.push(json!({ "RuleNumber": 32767, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }));
        }
        put(
            network,
            "NetworkAcls",
            &json!({ "NetworkAclId": format!("acl-{number}-{n}"), "Associations": [{ "SubnetId": subnet }], "Entries": entries }),
        );
    }
    let public = format!("subnet-{number}-{}", subnets - 1);
    put(
        network,
        "InternetGateways",
        &json!({ "InternetGatewayId": format!("igw-{number}"), "Attachments": [{ "VpcId": vpc, "State": "available" }] }),
    );
    put(
        network,
        "NatGateways",
        &json!({
            "NatGatewayId": format!("nat-{number}"), "VpcId": vpc, "SubnetId": public, "State": "available", "ConnectivityType": "public",
            "NatGatewayAddresses": [{ "PrivateIp": format!("10.{number}.{}.5", subnets - 1), "PublicIp": format!("3.3.3.{}", number % 250), "NetworkInterfaceId": format!("eni-nat-{number}") }]
        }),
    );
    let noise = |towards: &str| -> Vec<Value> {
        (0..extra)
            .map(|n| json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": format!("{towards}.{}.{}.{}/32", n / 65536, n / 256 % 256, n % 256) }] }))
            .collect()
    };
    let mut egress = noise("172");
    egress.push(json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{ "GroupId": format!("sg-{number}-endpoints") }] }));
    egress.push(json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{ "PrefixListId": "pl-s3" }] }));
    egress.push(json!({ "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] }));
    put(
        network,
        "SecurityGroups",
        &json!({ "GroupId": format!("sg-{number}-runtime"), "VpcId": vpc, "IpPermissions": [], "IpPermissionsEgress": egress }),
    );
    let mut ingress = noise("172");
    ingress.push(json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{ "GroupId": format!("sg-{number}-runtime") }] }));
    put(
        network,
        "SecurityGroups",
        &json!({ "GroupId": format!("sg-{number}-endpoints"), "VpcId": vpc, "IpPermissions": ingress, "IpPermissionsEgress": [] }),
    );
    for (index, service) in ["ecr.api", "ecr.dkr", "logs"].iter().enumerate() {
        add_endpoint(network, number, service, 20 + index);
    }
    put(
        network,
        "VpcEndpoints",
        &json!({
            "VpcEndpointId": format!("vpce-{number}-s3"), "VpcEndpointType": "Gateway", "VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available"
        }),
    );
}

pub fn add_endpoint(network: &mut Network, number: usize, service: &str, host: usize) {
    let vpc = format!("vpc-{number}");
    let id = format!("vpce-{number}-{service}");
    for n in 0..2 {
        put(
            network,
            "NetworkInterfaces",
            &json!({
                "NetworkInterfaceId": format!("eni-{id}-{n}"), "VpcId": vpc, "SubnetId": format!("subnet-{number}-{n}"), "Status": "in-use",
                "PrivateIpAddress": format!("10.{number}.{}.{}", n + 2 * (host / 200), host % 200 + 10), "Groups": [{ "GroupId": format!("sg-{number}-endpoints") }], "InterfaceType": "vpc_endpoint"
            }),
        );
    }
    put(
        network,
        "VpcEndpoints",
        &json!({
            "VpcEndpointId": id, "VpcEndpointType": "Interface", "VpcId": vpc, "ServiceName": format!("com.amazonaws.us-east-1.{service}"), "State": "available",
            "SubnetIds": [format!("subnet-{number}-0"), format!("subnet-{number}-1")], "Groups": [{ "GroupId": format!("sg-{number}-endpoints") }],
            "PrivateDnsEnabled": true, "NetworkInterfaceIds": [format!("eni-{id}-0"), format!("eni-{id}-1")]
        }),
    );
}

pub fn empty() -> Network {
    let mut network = Network { region: Some("us-east-1".into()), ..Network::default() };
    put(
        &mut network,
        "PrefixLists",
        &json!({ "PrefixListId": "pl-s3", "PrefixListName": "com.amazonaws.us-east-1.s3", "Cidrs": ["52.216.0.0/15", "54.231.0.0/17", "3.5.0.0/20", "3.5.16.0/21"] }),
    );
    network
}
