//! What cannot be seen, and what is refused all the same: whatever lies beyond, some elements cannot be gone round.

use std::cell::Cell;

use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Table};
use launchpath_net::{
    Answer, BlockerKind, Destination, Engine, Flow, Leg, Outcome, Packet, Source, Start, Verdict,
};
use serde_json::{Value, json};

use crate::elements::{build, transit};
use crate::launch::{ask, healthy};
use crate::random::{ask as ask_address, every_query, flow, nat_ports, source_address, unfiltered, value};
use crate::random_vpc::{ADDRESSES, Dice, INTERFACES, with_transit_gateway, with_transit_routes};
use crate::simulator::{Datagram, Simulator};
use crate::snapshot::add;

/// Beyond a transit gateway whose routes nobody listed: a packet is refused exactly when no network beyond could carry it and
/// bring its answer home, packet by packet against the simulator.
#[test]
fn what_no_network_beyond_could_carry_is_refused() {
    let ports = nat_ports();
    let (mut pairs, mut refused, mut open) = (0u64, 0u64, 0u64);
    for seed in 0..700 {
        let mut dice = Dice::new(60_000 + seed);
        let network = with_transit_gateway(&mut dice);
        let engine = Engine::of_snapshot(&network);
        for _ in 0..4 {
            let interface = *dice.pick(INTERFACES);
            let address = *dice.pick(ADDRESSES);
            let flow = flow(&mut dice);
            let answer = ask_address(&engine, interface, address, &flow);
            for _ in 0..8 {
                let packet = Packet {
                    protocol: flow.protocol,
                    source: source_address(&network, interface).into(),
                    destination: address.parse().unwrap(),
                    from: value(&mut dice, flow.from),
                    to: value(&mut dice, flow.to),
                };
                let datagram = Datagram {
                    protocol: packet.protocol,
                    source: source_address(&network, interface),
                    destination: address.parse().unwrap(),
                    from: packet.from,
                    to: packet.to,
                };
                let (mut works, mut may_work, mut fails) = (false, false, false);
                for nat_port in ports.iter().copied() {
                    let (port_used, out_of_sight) = (Cell::new(false), Cell::new(false));
                    let simulator = Simulator { network: &network, nat_port, port_used, out_of_sight };
                    match (simulator.works(interface, datagram), simulator.out_of_sight.get()) {
                        (true, false) => works = true,
                        (true, true) => may_work = true,
                        (false, _) => fails = true,
                    }
                    if !simulator.port_used.get() {
                        break;
                    }
                }
                let has = |outcome: Outcome| {
                    answer.parts.iter().any(|part| part.outcome == outcome && part.packets.contains(&packet))
                };
                let context = || {
                    let parts = answer.parts.iter().filter(|part| part.packets.contains(&packet));
                    let lines: Vec<String> = parts
                        .flat_map(|part| part.trace.iter())
                        .map(|hop| format!("{:?} {} {:?} {}", hop.leg, hop.id, hop.verdict, hop.text))
                        .collect();
                    format!("seed {seed} {interface}: {packet}\n{}", lines.join("\n"))
                };
                assert_eq!(has(Outcome::Delivered), works, "delivered: {}", context());
                assert_eq!(has(Outcome::Unknown), may_work, "unknown: {}", context());
                // Of a packet that a NAT gateway may carry in several ways, the open ones are what counts.
                assert!(fails || !has(Outcome::Blocked), "blocked: {}", context());
                assert!(works || may_work || has(Outcome::Blocked), "not blocked: {}", context());
                pairs += 1;
                refused += u64::from(!works && !may_work);
                open += u64::from(may_work);
            }
        }
    }
    println!("{pairs} pairs, {refused} refused, {open} out of sight");
    assert!(pairs >= 20_000 && refused * 20 > pairs && open * 20 > pairs);
}

