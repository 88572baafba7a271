//! Random small worlds: two VPCs, peering, NAT, internet gateways, a gateway endpoint, groups, ACLs, routes.
//!
//! Values are few and close together, so that rules and packets meet at their edges.

use launchpath_model::EvidenceId;
use launchpath_model::world::Network;
use serde_json::{Value, json};

use crate::snapshot::add;

/// A small deterministic generator (splitmix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.roll(from.len())]
    }
}

pub const PORTS: &[u16] = &[22, 80, 443, 1023, 1024, 5000, 32767, 32768, 60999, 61000, 65535];
pub const BLOCKS: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/0",
    "10.0.0.0/16",
    "10.1.0.0/16",
    "10.0.0.0/24",
    "10.0.1.0/24",
    "10.1.0.0/24",
    "10.0.1.8/29",
    "10.1.0.10/32",
    "8.8.8.8/32",
    "52.216.0.0/15",
    "3.3.3.0/24",
];
pub const GROUPS: &[&str] = &["sg-a", "sg-b", "sg-c", "sg-d"];
pub const ADDRESSES: &[&str] = &[
    "10.0.0.10",
    "10.0.0.11",
    "10.0.1.10",
    "10.0.2.10",
    "10.1.0.10",
    "10.1.1.10",
    "10.0.9.1",
    "10.0.1.99",
    "8.8.8.8",
    "52.216.0.5",
    "52.218.0.5",
    "3.3.3.1",
    "3.3.3.2",
    "3.3.3.9",
    "192.168.1.1",
    "10.0.0.5",
];

fn port_range(dice: &mut Dice) -> (u16, u16) {
    let (a, b) = (*dice.pick(PORTS), *dice.pick(PORTS));
    (a.min(b), a.max(b))
}

fn permission(dice: &mut Dice) -> Value {
    let mut rule = match dice.roll(5) {
        0 => json!({ "IpProtocol": "-1" }),
        1 => json!({ "IpProtocol": "icmp", "FromPort": *dice.pick(&[-1, 8, 0]), "ToPort": -1 }),
        _ => {
            let (from, to) = port_range(dice);
            json!({ "IpProtocol": *dice.pick(&["tcp", "tcp", "udp"]), "FromPort": from, "ToPort": to })
        }
    };
    match dice.roll(4) {
        0 => rule["UserIdGroupPairs"] = json!([{ "GroupId": dice.pick(GROUPS) }]),
        1 => rule["PrefixListIds"] = json!([{ "PrefixListId": "pl-s3" }]),
        _ => rule["IpRanges"] = json!([{ "CidrIp": dice.pick(BLOCKS) }, { "CidrIp": dice.pick(BLOCKS) }]),
    }
    rule
}

fn permissions(dice: &mut Dice) -> Vec<Value> {
    let mut rules: Vec<Value> = (0..dice.roll(4)).map(|_| permission(dice)).collect();
    if dice.one_in(2) {
        rules.push(json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }));
    }
    rules
}

pub fn acl_entry(dice: &mut Dice, number: i64, action: &str) -> Value {
    let mut entry = json!({
        "RuleNumber": number, "Egress": dice.one_in(2), "RuleAction": action, "CidrBlock": dice.pick(BLOCKS)
    });
    match dice.roll(4) {
        0 => entry["Protocol"] = json!("-1"),
        1 => {
            entry["Protocol"] = json!("1");
            entry["IcmpTypeCode"] = json!({ "Type": *dice.pick(&[-1, 8, 0]), "Code": -1 });
        }
        _ => {
            let (from, to) = port_range(dice);
            entry["Protocol"] = json!(*dice.pick(&["6", "6", "17"]));
            entry["PortRange"] = json!({ "From": from, "To": to });
        }
    }
    entry
}

fn acl(dice: &mut Dice, id: &str, subnet: &str) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    for n in 0..dice.roll(4) {
        let action = *dice.pick(&["allow", "deny"]);
        entries.push(acl_entry(dice, 10 + 10 * i64::try_from(n).unwrap(), action));
    }
    for egress in [true, false] {
        if !dice.one_in(6) {
            entries.push(json!({ "RuleNumber": 100, "Egress": egress, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }));
        }
        entries.push(json!({ "RuleNumber": 32767, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }));
    }
    json!({ "NetworkAclId": id, "Associations": [{ "SubnetId": subnet }], "Entries": entries })
}

