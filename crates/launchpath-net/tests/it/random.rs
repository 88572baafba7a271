//! The symbolic answer equals the simulator's, packet by packet; and it is monotone in rules.

use std::cell::Cell;

use launchpath_model::evidence::{Evidence, Outcome as CallOutcome};
use launchpath_model::query::Read;
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Table};
use launchpath_net::span::Span;
use launchpath_net::{Answer, Destination, Engine, Flow, Outcome, Packet, PacketSet, Source, Start, Verdict};
use serde_json::json;

use crate::random_vpc::{ADDRESSES, Dice, GROUPS, INTERFACES, PORTS, acl_entry, world};
use crate::simulator::{Datagram, Simulator};

/// Worlds × questions × packets: at least 100,000 pairs of a topology and a packet.
const WORLDS: u64 = 1500;
const QUESTIONS: usize = 6;
const PACKETS: usize = 12;

pub(crate) fn flow(dice: &mut Dice) -> Flow {
    let full = Span { first: 0, last: u16::MAX };
    match dice.roll(5) {
        0 => Flow::tcp(443),
        1 => Flow { protocol: 17, to: full, from: full },
        2 => Flow { protocol: 1, from: Span { first: 0, last: 255 }, to: Span { first: 0, last: 0 } },
        3 => Flow { protocol: 47, from: Span { first: 0, last: 0 }, to: Span { first: 0, last: 0 } },
        _ => Flow { protocol: 6, to: full, from: full },
    }
}

pub(crate) fn value(dice: &mut Dice, span: Span<u16>) -> u16 {
    let near = *dice.pick(PORTS);
    let shifted = match dice.roll(3) {
        0 => near.saturating_sub(1),
        1 => near.saturating_add(1),
        _ => near,
    };
    let types = *dice.pick(&[0, 3, 8]);
    let chosen = if span.last <= 255 { types } else { shifted };
    chosen.clamp(span.first, span.last)
}

pub(crate) fn ask(engine: &Engine<'_>, interface: &str, address: &str, flow: &Flow) -> Answer {
    let start = Start::Known(interface.into());
    engine.reach_from(&start, &Destination::Address(address.parse().unwrap()), flow)
}

pub(crate) fn source_address(network: &Network, interface: &str) -> std::net::Ipv4Addr {
    network.network_interfaces.seen(&interface.into()).unwrap().value.private_ip_address.unwrap()
}

/// Every port of a NAT gateway at which some ACL rule changes its mind.
pub(crate) fn nat_ports() -> Vec<u16> {
    let mut ports = vec![1024, 65535];
    for port in PORTS {
        ports.extend([port.saturating_sub(1), *port, port.saturating_add(1)]);
    }
    ports.retain(|port| *port >= 1024);
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[test]
fn symbolic_answers_equal_the_simulator() {
    let ports = nat_ports();
    let mut pairs = 0u64;
    let mut delivered_pairs = 0u64;
    let mut kinds = std::collections::BTreeMap::new();
    for seed in 0..WORLDS {
        let mut dice = Dice::new(seed);
        let network = world(&mut dice);
        let engine = Engine::of_snapshot(&network);
        for _ in 0..QUESTIONS {
            let interface = *dice.pick(INTERFACES);
            let address = *dice.pick(ADDRESSES);
            let flow = flow(&mut dice);
            let answer = ask(&engine, interface, address, &flow);
            let has = |outcome: Outcome, packet: &Packet| {
                answer.parts.iter().any(|part| part.outcome == outcome && part.packets.contains(packet))
            };
            for part in &answer.parts {
                for blocker in &part.blockers {
                    *kinds.entry(blocker.kind).or_insert(0u64) += 1;
                }
                assert!(part.packets.contains(&part.example), "seed {seed}: the example is one of the part");
            }
            for _ in 0..PACKETS {
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
                let mut outcomes: Vec<bool> = Vec::new();
                for nat_port in ports.iter().copied() {
                    let port_used = Cell::new(false);
                    let out_of_sight = Cell::new(false);
                    let simulator = Simulator { network: &network, nat_port, port_used, out_of_sight };
                    outcomes.push(simulator.works(interface, datagram));
                    if !simulator.port_used.get() {
                        break;
                    }
                }
                let (some, all) = (outcomes.contains(&true), !outcomes.contains(&false));
                let context = || {
                    let trace: Vec<String> = answer
                        .parts
                        .iter()
                        .filter(|part| part.packets.contains(&packet))
                        .flat_map(|part| {
                            part.trace
                                .iter()
                                .map(|hop| format!("{:?} {} {:?} {}", hop.leg, hop.id, hop.verdict, hop.text))
                        })
                        .collect();
                    format!(
                        "seed {seed} {interface}: {packet}: simulator some {some} all {all}\n{}",
                        trace.join("\n")
                    )
                };
                assert!(!has(Outcome::Unknown, &packet), "unknown in a whole snapshot: {}", context());
                assert_eq!(has(Outcome::Delivered, &packet), some, "{}", context());
                assert_eq!(has(Outcome::Blocked, &packet), !all, "{}", context());
                pairs += 1;
                delivered_pairs += u64::from(some);
            }
        }
    }
    println!("{pairs} pairs, {delivered_pairs} delivered, blockers met: {kinds:?}");
    assert!(pairs >= 100_000);
    assert!(delivered_pairs * 20 > pairs, "the worlds are not all closed");
}

fn delivered(network: &Network, interface: &str, address: &str, flow: &Flow) -> PacketSet {
    ask(&Engine::of_snapshot(network), interface, address, flow).delivered()
}

#[test]
fn an_allow_rule_never_takes_reachability_away() {
    for seed in 0..400 {
        let mut dice = Dice::new(10_000 + seed);
        let mut network = world(&mut dice);
        let interface = *dice.pick(INTERFACES);
        let address = *dice.pick(ADDRESSES);
        let flow = flow(&mut dice);
        let before = delivered(&network, interface, address, &flow);
        let group = dice.pick(GROUPS).to_owned();
        let rule = json!({ "IpProtocol": "tcp", "FromPort": *dice.pick(PORTS), "ToPort": 65535, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] });
        let row = &mut network.security_groups.seen_mut(&group.into()).unwrap().value;
        let rules = if dice.one_in(2) { &mut row.ip_permissions } else { &mut row.ip_permissions_egress };
        rules.as_mut().unwrap().push(serde_json::from_value(rule).unwrap());
        let after = delivered(&network, interface, address, &flow);
        assert!(after.covers(&before), "seed {seed}: {before} became {after}");
    }
}