/// A network that is seen less of gives a less decided answer, never another one; interfaces as goals too.
#[test]
fn losing_sight_never_turns_an_answer_round() {
    let (mut same, mut less, mut refused_unseen) = (0, 0, 0);
    for seed in 0..600 {
        let mut dice = Dice::new(70_000 + seed);
        let mut network = with_transit_gateway(&mut dice);
        with_transit_routes(&mut network);
        every_query(&mut network);
        macro_rules! record {
            ($($table:ident),+) => {$( network.$table.record(unfiltered()); )+};
        }
        record!(transit_gateways, transit_gateway_attachments, transit_gateway_vpc_attachments);
        let interface = *dice.pick(INTERFACES);
        let row = network.network_interfaces.seen(&interface.into()).unwrap().value.clone();
        let source = Source {
            subnet: row.subnet_id.unwrap(),
            security_groups: row.groups.iter().flatten().map(|g| g.group_id.clone()).collect(),
            address: row.private_ip_address.map(Into::into),
            public_address: row.association.and_then(|a| a.public_ip),
            interface: Some(interface.into()),
        };
        let to = *dice.pick(INTERFACES);
        let destination = Destination::Interface(to.into());
        let flow = Flow::tcp(*dice.pick(&[22, 443]));
        let whole = Engine::new(&network).reach(&source, &destination, &flow);
        macro_rules! without {
            ($($table:ident),+ $(,)?) => {$({
                let mut partial = network.clone();
                partial.$table = Table::default();
                let answer = Engine::new(&partial).reach(&source, &destination, &flow);
                if answer.verdict == Verdict::Unknown {
                    less += 1;
                } else if whole.verdict != Verdict::Unknown {
                    assert_eq!(
                        answer.verdict, whole.verdict,
                        "seed {seed} {interface} -> {to} without {}: {:?}", stringify!($table), answer.blocked_by
                    );
                    same += 1;
                    refused_unseen += u64::from(answer.parts.iter().any(|part| !part.gaps.is_empty()));
                } else {
                    assert_eq!(answer.verdict, Verdict::None, "seed {seed} without {}", stringify!($table));
                }
            })+};
        }
        without!(
            transit_gateways,
            transit_gateway_attachments,
            transit_gateway_vpc_attachments,
            transit_gateway_propagations,
            route_tables,
            network_acls,
            security_groups,
            peering_connections,
            nat_gateways,
            vpcs,
            subnets,
        );
    }
    println!("{same} the same, {less} less decided, {refused_unseen} refused though not all was seen");
    assert!(same > 1000 && less > 500 && refused_unseen > 100);
}

fn kinds(answer: &Answer) -> Vec<(BlockerKind, Leg)> {
    answer.blocked_by.iter().map(|blocker| (blocker.kind, blocker.leg)).collect()
}

/// The healthy VPC, but everything that is not local leaves through `member`'s target.
fn leaving_by(route: &Value) -> Network {
    let mut network = healthy();
    network.vpc_endpoints.remove(&"vpce-ecr.api".into());
    for n in [1, 2] {
        let table = network.route_tables.seen_mut(&format!("rtb-{n}").as_str().into()).unwrap();
        let mut route = route.clone();
        route["DestinationCidrBlock"] = json!("0.0.0.0/0");
        route["State"] = json!("active");
        table.value.routes.as_mut().unwrap().push(serde_json::from_value(route).unwrap());
    }
    network
}

fn refuse_answers(network: &mut Network) {
    let entries = network.network_acls.seen_mut(&"acl-1".into()).unwrap().value.entries.as_mut().unwrap();
    entries.retain(|entry| entry.egress);
}

/// An ACL that drops every answer is in the way whatever carries them: each kind of element beyond which nothing is seen.
#[test]
fn answers_that_cannot_come_home_are_refused_whatever_lies_beyond() {
    let appliance = json!({
        "NetworkInterfaceId": "eni-firewall", "VpcId": "vpc-1", "SubnetId": "subnet-firewall", "PrivateIpAddress": "10.0.8.8",
        "SourceDestCheck": false, "Groups": []
    });
    let firewall = json!({
        "VpcEndpointId": "vpce-firewall", "VpcEndpointType": "GatewayLoadBalancer", "VpcId": "vpc-1", "State": "available",
        "ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-1", "SubnetIds": ["subnet-firewall"]
    });
    for target in [
        json!({ "TransitGatewayId": "tgw-1" }),
        json!({ "GatewayId": "vgw-1" }),
        json!({ "VpcPeeringConnectionId": "pcx-far" }),
        json!({ "NatGatewayId": "nat-unseen" }),
        json!({ "NetworkInterfaceId": "eni-firewall" }),
        json!({ "GatewayId": "vpce-firewall" }),
    ] {
        let mut network = leaving_by(&target);
        add(&mut network, "NetworkInterfaces", &appliance, &EvidenceId::from("c1"));
        add(&mut network, "VpcEndpoints", &firewall, &EvidenceId::from("c1"));
        let open = ask(&network, "subnet-1", "ecr.api");
        assert_eq!(open.verdict, Verdict::Unknown, "{target}: {:?}", open.blocked_by);
        refuse_answers(&mut network);
        let shut = ask(&network, "subnet-1", "ecr.api");
        assert_eq!(shut.verdict, Verdict::None, "{target}: {:?}", shut.unknown);
        assert_eq!(kinds(&shut), [(BlockerKind::NetworkAcl, Leg::Reply)], "{target}");
        assert_eq!(&*shut.blocked_by[0].id, "acl-1");
    }
    // A target that is not even named may be anything.
    let mut untold = leaving_by(&json!({}));
    refuse_answers(&mut untold);
    assert_eq!(ask(&untold, "subnet-1", "ecr.api").verdict, Verdict::Unknown);
}