fn table(dice: &mut Dice, vpc: char, subnet: &str) -> Value {
    let own = if vpc == 'a' { "10.0.0.0/16" } else { "10.1.0.0/16" };
    let mut routes = vec![
        json!({ "DestinationCidrBlock": own, "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" }),
    ];
    let default = *dice.pick(&["igw", "nat", "nat", "none", "pcx", "black"]);
    let target = |kind: &str| match kind {
        "igw" => json!({ "GatewayId": format!("igw-{vpc}"), "State": "active" }),
        "nat" => json!({ "NatGatewayId": format!("nat-{vpc}"), "State": "active" }),
        "pcx" => json!({ "VpcPeeringConnectionId": "pcx-1", "State": "active" }),
        _ => json!({ "NatGatewayId": "nat-gone", "State": "blackhole" }),
    };
    if default != "none" {
        let mut route = target(default);
        route["DestinationCidrBlock"] = json!("0.0.0.0/0");
        routes.push(route);
    }
    let other = if vpc == 'a' { "10.1.0.0/16" } else { "10.0.0.0/16" };
    if !dice.one_in(3) {
        let mut route = target(dice.pick::<&str>(&["pcx", "pcx", "pcx", "nat", "black"]));
        route["DestinationCidrBlock"] = json!(*dice.pick(&[other, other, "10.1.0.0/24", "10.0.0.0/24"]));
        routes.push(route);
    }
    if dice.one_in(4) {
        let mut route = target(dice.pick::<&str>(&["igw", "nat", "black", "pcx"]));
        route["DestinationCidrBlock"] = json!(*dice.pick(&["8.8.8.0/24", "52.216.0.0/16", "3.3.3.0/24"]));
        routes.push(route);
    }
    if dice.one_in(2) {
        routes.push(json!({ "DestinationPrefixListId": "pl-s3", "GatewayId": format!("vpce-{vpc}"), "State": "active" }));
    }
    json!({ "RouteTableId": format!("rtb-{subnet}"), "VpcId": format!("vpc-{vpc}"), "Associations": [{ "SubnetId": subnet }], "Routes": routes })
}

fn interface(
    dice: &mut Dice,
    id: &str,
    vpc: char,
    subnet: &str,
    address: &str,
    public: Option<&str>,
) -> Value {
    let mut groups = vec![json!({ "GroupId": dice.pick(GROUPS) })];
    if dice.one_in(3) {
        groups.push(json!({ "GroupId": dice.pick(GROUPS) }));
    }
    let mut row = json!({
        "NetworkInterfaceId": id, "VpcId": format!("vpc-{vpc}"), "SubnetId": subnet, "PrivateIpAddress": address,
        "Groups": groups, "Status": "in-use"
    });
    if let Some(public) = public {
        row["Association"] = json!({ "PublicIp": public });
    }
    row
}

/// The interfaces a walk can start from.
pub const INTERFACES: &[&str] = &["eni-a0", "eni-a0b", "eni-a1", "eni-a2", "eni-b0", "eni-b1"];

pub fn world(dice: &mut Dice) -> Network {
    let mut network = Network { region: Some("us-east-1".into()), ..Network::default() };
    let mut put = |key: &str, row: Value| add(&mut network, key, &row, &EvidenceId::from("f1"));
    put("Vpcs", json!({ "VpcId": "vpc-a", "CidrBlock": "10.0.0.0/16" }));
    put("Vpcs", json!({ "VpcId": "vpc-b", "CidrBlock": "10.1.0.0/16" }));
    for (vpc, subnet, block) in [
        ('a', "subnet-a0", "10.0.0.0/24"),
        ('a', "subnet-a1", "10.0.1.0/24"),
        ('a', "subnet-a2", "10.0.2.0/24"),
        ('b', "subnet-b0", "10.1.0.0/24"),
        ('b', "subnet-b1", "10.1.1.0/24"),
    ] {
        put(
            "Subnets",
            json!({ "SubnetId": subnet, "VpcId": format!("vpc-{vpc}"), "CidrBlock": block, "AvailabilityZone": "us-east-1a" }),
        );
        put("NetworkAcls", acl(dice, &format!("acl-{subnet}"), subnet));
        put("RouteTables", table(dice, vpc, subnet));
    }
    for id in GROUPS {
        put(
            "SecurityGroups",
            json!({ "GroupId": id, "IpPermissions": permissions(dice), "IpPermissionsEgress": permissions(dice) }),
        );
    }
    let public = |dice: &mut Dice, ip| dice.one_in(2).then_some(ip);
    let (one, two) = (public(dice, "3.3.3.1"), public(dice, "3.3.3.2"));
    for row in [
        interface(dice, "eni-a0", 'a', "subnet-a0", "10.0.0.10", one),
        interface(dice, "eni-a0b", 'a', "subnet-a0", "10.0.0.11", None),
        interface(dice, "eni-a1", 'a', "subnet-a1", "10.0.1.10", None),
        interface(dice, "eni-a2", 'a', "subnet-a2", "10.0.2.10", None),
        interface(dice, "eni-b0", 'b', "subnet-b0", "10.1.0.10", two),
        interface(dice, "eni-b1", 'b', "subnet-b1", "10.1.1.10", None),
    ] {
        put("NetworkInterfaces", row);
    }
    for vpc in ['a', 'b'] {
        put(
            "InternetGateways",
            json!({ "InternetGatewayId": format!("igw-{vpc}"), "Attachments": [{ "VpcId": format!("vpc-{vpc}"), "State": "available" }] }),
        );
        let (private, address) =
            if vpc == 'a' { ("10.0.0.5", "3.3.3.100") } else { ("10.1.0.5", "3.3.3.101") };
        let state = if dice.one_in(10) { "failed" } else { "available" };
        put(
            "NatGateways",
            json!({
                "NatGatewayId": format!("nat-{vpc}"), "VpcId": format!("vpc-{vpc}"), "SubnetId": format!("subnet-{vpc}0"), "State": state,
                "ConnectivityType": "public", "NatGatewayAddresses": [{ "PrivateIp": private, "PublicIp": address, "NetworkInterfaceId": format!("eni-nat-{vpc}") }]
            }),
        );
        put(
            "NetworkInterfaces",
            json!({
                "NetworkInterfaceId": format!("eni-nat-{vpc}"), "VpcId": format!("vpc-{vpc}"), "SubnetId": format!("subnet-{vpc}0"),
                "PrivateIpAddress": private, "InterfaceType": "nat_gateway", "Groups": []
            }),
        );
        put(
            "VpcEndpoints",
            json!({
                "VpcEndpointId": format!("vpce-{vpc}"), "VpcEndpointType": "Gateway", "VpcId": format!("vpc-{vpc}"),
                "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available"
            }),
        );
    }
    put(
        "PrefixLists",
        json!({ "PrefixListId": "pl-s3", "PrefixListName": "com.amazonaws.us-east-1.s3", "Cidrs": ["52.216.0.0/15"] }),
    );
    put(
        "VpcPeeringConnections",
        json!({
            "VpcPeeringConnectionId": "pcx-1", "Status": { "Code": "active" },
            "AccepterVpcInfo": { "VpcId": "vpc-a" }, "RequesterVpcInfo": { "VpcId": "vpc-b" }
        }),
    );
    network
}

