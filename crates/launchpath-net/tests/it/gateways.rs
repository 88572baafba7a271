//! Ways out and across: appliance mode, private NAT gateways, prefix lists in routes, groups of peered VPCs, gateway endpoints,
//! and everything beyond which nothing is seen.

use launchpath_model::world::Network;
use launchpath_net::{Answer, BlockerKind, Destination, Engine, Flow, HopKind, Start, Verdict};
use serde_json::{Value, json};

use crate::elements::{build, interface, open_group, transit};

type Rows = Vec<(&'static str, Value)>;

fn answer(network: &Network, from: &str, to: &Destination, flow: Flow) -> Answer {
    Engine::of_snapshot(network).reach_from(&Start::Known(from.into()), to, &flow)
}

fn to(address: &str) -> Destination {
    Destination::Address(address.parse().unwrap())
}

fn open_acl(id: &str, subnets: &[&str]) -> (&'static str, Value) {
    let associations: Vec<Value> = subnets.iter().map(|subnet| json!({ "SubnetId": subnet })).collect();
    let all = |egress| json!({ "RuleNumber": 100, "Egress": egress, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" });
    (
        "NetworkAcls",
        json!({ "NetworkAclId": id, "Associations": associations, "Entries": [all(true), all(false)] }),
    )
}

fn table(id: &str, vpc: &str, subnet: &str, local: &str, routes: &[Value]) -> (&'static str, Value) {
    let mut all = vec![
        json!({ "DestinationCidrBlock": local, "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" }),
    ];
    all.extend(routes.iter().cloned());
    (
        "RouteTables",
        json!({ "RouteTableId": id, "VpcId": vpc, "Associations": [{ "SubnetId": subnet }], "Routes": all }),
    )
}

/// The transit gateway's attachment of the second VPC gets a second subnet, in zone b, behind an ACL that lets nothing out.
fn with_second_zone(mode: Option<&str>) -> Verdict {
    let mut rows = transit();
    rows.push(("Subnets", json!({ "SubnetId": "subnet-gate-2b", "VpcId": "vpc-2", "CidrBlock": "10.2.2.0/24", "AvailabilityZone": "us-east-1b" })));
    rows.push(table("rtb-gate-2b", "vpc-2", "subnet-gate-2b", "10.2.0.0/16", &[]));
    rows.push(("NetworkAcls", json!({ "NetworkAclId": "acl-gate-2b", "Associations": [{ "SubnetId": "subnet-gate-2b" }], "Entries": [] })));
    for (key, row) in &mut rows {
        if *key == "TransitGatewayVpcAttachments" && row["VpcId"] == "vpc-2" {
            row["SubnetIds"] = json!(["subnet-gate-2", "subnet-gate-2b"]);
            if let Some(mode) = mode {
                row["Options"] = json!({ "ApplianceModeSupport": mode });
            }
        }
    }
    answer(&build(&rows), "eni-1", &Destination::Interface("eni-2".into()), Flow::tcp(443)).verdict
}

/// AWS: packets keep to their zone unless the attachment is in appliance mode; then the zone depends on the flow.
#[test]
fn appliance_mode_leaves_the_zone_open() {
    assert_eq!(with_second_zone(None), Verdict::All);
    assert_eq!(with_second_zone(Some("disable")), Verdict::All);
    assert_eq!(with_second_zone(Some("enable")), Verdict::Unknown);
}

/// A NAT gateway without a public address between the hosts and a transit gateway: what comes out has its address.
fn private_nat(address_admitted: &str) -> Answer {
    let mut rows = transit();
    rows.push(("Subnets", json!({ "SubnetId": "subnet-nat", "VpcId": "vpc-1", "CidrBlock": "10.1.5.0/24", "AvailabilityZone": "us-east-1a" })));
    rows.push(open_acl("acl-nat", &["subnet-nat"]));
    let across =
        json!({ "DestinationCidrBlock": "10.2.0.0/16", "TransitGatewayId": "tgw-1", "State": "active" });
    rows.push(table("rtb-nat", "vpc-1", "subnet-nat", "10.1.0.0/16", &[across]));
    rows.push(("NatGateways", json!({
        "NatGatewayId": "nat-p", "VpcId": "vpc-1", "SubnetId": "subnet-nat", "State": "available", "ConnectivityType": "private",
        "NatGatewayAddresses": [{ "PrivateIp": "10.1.5.5", "NetworkInterfaceId": "eni-nat-p" }]
    })));
    for (key, row) in &mut rows {
        if *key == "RouteTables" && row["RouteTableId"] == "rtb-host-1" {
            row["Routes"][1] =
                json!({ "DestinationCidrBlock": "10.2.0.0/16", "NatGatewayId": "nat-p", "State": "active" });
        }
        if *key == "NetworkInterfaces" && row["NetworkInterfaceId"] == "eni-2" {
            row["Groups"] = json!([{ "GroupId": "sg-by-address" }]);
        }
    }
    rows.push((
        "SecurityGroups",
        json!({ "GroupId": "sg-by-address", "IpPermissionsEgress": [], "IpPermissions": [
        { "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": address_admitted }] }
    ] }),
    ));
    answer(&build(&rows), "eni-1", &Destination::Interface("eni-2".into()), Flow::tcp(443))
}

#[test]
fn a_private_nat_gateway_hides_the_source_and_needs_no_public_address() {
    let admitted = private_nat("10.1.5.5/32");
    assert_eq!(admitted.verdict, Verdict::All, "{:?}", admitted.blocked_by);
    assert!(admitted.parts[0].trace.iter().any(|hop| hop.kind == HopKind::NatGateway));
    let refused = private_nat("10.1.0.0/24");
    assert_eq!(refused.verdict, Verdict::None);
    assert!(
        refused.blocked_by.iter().all(|b| b.kind == BlockerKind::SecurityGroupIngress),
        "{:?}",
        refused.blocked_by
    );
}

/// A private NAT gateway is no way to the internet.
#[test]
fn a_private_nat_gateway_leads_to_no_internet() {
    let rows: Rows = vec![
        ("Vpcs", json!({ "VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16" })),
        ("SecurityGroups", open_group("sg-open")),
        ("Subnets", json!({ "SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.1.0.0/24" })),
        ("Subnets", json!({ "SubnetId": "subnet-nat", "VpcId": "vpc-1", "CidrBlock": "10.1.5.0/24" })),
        open_acl("acl-1", &["subnet-1", "subnet-nat"]),
        table(
            "rtb-1",
            "vpc-1",
            "subnet-1",
            "10.1.0.0/16",
            &[json!({ "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-p", "State": "active" })],
        ),
        table(
            "rtb-nat",
            "vpc-1",
            "subnet-nat",
            "10.1.0.0/16",
            &[json!({ "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active" })],
        ),
        (
            "InternetGateways",
            json!({ "InternetGatewayId": "igw-1", "Attachments": [{ "VpcId": "vpc-1", "State": "available" }] }),
        ),
        (
            "NatGateways",
            json!({
                "NatGatewayId": "nat-p", "VpcId": "vpc-1", "SubnetId": "subnet-nat", "State": "available", "ConnectivityType": "private",
                "NatGatewayAddresses": [{ "PrivateIp": "10.1.5.5" }]
            }),
        ),
        interface("eni-1", "vpc-1", "subnet-1", "10.1.0.10", "sg-open"),
    ];
    let refused = answer(&build(&rows), "eni-1", &to("8.8.8.8"), Flow::tcp(443));
    assert_eq!(
        (refused.verdict, refused.blocked_by[0].kind),
        (Verdict::None, BlockerKind::InternetGatewayNeedsPublicAddress)
    );
    // Its state counts for a public one as well.
    for (state, verdict) in [
        ("available", Verdict::All),
        ("pending", Verdict::None),
        ("failed", Verdict::None),
        ("deleting", Verdict::None),
    ] {
        let mut rows = rows.clone();
        for (key, row) in &mut rows {
            if *key == "NatGateways" {
                row["ConnectivityType"] = json!("public");
                row["State"] = json!(state);
                row["NatGatewayAddresses"][0]["PublicIp"] = json!("3.3.3.3");
            }
        }
        assert_eq!(
            answer(&build(&rows), "eni-1", &to("8.8.8.8"), Flow::tcp(443)).verdict,
            verdict,
            "{state}"
        );
    }
}

/// A customer's prefix list as a route's destination: its entries are routes, one by one, and a block beats them when longer.
#[test]
fn prefix_lists_in_routes() {
    let rows = |entries: Option<Value>, more: &[Value]| -> Rows {
        let mut rows = transit();
        rows.retain(|(key, row)| *key != "RouteTables" || row["RouteTableId"] != "rtb-host-1");
        let mut routes = vec![
            json!({ "DestinationPrefixListId": "pl-own", "TransitGatewayId": "tgw-1", "State": "active" }),
        ];
        routes.extend(more.iter().cloned());
        rows.push(table("rtb-host-1", "vpc-1", "subnet-host-1", "10.1.0.0/16", &routes));
        rows.extend(entries.map(|cidrs| {
            ("PrefixLists", json!({ "PrefixListId": "pl-own", "PrefixListName": "own", "Cidrs": cidrs }))
        }));
        rows
    };
    let ask = |rows: &Rows| answer(&build(rows), "eni-1", &to("10.2.0.10"), Flow::tcp(443));
    assert_eq!(ask(&rows(Some(json!(["10.9.0.0/16", "10.2.0.0/24"])), &[])).verdict, Verdict::All);
    let missing = ask(&rows(Some(json!(["10.9.0.0/16", "10.2.9.0/24"])), &[]));
    assert_eq!((missing.verdict, missing.blocked_by[0].kind), (Verdict::None, BlockerKind::NoRoute));
    let hole = |block: &str| json!({ "DestinationCidrBlock": block, "TransitGatewayId": "tgw-gone", "State": "blackhole" });
    // AWS: the longer prefix; of equal ones the block that is written out.
    for (block, verdict) in
        [("10.2.0.0/25", Verdict::None), ("10.2.0.0/24", Verdict::None), ("10.2.0.0/23", Verdict::All)]
    {
        assert_eq!(ask(&rows(Some(json!(["10.2.0.0/24"])), &[hole(block)])).verdict, verdict, "{block}");
    }
    // Entries that nobody listed may or may not hold the address.
    let unknown = ask(&rows(None, &[]));
    assert_eq!(unknown.verdict, Verdict::Unknown);
    assert!(unknown.unknown.iter().any(|gap| gap.what.contains("pl-own")), "{:?}", unknown.unknown);
}

/// Two peered VPCs; the group of the second admits a group of the first by reference.
fn peered(status: &str) -> Rows {
    let mut rows: Rows = Vec::new();
    for (net, other) in [(1, 2), (2, 1)] {
        let (vpc, subnet) = (format!("vpc-{net}"), format!("subnet-{net}"));
        rows.push(("Vpcs", json!({ "VpcId": vpc, "CidrBlock": format!("10.{net}.0.0/16") })));
        rows.push((
            "Subnets",
            json!({ "SubnetId": subnet, "VpcId": vpc, "CidrBlock": format!("10.{net}.0.0/24") }),
        ));
        rows.push(open_acl(&format!("acl-{net}"), &[&subnet]));
        let route = json!({ "DestinationCidrBlock": format!("10.{other}.0.0/16"), "VpcPeeringConnectionId": "pcx-1", "State": "active" });
        rows.push(table(&format!("rtb-{net}"), &vpc, &subnet, &format!("10.{net}.0.0/16"), &[route]));
        rows.push(interface(
            &format!("eni-{net}"),
            &vpc,
            &subnet,
            &format!("10.{net}.0.10"),
            &format!("sg-{net}"),
        ));
    }
    rows.push(("SecurityGroups", open_group("sg-1")));
    rows.push(("SecurityGroups", json!({ "GroupId": "sg-2", "VpcId": "vpc-2", "IpPermissionsEgress": [], "IpPermissions": [
        { "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{ "GroupId": "sg-1", "VpcId": "vpc-1", "VpcPeeringConnectionId": "pcx-1", "PeeringStatus": "active" }] }
    ] })));
    rows.push((
        "VpcPeeringConnections",
        json!({
            "VpcPeeringConnectionId": "pcx-1", "Status": { "Code": status },
            "AccepterVpcInfo": { "VpcId": "vpc-2" }, "RequesterVpcInfo": { "VpcId": "vpc-1" }
        }),
    ));
    rows
}

/// AWS: <https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html>
#[test]
fn groups_of_a_peered_vpc_may_be_named() {
    let ask = |rows: &Rows, port| {
        answer(&build(rows), "eni-1", &Destination::Interface("eni-2".into()), Flow::tcp(port))
    };
    assert_eq!(ask(&peered("active"), 443).verdict, Verdict::All);
    assert_eq!(ask(&peered("active"), 22).verdict, Verdict::None);
    // Egress by reference to a group beyond the peering.
    let mut by_reference = peered("active");
    for (key, row) in &mut by_reference {
        if *key == "SecurityGroups" && row["GroupId"] == "sg-1" {
            row["IpPermissionsEgress"] =
                json!([{ "IpProtocol": "-1", "UserIdGroupPairs": [{ "GroupId": "sg-2" }] }]);
        }
    }
    assert_eq!(ask(&by_reference, 443).verdict, Verdict::All);
    for status in ["pending-acceptance", "deleted", "expired", "rejected"] {
        let refused = ask(&peered(status), 443);
        assert_eq!(refused.blocked_by[0].kind, BlockerKind::PeeringUnusable, "{status}");
    }
    // Peering is not transitive: the peer's internet gateway is out of reach.
    let mut through = peered("active");
    for (key, row) in &mut through {
        if *key == "RouteTables" && row["RouteTableId"] == "rtb-1" {
            row["Routes"][1]["DestinationCidrBlock"] = json!("0.0.0.0/0");
        }
    }
    let refused = answer(&build(&through), "eni-1", &to("8.8.8.8"), Flow::tcp(443));
    assert_eq!((refused.verdict, refused.blocked_by[0].kind), (Verdict::None, BlockerKind::PeeringUnusable));
}

/// Every element beyond which nothing is seen answers unknown, and names itself.
#[test]
fn what_is_not_seen_is_said() {
    for (target, named) in [
        (json!({ "GatewayId": "vgw-1" }), "vgw-1"),
        (json!({ "TransitGatewayId": "tgw-9" }), "tgw-9"),
        (json!({ "GatewayId": "vpce-firewall" }), "vpce-firewall"),
        (json!({ "NetworkInterfaceId": "eni-2" }), "eni-2"),
        (json!({ "CarrierGatewayId": "cagw-1" }), "cagw-1"),
        (json!({ "LocalGatewayId": "lgw-1" }), "lgw-1"),
        (json!({ "CoreNetworkArn": "arn:aws:networkmanager::1:core-network/c-1" }), "core-network/c-1"),
    ] {
        let mut rows = transit();
        rows.push(("VpcEndpoints", json!({
            "VpcEndpointId": "vpce-firewall", "VpcEndpointType": "GatewayLoadBalancer", "VpcId": "vpc-1", "State": "available",
            "ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-1", "SubnetIds": ["subnet-gate-1"]
        })));
        let mut route = target.clone();
        route["DestinationCidrBlock"] = json!("0.0.0.0/0");
        route["State"] = json!("active");
        for (key, row) in &mut rows {
            if *key == "RouteTables" && row["RouteTableId"] == "rtb-host-1" {
                row["Routes"].as_array_mut().unwrap().push(route.clone());
            }
        }
        let unknown = answer(&build(&rows), "eni-1", &to("8.8.8.8"), Flow::tcp(443));
        assert_eq!(unknown.verdict, Verdict::Unknown, "{target}: {:?}", unknown.blocked_by);
        assert!(
            unknown.unknown.iter().any(|gap| gap.what.contains(named)),
            "{target}: {:?}",
            unknown.unknown
        );
    }
}

/// An appliance drops what is not for itself until its source and destination check is off.
#[test]
fn an_appliance_that_checks_its_packets_drops_them() {
    let mut rows = transit();
    let route =
        json!({ "DestinationCidrBlock": "0.0.0.0/0", "NetworkInterfaceId": "eni-box", "State": "active" });
    for (key, row) in &mut rows {
        if *key == "RouteTables" && row["RouteTableId"] == "rtb-host-1" {
            row["Routes"].as_array_mut().unwrap().push(route.clone());
        }
    }
    let ask = |check: bool| {
        let mut rows = rows.clone();
        let (key, mut row) = interface("eni-box", "vpc-1", "subnet-gate-1", "10.1.1.20", "sg-open");
        row["SourceDestCheck"] = json!(check);
        rows.push((key, row));
        answer(&build(&rows), "eni-1", &to("8.8.8.8"), Flow::tcp(443))
    };
    assert_eq!(ask(false).verdict, Verdict::Unknown);
    let refused = ask(true);
    assert_eq!(
        (refused.verdict, refused.blocked_by[0].kind),
        (Verdict::None, BlockerKind::SourceDestinationCheck)
    );
}

/// A gateway endpoint serves the subnets whose table has its route, and its own VPC alone.
#[test]
fn a_gateway_endpoint_serves_its_own_vpc_by_its_route() {
    let mut rows = peered("active");
    rows.push(("PrefixLists", json!({ "PrefixListId": "pl-s3", "PrefixListName": "com.amazonaws.us-east-1.s3", "Cidrs": ["52.216.0.0/15"] })));
    rows.push(("VpcEndpoints", json!({
        "VpcEndpointId": "vpce-s3", "VpcEndpointType": "Gateway", "VpcId": "vpc-2", "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available"
    })));
    for (key, row) in &mut rows {
        let routes = row["Routes"].as_array_mut();
        if *key == "RouteTables" && routes.is_some() {
            let to_list = |id: &str, target: &str| json!({ "DestinationPrefixListId": "pl-s3", id: target, "State": "active" });
            let route = if row["RouteTableId"] == "rtb-2" {
                to_list("GatewayId", "vpce-s3")
            } else {
                to_list("VpcPeeringConnectionId", "pcx-1")
            };
            row["Routes"].as_array_mut().unwrap().push(route);
        }
    }
    let network = build(&rows);
    assert_eq!(
        answer(&network, "eni-2", &to("52.216.0.5"), Flow::tcp(443)).verdict,
        Verdict::None,
        "sg-2 lets nothing out"
    );
    let mut rows = rows;
    for (key, row) in &mut rows {
        if *key == "SecurityGroups" && row["GroupId"] == "sg-2" {
            row["IpPermissionsEgress"] = json!([{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{ "PrefixListId": "pl-s3" }] }]);
        }
    }
    let network = build(&rows);
    assert_eq!(answer(&network, "eni-2", &to("52.216.0.5"), Flow::tcp(443)).verdict, Verdict::All);
    assert_eq!(
        answer(&network, "eni-2", &to("52.218.0.5"), Flow::tcp(443)).verdict,
        Verdict::None,
        "not an entry of the list"
    );
    let across = answer(&network, "eni-1", &to("52.216.0.5"), Flow::tcp(443));
    assert_eq!((across.verdict, across.blocked_by[0].kind), (Verdict::None, BlockerKind::PeeringUnusable));
}