/// AWS: from a transit gateway attachment in the very subnet, answers meet no ACL.
#[test]
fn an_attachment_in_the_subnet_itself_goes_round_its_acl() {
    let attached = |subnets: Value| {
        let mut network = leaving_by(&json!({ "TransitGatewayId": "tgw-1" }));
        // Only what comes in: the ACL is asked about requests that enter the attachment, too.
        let acl = network.network_acls.seen_mut(&"acl-1".into()).unwrap();
        for entry in acl.value.entries.as_mut().unwrap().iter_mut().filter(|entry| !entry.egress) {
            entry.cidr_block = Some("10.0.0.0/16".parse().unwrap());
        }
        let attachment = json!({
            "TransitGatewayAttachmentId": "att-1", "TransitGatewayId": "tgw-1", "VpcId": "vpc-1", "State": "available", "SubnetIds": subnets
        });
        add(&mut network, "TransitGatewayVpcAttachments", &attachment, &EvidenceId::from("c1"));
        let gate = json!({ "SubnetId": "subnet-gate", "VpcId": "vpc-1", "CidrBlock": "10.0.7.0/28", "AvailabilityZone": "us-east-1a" });
        add(&mut network, "Subnets", &gate, &EvidenceId::from("c1"));
        let acl = network.network_acls.seen_mut(&"acl-1".into()).unwrap();
        let other = json!({ "NetworkAclId": "acl-gate", "Associations": [{ "SubnetId": "subnet-gate" }], "Entries": [
            { "RuleNumber": 100, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
            { "RuleNumber": 100, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }
        ] });
        assert!(acl.value.entries.is_some());
        add(&mut network, "NetworkAcls", &other, &EvidenceId::from("c1"));
        let table = json!({ "RouteTableId": "rtb-gate", "VpcId": "vpc-1", "Associations": [{ "SubnetId": "subnet-gate" }], "Routes": [
            { "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" }
        ] });
        add(&mut network, "RouteTables", &table, &EvidenceId::from("c1"));
        ask(&network, "subnet-1", "ecr.api").verdict
    };
    assert_eq!(attached(json!(["subnet-gate"])), Verdict::None);
    assert_eq!(attached(json!(["subnet-1"])), Verdict::Unknown);
    assert_eq!(attached(json!(["subnet-gate", "subnet-1"])), Verdict::Unknown);
}

/// The groups of an interface that is addressed cannot be gone round either.
#[test]
fn an_interface_that_takes_nothing_is_shut_from_out_of_sight() {
    let unseen_routes = |rules: Value| {
        let mut rows = transit();
        rows.retain(|(key, _)| *key != "TransitGatewayPropagations");
        for (key, row) in &mut rows {
            if *key == "NetworkInterfaces" && row["NetworkInterfaceId"] == "eni-2" {
                row["Groups"] = json!([{ "GroupId": "sg-guard" }]);
            }
        }
        rows.push((
            "SecurityGroups",
            json!({ "GroupId": "sg-guard", "IpPermissions": rules, "IpPermissionsEgress": [] }),
        ));
        let network = build(&rows);
        let engine = Engine::of_snapshot(&network);
        engine.reach_from(
            &Start::Known("eni-1".into()),
            &Destination::Interface("eni-2".into()),
            &Flow::tcp(443),
        )
    };
    let to = |port: u16, peer: &Value| {
        let mut rule = peer.clone();
        rule["IpProtocol"] = json!("tcp");
        rule["FromPort"] = json!(port);
        rule["ToPort"] = json!(port);
        json!([rule])
    };
    let shut = unseen_routes(json!([]));
    assert_eq!((shut.verdict, shut.blocked_by[0].kind), (Verdict::None, BlockerKind::SecurityGroupIngress));
    // Another port is no help, another source may be: somebody on the way may translate.
    let somebody = json!({ "IpRanges": [{ "CidrIp": "192.168.7.0/24" }] });
    assert_eq!(unseen_routes(to(22, &somebody)).verdict, Verdict::None);
    assert_eq!(unseen_routes(to(443, &somebody)).verdict, Verdict::Unknown);
    assert_eq!(
        unseen_routes(to(443, &json!({ "UserIdGroupPairs": [{ "GroupId": "sg-open" }] }))).verdict,
        Verdict::Unknown
    );
    // IPv6 rules admit no IPv4 packet, whoever sends it.
    assert_eq!(
        unseen_routes(to(443, &json!({ "Ipv6Ranges": [{ "CidrIpv6": "::/0" }] }))).verdict,
        Verdict::None
    );
}

/// A name that a resolver outside AWS answers may mean any address; where none is reached, the answer is known.
#[test]
fn an_unknown_address_is_refused_when_every_address_is() {
    let custom = |network: &mut Network| {
        let options = json!({ "DhcpOptionsId": "dopt-1", "DhcpConfigurations": [{ "Key": "domain-name-servers", "Values": [{ "Value": "10.9.9.9" }] }] });
        add(network, "DhcpOptions", &options, &EvidenceId::from("c4"));
        network.vpcs.seen_mut(&"vpc-1".into()).unwrap().value.dhcp_options_id = Some("dopt-1".into());
    };
    let mut network = healthy();
    custom(&mut network);
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown[0].what.contains("10.9.9.9"), "{:?}", answer.unknown);
    let row = &mut network.security_groups.seen_mut(&"sg-runtime".into()).unwrap().value;
    row.ip_permissions_egress = Some(Vec::new());
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::None);
    assert_eq!(kinds(&answer), [(BlockerKind::SecurityGroupEgress, Leg::Request)]);
    assert_eq!(answer.parts.len(), 1);
}

