//! A random small VPC, as describe outputs for the engine; the lab builds the same from the same documents.

use launchpath_model::EvidenceId;
use launchpath_model::world::Network;
use serde_json::{Value, json};

use crate::random_vpc::Dice;
use crate::snapshot::add;
use crate::traffic::{Job, PORTS};

/// Host, subnet number, last octet.
pub const HOSTS: &[(&str, u8, u8)] = &[("h1", 0, 10), ("h2", 0, 11), ("h3", 1, 10), ("h4", 2, 10)];
/// Subnet 9 is the NAT gateway's.
pub const SUBNETS: &[u8] = &[0, 1, 2, 9];
pub const NAT: &str = "10.0.9.5";
/// Addresses of the namespace that plays the internet.
pub const OUTSIDE: &[&str] = &["8.8.8.8", "52.216.0.5"];
const GROUPS: &[&str] = &["sg-a", "sg-b", "sg-c"];
const SOURCE_PORTS: &[u16] = &[1024, 5000, 32767, 32768, 40000, 60999, 65535];
const EDGES: &[u16] = &[0, 22, 80, 443, 1023, 1024, 5000, 32767, 32768, 60999, 65535];
const BLOCKS: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/0",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.1.0/24",
    "10.0.0.8/30",
    "8.8.8.0/24",
    "52.216.0.0/15",
];

/// Documents in describe form: what the lab is built from.
pub struct Plan {
    pub network: Network,
    pub groups: Vec<Value>,
    pub acls: Vec<(u8, Vec<Value>)>,
    /// Groups of each host, in the order of [`HOSTS`].
    pub members: Vec<Vec<&'static str>>,
    /// Routes beyond the local one, by subnet: block and target (`nat`, `igw`, `blackhole`).
    pub routes: Vec<(u8, Vec<(&'static str, &'static str)>)>,
}

fn ports(dice: &mut Dice) -> (u16, u16) {
    let (a, b) = (*dice.pick(EDGES), *dice.pick(EDGES));
    (a.min(b), a.max(b))
}

fn rules(dice: &mut Dice) -> Vec<Value> {
    let mut rules: Vec<Value> = (0..=dice.roll(3))
        .map(|_| {
            let (from, to) = ports(dice);
            let mut rule = json!({ "IpProtocol": "tcp", "FromPort": from, "ToPort": to });
            if dice.one_in(3) {
                rule["UserIdGroupPairs"] = json!([{ "GroupId": dice.pick(GROUPS) }]);
            } else {
                rule["IpRanges"] = json!([{ "CidrIp": dice.pick(BLOCKS) }]);
            }
            rule
        })
        .collect();
    if dice.one_in(2) {
        rules.push(json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }));
    }
    rules
}

fn entries(dice: &mut Dice) -> Vec<Value> {
    let mut entries = Vec::new();
    for egress in [true, false] {
        for n in 0..dice.roll(3) {
            let (from, to) = ports(dice);
            entries.push(json!({
                "RuleNumber": 10 + n, "Egress": egress, "Protocol": "6", "PortRange": { "From": from, "To": to },
                "RuleAction": *dice.pick(&["allow", "deny"]), "CidrBlock": dice.pick(BLOCKS)
            }));
        }
        if !dice.one_in(5) {
            entries.push(json!({ "RuleNumber": 100, "Egress": egress, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }));
        }
        entries.push(json!({ "RuleNumber": 32767, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }));
    }
    entries
}