/// The world with a transit gateway: an attachment of each VPC, and routes to the gateway in place of some others.
pub fn with_transit_gateway(dice: &mut Dice) -> Network {
    let mut network = world(dice);
    let ids: Vec<_> = network.route_tables.iter().map(|(id, _)| id.clone()).collect();
    for id in ids {
        let routes = network.route_tables.seen_mut(&id).unwrap().value.routes.as_mut().unwrap();
        for route in routes.iter_mut().filter(|route| route.gateway_id.as_deref() != Some("local")) {
            if route.destination_prefix_list_id.is_none() && dice.one_in(2) {
                *route = launchpath_model::aws::route_table::Route {
                    destination_cidr_block: route.destination_cidr_block,
                    transit_gateway_id: Some("tgw-1".into()),
                    state: Some("active".into()),
                    ..Default::default()
                };
            }
        }
    }
    for (vpc, net) in [('a', 0), ('b', 1)] {
        let mut subnets = Vec::new();
        for (part, zone) in [(7, 'a'), (8, 'b')] {
            let subnet = format!("subnet-{vpc}{part}");
            // Now and then the hosts' own subnet is the attachment's.
            if dice.one_in(8) {
                subnets.push(format!("subnet-{vpc}0"));
                continue;
            }
            if part == 8 && dice.one_in(2) {
                continue;
            }
            let mut put = |key: &str, row: Value| add(&mut network, key, &row, &EvidenceId::from("f1"));
            put(
                "Subnets",
                json!({
                    "SubnetId": subnet, "VpcId": format!("vpc-{vpc}"), "CidrBlock": format!("10.{net}.{part}.0/28"),
                    "AvailabilityZone": format!("us-east-1{zone}")
                }),
            );
            put("NetworkAcls", acl(dice, &format!("acl-{subnet}"), &subnet));
            put("RouteTables", table(dice, vpc, &subnet));
            subnets.push(subnet);
        }
        subnets.dedup();
        let attachment = json!({
            "TransitGatewayAttachmentId": format!("att-{vpc}"), "TransitGatewayId": "tgw-1", "VpcId": format!("vpc-{vpc}"),
            "State": "available", "SubnetIds": subnets
        });
        add(&mut network, "TransitGatewayVpcAttachments", &attachment, &EvidenceId::from("f1"));
    }
    add(&mut network, "TransitGateways", &json!({ "TransitGatewayId": "tgw-1" }), &EvidenceId::from("f1"));
    network
}

/// With the gateway's own table, which leads to both VPCs.
pub fn with_transit_routes(network: &mut Network) {
    let mut put = |key: &str, row: Value| add(network, key, &row, &EvidenceId::from("f1"));
    let mut propagations = Vec::new();
    for vpc in ['a', 'b'] {
        put(
            "TransitGatewayAttachments",
            json!({
                "TransitGatewayAttachmentId": format!("att-{vpc}"), "TransitGatewayId": "tgw-1", "ResourceType": "vpc",
                "ResourceId": format!("vpc-{vpc}"), "Association": { "TransitGatewayRouteTableId": "tgw-rtb-1", "State": "associated" }
            }),
        );
        propagations.push(json!({
            "TransitGatewayAttachmentId": format!("att-{vpc}"), "ResourceType": "vpc", "ResourceId": format!("vpc-{vpc}"), "State": "enabled"
        }));
    }
    put(
        "TransitGatewayPropagations",
        json!({
            "TransitGatewayRouteTableId": "tgw-rtb-1", "TransitGatewayRouteTablePropagations": propagations
        }),
    );
}