/// A private zone that nobody listed could lead into the VPC, past an ACL that shuts the internet out; not past one that
/// shuts everything out of a subnet where nothing stands.
#[test]
fn a_hidden_zone_is_no_help_where_nothing_is_reached() {
    let outbound = |block: Option<&str>| {
        let mut network = healthy();
        network.vpc_endpoints.remove(&"vpce-ecr.api".into());
        for n in [1, 2] {
            network.network_interfaces.remove(&format!("eni-ecr.api-{n}").as_str().into());
        }
        network.hosted_zones = Table::default();
        let acl = network.network_acls.seen_mut(&"acl-1".into()).unwrap();
        let entries = acl.value.entries.as_mut().unwrap();
        match block {
            Some(block) => {
                for entry in entries.iter_mut().filter(|entry| entry.egress) {
                    entry.cidr_block = Some(block.parse().unwrap());
                }
            }
            None => entries.retain(|entry| !entry.egress),
        }
        let row = &mut network.security_groups.seen_mut(&"sg-endpoints".into()).unwrap().value;
        row.ip_permissions = Some(vec![
            serde_json::from_value(json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }))
                .unwrap(),
        ]);
        // A server of the customer's, in the other subnet.
        let server = json!({
            "NetworkInterfaceId": "eni-server", "VpcId": "vpc-1", "SubnetId": "subnet-2", "PrivateIpAddress": "10.0.2.200",
            "Groups": [{ "GroupId": "sg-endpoints" }], "Status": "in-use"
        });
        add(&mut network, "NetworkInterfaces", &server, &EvidenceId::from("c1"));
        let answer = ask(&network, "subnet-1", "ecr.api");
        assert!(
            answer.blocked_by.iter().any(|b| b.kind == BlockerKind::NetworkAcl),
            "{:?}",
            answer.blocked_by
        );
        answer.verdict
    };
    assert_eq!(outbound(Some("10.0.0.0/16")), Verdict::Unknown);
    assert_eq!(outbound(None), Verdict::None);
}