#[test]
fn a_deny_rule_never_adds_reachability() {
    for seed in 0..400 {
        let mut dice = Dice::new(20_000 + seed);
        let mut network = world(&mut dice);
        let interface = *dice.pick(INTERFACES);
        let address = *dice.pick(ADDRESSES);
        let flow = flow(&mut dice);
        let before = delivered(&network, interface, address, &flow);
        let entry = acl_entry(&mut dice, 1, "deny");
        let ids: Vec<_> = network.network_acls.iter().map(|(id, _)| id.clone()).collect();
        let id = dice.pick(&ids);
        let row = &mut network.network_acls.seen_mut(id).unwrap().value;
        row.entries.as_mut().unwrap().push(serde_json::from_value(entry).unwrap());
        let after = delivered(&network, interface, address, &flow);
        assert!(before.covers(&after), "seed {seed}: {before} became {after}");
    }
}

/// The edits of an answer open the path: applied to a copy, nothing blocks any more.
#[test]
fn the_edits_of_an_answer_open_the_path() {
    let mut opened = 0;
    for seed in 0..600 {
        let mut dice = Dice::new(30_000 + seed);
        let network = world(&mut dice);
        let interface = *dice.pick(INTERFACES);
        let address = *dice.pick(ADDRESSES);
        let flow = Flow::tcp(443);
        let mut fixed = network.clone();
        for _ in 0..4 {
            let answer = ask(&Engine::of_snapshot(&fixed), interface, address, &flow);
            if answer.blocked_by.is_empty() {
                break;
            }
            let Some(edits) = answer.edits() else { break };
            for edit in &edits {
                edit.apply(&mut fixed).unwrap();
            }
        }
        let before = ask(&Engine::of_snapshot(&network), interface, address, &flow);
        let after = ask(&Engine::of_snapshot(&fixed), interface, address, &flow);
        if before.edits().is_some_and(|edits| !edits.is_empty()) && after.edits().is_some() {
            assert!(after.blocked_by.is_empty(), "seed {seed}: still {:?}", after.blocked_by);
            opened += 1;
        }
    }
    assert!(opened > 50, "only {opened} paths were opened");
}

pub(crate) fn every_query(network: &mut Network) {
    macro_rules! record {
        ($($table:ident),+) => {$( network.$table.record(unfiltered()); )+};
    }
    record!(
        vpcs,
        subnets,
        route_tables,
        network_acls,
        security_groups,
        network_interfaces,
        instances,
        nat_gateways,
        internet_gateways,
        vpc_endpoints,
        prefix_lists,
        prefix_list_entries,
        peering_connections
    );
}

