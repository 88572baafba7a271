//! Single elements: group rules as public records state them, transit gateways, IPv6, regional NAT gateways, public access.

use launchpath_model::EvidenceId;
use launchpath_model::world::Network;
use launchpath_net::batch::flow_of;
use launchpath_net::{BlockerKind, Destination, Engine, Flow, Source, Start, Verdict};
use serde_json::{Value, json};

use crate::snapshot::{add, shared_data};

pub(crate) fn build(rows: &[(&str, Value)]) -> Network {
    let mut network = Network { region: Some("us-east-1".into()), ..Network::default() };
    for (key, row) in rows {
        add(&mut network, key, row, &EvidenceId::from("c1"));
    }
    network
}

pub(crate) fn open_group(id: &str) -> Value {
    let all = json!([{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }], "Ipv6Ranges": [{ "CidrIpv6": "::/0" }] }]);
    json!({ "GroupId": id, "IpPermissions": all, "IpPermissionsEgress": all })
}

pub(crate) fn interface(
    id: &str,
    vpc: &str,
    subnet: &str,
    address: &str,
    group: &str,
) -> (&'static str, Value) {
    let row = json!({
        "NetworkInterfaceId": id, "VpcId": vpc, "SubnetId": subnet, "PrivateIpAddress": address, "Groups": [{ "GroupId": group }]
    });
    ("NetworkInterfaces", row)
}