pub fn plan(dice: &mut Dice) -> Plan {
    let mut network = Network { region: Some("us-east-1".into()), ..Network::default() };
    let mut put = |key: &str, row: &Value| add(&mut network, key, row, &EvidenceId::from("c1"));
    put("Vpcs", &json!({ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16" }));
    let mut acls = Vec::new();
    let mut routes = Vec::new();
    for subnet in SUBNETS.iter().copied() {
        let id = format!("subnet-{subnet}");
        put(
            "Subnets",
            &json!({ "SubnetId": id, "VpcId": "vpc-1", "CidrBlock": format!("10.0.{subnet}.0/24") }),
        );
        let list = entries(dice);
        put(
            "NetworkAcls",
            &json!({ "NetworkAclId": format!("acl-{subnet}"), "Associations": [{ "SubnetId": id }], "Entries": list }),
        );
        acls.push((subnet, list));
        let mut own: Vec<(&str, &str)> = Vec::new();
        if subnet == 9 {
            own.push(("0.0.0.0/0", "igw"));
        } else {
            match dice.roll(8) {
                0 => {}
                1 => own.push(("0.0.0.0/0", "igw")),
                2 => own.push(("0.0.0.0/0", "blackhole")),
                _ => own.push(("0.0.0.0/0", "nat")),
            }
            if dice.one_in(3) {
                own.push(("52.216.0.0/16", *dice.pick(&["nat", "blackhole"])));
            }
        }
        let mut all = vec![
            json!({ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" }),
        ];
        for (block, target) in &own {
            let mut route = match *target {
                "igw" => json!({ "GatewayId": "igw-1", "State": "active" }),
                "nat" => json!({ "NatGatewayId": "nat-1", "State": "active" }),
                _ => json!({ "NatGatewayId": "nat-gone", "State": "blackhole" }),
            };
            route["DestinationCidrBlock"] = json!(block);
            all.push(route);
        }
        put(
            "RouteTables",
            &json!({ "RouteTableId": format!("rtb-{subnet}"), "VpcId": "vpc-1", "Associations": [{ "SubnetId": id }], "Routes": all }),
        );
        routes.push((subnet, own));
    }
    let groups: Vec<Value> = GROUPS
        .iter()
        .map(|id| json!({ "GroupId": id, "IpPermissions": rules(dice), "IpPermissionsEgress": rules(dice) }))
        .collect();
    for group in &groups {
        put("SecurityGroups", group);
    }
    let mut members = Vec::new();
    for (host, subnet, octet) in HOSTS {
        let mut own = vec![*dice.pick(GROUPS)];
        let other = *dice.pick(GROUPS);
        if dice.one_in(2) && !own.contains(&other) {
            own.push(other);
        }
        let list: Vec<Value> = own.iter().map(|id| json!({ "GroupId": id })).collect();
        put(
            "NetworkInterfaces",
            &json!({
                "NetworkInterfaceId": format!("eni-{host}"), "VpcId": "vpc-1", "SubnetId": format!("subnet-{subnet}"),
                "PrivateIpAddress": format!("10.0.{subnet}.{octet}"), "Groups": list, "Status": "in-use"
            }),
        );
        members.push(own);
    }
    put(
        "InternetGateways",
        &json!({ "InternetGatewayId": "igw-1", "Attachments": [{ "VpcId": "vpc-1", "State": "available" }] }),
    );
    put(
        "NatGateways",
        &json!({
            "NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-9", "State": "available", "ConnectivityType": "public",
            "NatGatewayAddresses": [{ "PrivateIp": NAT, "PublicIp": "3.3.3.3", "NetworkInterfaceId": "eni-nat" }]
        }),
    );
    Plan { network, groups, acls, members, routes }
}

/// A connection between two hosts, or from a host to the internet.
pub fn job(dice: &mut Dice) -> Job {
    let (host, ..) = *dice.pick(HOSTS);
    let address = loop {
        if dice.one_in(2) {
            break dice.pick(OUTSIDE).parse().unwrap();
        }
        let (other, subnet, octet) = *dice.pick(HOSTS);
        if other != host {
            break std::net::Ipv4Addr::new(10, 0, subnet, octet);
        }
    };
    Job { host, source_port: *dice.pick(SOURCE_PORTS), address, port: *dice.pick(PORTS) }
}