/// Forgets all of one kind, as a refused call would leave it.
fn forget(network: &mut Network, what: usize) -> &'static str {
    macro_rules! forget {
        ($($number:literal => $table:ident),+ $(,)?) => {
            match what {
                $($number => {
                    network.$table = Table::default();
                    stringify!($table)
                })+
                _ => unreachable!("{what}"),
            }
        };
    }
    forget! {
        0 => vpcs, 1 => subnets, 2 => route_tables, 3 => network_acls, 4 => security_groups, 5 => network_interfaces,
        6 => nat_gateways, 7 => internet_gateways, 8 => vpc_endpoints, 9 => prefix_lists, 10 => peering_connections,
    }
}

pub(crate) fn unfiltered() -> Read {
    let call = Evidence {
        id: EvidenceId::from("q1"),
        service: "ec2".into(),
        operation: "Describe".into(),
        region: Some("us-east-1".into()),
        account: None,
        request: Some(json!({})),
        at: None,
        outcome: CallOutcome::Ok,
        error: None,
        complete: true,
        file: None,
    };
    Read::new(call, 1)
}

/// Less evidence makes an answer less decided, never another one.
#[test]
fn forgetting_never_turns_an_answer_round() {
    let (mut same, mut less, mut assumed) = (0, 0, 0);
    for seed in 0..900 {
        let mut dice = Dice::new(40_000 + seed);
        let mut network = world(&mut dice);
        every_query(&mut network);
        let interface = *dice.pick(INTERFACES);
        let row = network.network_interfaces.seen(&interface.into()).unwrap().value.clone();
        let source = Source {
            subnet: row.subnet_id.unwrap(),
            security_groups: row.groups.iter().flatten().map(|g| g.group_id.clone()).collect(),
            address: row.private_ip_address.map(Into::into),
            public_address: row.association.and_then(|a| a.public_ip),
            interface: Some(interface.into()),
        };
        let destination = Destination::Address(dice.pick(ADDRESSES).parse().unwrap());
        let flow = Flow::tcp(*dice.pick(&[22, 443]));
        let whole = Engine::new(&network).reach(&source, &destination, &flow);
        assert_ne!(whole.verdict, Verdict::Unknown, "seed {seed}: {:?}", whole.unknown);
        for what in 0..11 {
            let mut partial = network.clone();
            let table = forget(&mut partial, what);
            let answer = Engine::new(&partial).reach(&source, &destination, &flow);
            if answer.verdict == Verdict::Unknown {
                assert!(!answer.unknown.is_empty(), "seed {seed}: says what is missing");
                less += 1;
                continue;
            }
            if answer.verdict != whole.verdict && !answer.assumed.is_empty() {
                // Disclosed: a public address is taken for somebody else's.
                assumed += 1;
                continue;
            }
            assert_eq!(
                answer.verdict, whole.verdict,
                "seed {seed} without {table}: {destination:?} {:?}",
                answer.blocked_by
            );
            same += 1;
        }
    }
    println!("{same} answers the same, {less} less decided, {assumed} differ and say what they assume");
    assert!(same > 1000 && less > 1000 && assumed < 20);
}

/// A block is answered as its addresses are, one by one.
#[test]
fn a_block_is_answered_as_its_addresses() {
    for seed in 0..300 {
        let mut dice = Dice::new(50_000 + seed);
        let network = world(&mut dice);
        let engine = Engine::of_snapshot(&network);
        let interface = *dice.pick(INTERFACES);
        let flow = Flow::tcp(443);
        let net = *dice.pick(&["10.0.0.0/16", "10.0.0.0/15", "10.1.0.0/24", "52.216.0.0/16", "0.0.0.0/0"]);
        let start = Start::Known(interface.into());
        let whole = engine.reach_from(&start, &Destination::Block(net.parse().unwrap()), &flow).delivered();
        let net: ipnet::Ipv4Net = net.parse().unwrap();
        for address in ADDRESSES {
            if !net.contains(&address.parse::<std::net::Ipv4Addr>().unwrap()) {
                continue;
            }
            let one = ask(&engine, interface, address, &flow).delivered();
            let place = launchpath_net::span::place(address.parse().unwrap());
            let line = Span { first: 0, last: u128::MAX };
            let part = whole.within(&launchpath_net::Cube::between(line, Span::one(place)));
            assert!(part.same_as(&one), "seed {seed} {interface} -> {address}: {part} is not {one}");
        }
    }
}