/// Every single-rule record: the group on one interface, the peer on the other, nothing else in the way.
#[test]
fn group_rules_of_the_public_records() {
    let Some(data) = shared_data() else { return };
    let folder = data.join("network");
    let records = std::fs::read_to_string(folder.join("sg_rules.jsonl")).unwrap();
    let mut count = 0;
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let file = std::fs::read_to_string(folder.join(record["data"].as_str().unwrap())).unwrap();
        let document: Value = serde_json::from_str(&file).unwrap();
        let index = usize::try_from(record["group_index"].as_u64().unwrap()).unwrap();
        let mut group = document["SecurityGroups"][index].clone();
        group["GroupId"] = json!("sg-tested");
        let peer = record["peer_ip"].as_str().unwrap();
        // The peer sits in the same subnet, so that no ACL and no route decides.
        let network = build(&[
            ("Vpcs", json!({ "VpcId": "vpc-1", "CidrBlock": "0.0.0.0/0" })),
            ("Subnets", json!({ "SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "0.0.0.0/0" })),
            ("SecurityGroups", group),
            ("SecurityGroups", open_group("sg-open")),
            interface("eni-tested", "vpc-1", "subnet-1", "10.0.0.1", "sg-tested"),
            interface("eni-peer", "vpc-1", "subnet-1", peer, "sg-open"),
        ]);
        let engine = Engine::of_snapshot(&network);
        let (from, to) = match record["direction"].as_str().unwrap() {
            "ingress" => ("eni-peer", "eni-tested"),
            _ => ("eni-tested", "eni-peer"),
        };
        let flow = flow_of(&record["protocol"], &record["port"]).unwrap();
        let answer = engine.reach_from(&Start::Known(from.into()), &Destination::Interface(to.into()), &flow);
        let expected = if record["expected"]["permit"] == true { Verdict::All } else { Verdict::None };
        assert_eq!(answer.verdict, expected, "{record}: {:?}", answer.blocked_by);
        count += 1;
    }
    assert!(count > 0);
}

fn acl(id: &str, subnet: &str, entries: &[(bool, &str, &str)]) -> (&'static str, Value) {
    let list: Vec<Value> = entries
        .iter()
        .zip(100..)
        .map(|((egress, action, block), number)| {
            json!({ "RuleNumber": number, "Egress": egress, "Protocol": "-1", "RuleAction": action, "CidrBlock": block })
        })
        .collect();
    ("NetworkAcls", json!({ "NetworkAclId": id, "Associations": [{ "SubnetId": subnet }], "Entries": list }))
}

const OPEN: &[(bool, &str, &str)] = &[(true, "allow", "0.0.0.0/0"), (false, "allow", "0.0.0.0/0")];

/// Two VPCs on a transit gateway; attachments in subnets of their own; hosts in zone a.
pub(crate) fn transit() -> Vec<(&'static str, Value)> {
    let mut rows = vec![("SecurityGroups", open_group("sg-open"))];
    for (vpc, net) in [("vpc-1", 1), ("vpc-2", 2)] {
        let other = 3 - net;
        rows.push(("Vpcs", json!({ "VpcId": vpc, "CidrBlock": format!("10.{net}.0.0/16") })));
        for (part, name) in [(0, "host"), (1, "gate")] {
            let subnet = format!("subnet-{name}-{net}");
            rows.push(("Subnets", json!({
                "SubnetId": subnet, "VpcId": vpc, "CidrBlock": format!("10.{net}.{part}.0/24"), "AvailabilityZone": "us-east-1a"
            })));
            rows.push(("RouteTables", json!({
                "RouteTableId": format!("rtb-{name}-{net}"), "VpcId": vpc, "Associations": [{ "SubnetId": subnet }],
                "Routes": [
                    { "DestinationCidrBlock": format!("10.{net}.0.0/16"), "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" },
                    { "DestinationCidrBlock": format!("10.{other}.0.0/16"), "TransitGatewayId": "tgw-1", "State": "active" }
                ]
            })));
            rows.push(acl(&format!("acl-{name}-{net}"), &subnet, OPEN));
        }
        rows.push(interface(
            &format!("eni-{net}"),
            vpc,
            &format!("subnet-host-{net}"),
            &format!("10.{net}.0.10"),
            "sg-open",
        ));
        rows.push(("TransitGatewayVpcAttachments", json!({
            "TransitGatewayAttachmentId": format!("att-{net}"), "TransitGatewayId": "tgw-1", "VpcId": vpc, "State": "available",
            "SubnetIds": [format!("subnet-gate-{net}")]
        })));
        rows.push(("TransitGatewayAttachments", json!({
            "TransitGatewayAttachmentId": format!("att-{net}"), "TransitGatewayId": "tgw-1", "ResourceType": "vpc", "ResourceId": vpc,
            "Association": { "TransitGatewayRouteTableId": "tgw-rtb-1", "State": "associated" }
        })));
    }
    rows.push(("TransitGateways", json!({ "TransitGatewayId": "tgw-1" })));
    rows.push(("TransitGatewayPropagations", json!({
        "TransitGatewayRouteTableId": "tgw-rtb-1",
        "TransitGatewayRouteTablePropagations": [
            { "TransitGatewayAttachmentId": "att-1", "ResourceType": "vpc", "ResourceId": "vpc-1", "State": "enabled" },
            { "TransitGatewayAttachmentId": "att-2", "ResourceType": "vpc", "ResourceId": "vpc-2", "State": "enabled" }
        ]
    })));
    rows
}

fn across(rows: &[(&str, Value)]) -> (Verdict, Vec<(BlockerKind, String)>) {
    let network = build(rows);
    let engine = Engine::of_snapshot(&network);
    let answer = engine.reach_from(
        &Start::Known("eni-1".into()),
        &Destination::Interface("eni-2".into()),
        &Flow::tcp(443),
    );
    (answer.verdict, answer.blocked_by.into_iter().map(|b| (b.kind, b.id.to_string())).collect())
}

#[test]
fn a_transit_gateway_joins_two_vpcs() {
    assert_eq!(across(&transit()), (Verdict::All, vec![]));
}

#[test]
fn an_attachment_without_a_subnet_in_the_zone_carries_nothing() {
    let mut rows = transit();
    for (key, row) in &mut rows {
        if *key == "Subnets" && row["SubnetId"] == "subnet-gate-1" {
            row["AvailabilityZone"] = json!("us-east-1b");
        }
    }
    let (verdict, blockers) = across(&rows);
    assert_eq!(verdict, Verdict::None);
    assert!(blockers.contains(&(BlockerKind::TransitGatewayAttachment, "tgw-1".to_owned())));
}

/// What enters the gateway meets the inbound rules of the attachment's subnet, what leaves it the outbound rules.
#[test]
fn acls_of_attachment_subnets() {
    let blocked = |subnet: &str, entries: &[(bool, &str, &str)]| {
        let mut rows = transit();
        let id = format!("acl-{}", subnet.trim_start_matches("subnet-"));
        rows.retain(|(key, row)| *key != "NetworkAcls" || row["NetworkAclId"] != id.as_str());
        rows.push(acl(&id, subnet, entries));
        across(&rows).0 == Verdict::None
    };
    let no_inbound =
        [(true, "allow", "0.0.0.0/0"), (false, "deny", "10.1.0.0/16"), (false, "allow", "0.0.0.0/0")];
    let no_outbound =
        [(false, "allow", "0.0.0.0/0"), (true, "deny", "10.2.0.0/16"), (true, "allow", "0.0.0.0/0")];
    assert!(blocked("subnet-gate-1", &no_inbound));
    assert!(!blocked("subnet-gate-1", &no_outbound));
    assert!(blocked("subnet-gate-2", &no_outbound));
    assert!(!blocked("subnet-gate-2", &no_inbound));
}

#[test]
fn group_references_need_the_gateways_option() {
    let verdict = |option: Option<&str>| {
        let mut rows = transit();
        for (key, row) in &mut rows {
            if *key == "TransitGateways"
                && let Some(option) = option
            {
                row["Options"] = json!({ "SecurityGroupReferencingSupport": option });
            }
            if *key == "NetworkInterfaces" && row["NetworkInterfaceId"] == "eni-2" {
                row["Groups"] = json!([{ "GroupId": "sg-by-reference" }]);
            }
        }
        let referring = json!([{ "IpProtocol": "-1", "UserIdGroupPairs": [{ "GroupId": "sg-open" }] }]);
        rows.push((
            "SecurityGroups",
            json!({ "GroupId": "sg-by-reference", "IpPermissions": referring, "IpPermissionsEgress": [] }),
        ));
        across(&rows).0
    };
    assert_eq!(verdict(None), Verdict::None);
    assert_eq!(verdict(Some("disable")), Verdict::None);
    assert_eq!(verdict(Some("enable")), Verdict::All);
}

/// A subnet with both families: NAT for IPv4, an egress-only gateway for IPv6.
fn dual_stack() -> Vec<(&'static str, Value)> {
    let mut group = open_group("sg-open");
    group["IpPermissions"] = json!([]);
    vec![
        ("SecurityGroups", group),
        (
            "Vpcs",
            json!({
                "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Ipv6CidrBlockAssociationSet": [{ "Ipv6CidrBlock": "2600:1f16:751:7800::/56" }]
            }),
        ),
        (
            "Subnets",
            json!({
                "SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a",
                "Ipv6CidrBlockAssociationSet": [{ "Ipv6CidrBlock": "2600:1f16:751:7801::/64" }]
            }),
        ),
        (
            "RouteTables",
            json!({
                "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{ "SubnetId": "subnet-1" }],
                "Routes": [
                    { "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" },
                    { "DestinationIpv6CidrBlock": "2600:1f16:751:7800::/56", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" },
                    { "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active" },
                    { "DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "State": "active" }
                ]
            }),
        ),
        (
            "NetworkAcls",
            json!({
                "NetworkAclId": "acl-1", "Associations": [{ "SubnetId": "subnet-1" }],
                "Entries": [
                    { "RuleNumber": 100, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                    { "RuleNumber": 100, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                    { "RuleNumber": 101, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "Ipv6CidrBlock": "::/0" },
                    { "RuleNumber": 101, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "Ipv6CidrBlock": "::/0" }
                ]
            }),
        ),
        (
            "EgressOnlyInternetGateways",
            json!({ "EgressOnlyInternetGatewayId": "eigw-1", "Attachments": [{ "VpcId": "vpc-1", "State": "attached" }] }),
        ),
        (
            "InternetGateways",
            json!({ "InternetGatewayId": "igw-1", "Attachments": [{ "VpcId": "vpc-1", "State": "available" }] }),
        ),
        (
            "NatGateways",
            json!({
                "NatGatewayId": "nat-1", "VpcId": "vpc-1", "State": "available", "ConnectivityType": "public", "AvailabilityMode": "regional",
                "NatGatewayAddresses": [{ "PublicIp": "3.3.3.3" }]
            }),
        ),
    ]
}

fn out(rows: &[(&str, Value)], from: &str, to: &str) -> (Verdict, Vec<BlockerKind>) {
    let network = build(rows);
    let source = Source {
        subnet: "subnet-1".into(),
        security_groups: vec!["sg-open".into()],
        address: Some(from.parse().unwrap()),
        ..Source::default()
    };
    let destination = Destination::Address(to.parse().unwrap());
    let answer = Engine::of_snapshot(&network).reach(&source, &destination, &Flow::tcp(443));
    assert!(answer.unknown.is_empty(), "{:?}", answer.unknown);
    (answer.verdict, answer.blocked_by.iter().map(|b| b.kind).collect())
}

const V6: (&str, &str) = ("2600:1f16:751:7801::10", "2a00:1450:4001::200e");

#[test]
fn ipv6_leaves_by_the_egress_only_gateway() {
    assert_eq!(out(&dual_stack(), V6.0, V6.1), (Verdict::All, vec![]));
    // No rule of the other family helps.
    let mut rows = dual_stack();
    for (key, row) in &mut rows {
        if *key == "NetworkAcls" {
            row["Entries"].as_array_mut().unwrap().retain(|entry| entry.get("Ipv6CidrBlock").is_none());
        }
    }
    let (verdict, kinds) = out(&rows, V6.0, V6.1);
    assert_eq!(verdict, Verdict::None);
    assert!(kinds.iter().all(|kind| *kind == BlockerKind::NetworkAcl));
    assert_eq!(out(&rows, "10.0.0.10", "8.8.8.8").0, Verdict::All);
}

#[test]
fn a_regional_nat_gateway_needs_no_subnet() {
    assert_eq!(out(&dual_stack(), "10.0.0.10", "8.8.8.8"), (Verdict::All, vec![]));
    let mut rows = dual_stack();
    rows.retain(|(key, _)| *key != "InternetGateways");
    assert_eq!(
        out(&rows, "10.0.0.10", "8.8.8.8"),
        (Verdict::None, vec![BlockerKind::InternetGatewayDetached])
    );
}

#[test]
fn block_public_access_spares_nat_gateways_only_on_ingress_mode() {
    let verdict = |mode: &str, route: Value| {
        let mut rows = dual_stack();
        for (key, row) in &mut rows {
            if *key == "Subnets" {
                row["BlockPublicAccessStates"] = json!({ "InternetGatewayBlockMode": mode });
            }
            if *key == "RouteTables" {
                row["Routes"].as_array_mut().unwrap().retain(|r| r.get("NatGatewayId").is_none());
                row["Routes"].as_array_mut().unwrap().push(route.clone());
            }
            if *key == "NatGateways" {
                *row = json!({
                    "NatGatewayId": "nat-1", "VpcId": "vpc-1", "State": "available", "ConnectivityType": "public", "SubnetId": "subnet-2",
                    "NatGatewayAddresses": [{ "PrivateIp": "10.0.2.5", "PublicIp": "3.3.3.3" }]
                });
            }
        }
        let public = json!({ "SubnetId": "subnet-2", "VpcId": "vpc-1", "CidrBlock": "10.0.2.0/24", "BlockPublicAccessStates": { "InternetGatewayBlockMode": mode } });
        rows.push(("Subnets", public));
        rows.push(acl("acl-2", "subnet-2", OPEN));
        rows.push(("RouteTables", json!({
            "RouteTableId": "rtb-2", "VpcId": "vpc-1", "Associations": [{ "SubnetId": "subnet-2" }],
            "Routes": [
                { "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" },
                { "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active" }
            ]
        })));
        out(&rows, "10.0.0.10", "8.8.8.8")
    };
    let nat = json!({ "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active" });
    assert_eq!(verdict("off", nat.clone()), (Verdict::All, vec![]));
    assert_eq!(verdict("block-ingress", nat.clone()), (Verdict::All, vec![]));
    assert_eq!(verdict("block-bidirectional", nat), (Verdict::None, vec![BlockerKind::PublicAccessBlocked]));
}
