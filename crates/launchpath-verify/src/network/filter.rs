//! Security groups and network ACLs against one packet.
//!
//! AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>. Start with [`group`] and [`acl`].

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::Ends;
use super::packet::{Packet, Port};
use super::route::prefix_list;
use crate::bundle::Bundle;
use crate::report::{Found, fails, holds, not_checked};
use crate::{list, text};

/// Whether something matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    No,
    Maybe,
    Yes,
}

impl Fit {
    fn and(self, other: Self) -> Self {
        self.min(other)
    }

    fn of(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

/// Whether a block holds an address.
pub(super) fn holds_address(block: &str, address: Option<IpAddr>) -> Fit {
    match (block.parse::<IpNet>(), address) {
        (Ok(block), Some(address)) => Fit::of(block.contains(&address)),
        (Ok(block), None) if block.prefix_len() == 0 => Fit::Yes,
        _ => Fit::Maybe,
    }
}

fn protocol(value: &Value, packet: &Packet) -> Fit {
    let said = value.as_str().map_or_else(|| value.to_string(), str::to_lowercase);
    match said.as_str() {
        "-1" | "all" => Fit::Yes,
        "tcp" => Fit::of(packet.protocol == 6),
        "udp" => Fit::of(packet.protocol == 17),
        "icmp" => Fit::of(packet.protocol == 1),
        "icmpv6" => Fit::of(packet.protocol == 58),
        number => number.parse::<u8>().map_or(Fit::Maybe, |number| Fit::of(number == packet.protocol)),
    }
}

/// Whether a range holds the port; no range holds every one.
fn port(from: &Value, to: &Value, port: Port) -> Fit {
    let (Some(from), Some(to)) = (from.as_i64(), to.as_i64()) else { return Fit::Yes };
    match port {
        _ if from == -1 || (from <= 0 && to >= 65535) => Fit::Yes,
        Port::Known(port) => Fit::of((from..=to).contains(&i64::from(port))),
        // A gateway picks from 1024 to 65535.
        Port::Any if from <= 1024 && to >= 65535 => Fit::Yes,
        Port::Any if to < 1024 => Fit::No,
        Port::Any => Fit::Maybe,
    }
}

/// The groups of an interface: one rule that admits is enough.
pub(super) fn group(hop: &Value, groups: &[Value], packet: &Packet, ends: &Ends, bundle: &Bundle) -> Found {
    let egress = text(hop, "direction") == "egress";
    let (member, peer) =
        if egress { ("IpPermissionsEgress", packet.destination) } else { ("IpPermissions", packet.source) };
    let peer_groups = if egress { ends.destination.as_deref() } else { Some(ends.source.as_slice()) };
    let mut best = (Fit::No, String::new());
    for group in groups {
        for (index, rule) in list(group, member).iter().enumerate() {
            let ports = match packet.protocol {
                6 | 17 if text(rule, "IpProtocol") != "-1" => {
                    port(&rule["FromPort"], &rule["ToPort"], packet.destination_port)
                }
                _ => Fit::Yes,
            };
            let fit = protocol(&rule["IpProtocol"], packet).and(ports).and(admits_peer(
                rule,
                peer,
                peer_groups,
                bundle,
            ));
            if fit > best.0 {
                best = (fit, format!("{member} {index} of {}", text(group, "GroupId")));
            }
        }
    }
    match (best.0, text(hop, "state")) {
        (Fit::Yes, "passed") => holds(format!("{} admits it", best.1)),
        (Fit::No, "dropped") => holds("no rule admits it"),
        (Fit::Maybe, _) => not_checked(format!("{} may admit it", best.1)),
        (Fit::Yes, _) => fails(format!("{} admits it", best.1)),
        (Fit::No, _) => fails("no rule admits it"),
    }
}

fn admits_peer(rule: &Value, peer: Option<IpAddr>, groups: Option<&[&str]>, bundle: &Bundle) -> Fit {
    let blocks = list(rule, "IpRanges").iter().map(|range| holds_address(text(range, "CidrIp"), peer));
    let v6 = list(rule, "Ipv6Ranges").iter().map(|range| holds_address(text(range, "CidrIpv6"), peer));
    let members = list(rule, "UserIdGroupPairs").iter().map(|pair| match groups {
        Some(groups) => Fit::of(groups.contains(&text(pair, "GroupId"))),
        // Where the certificate names no groups of the other end, an address inside the VPC may have them.
        None => match peer {
            Some(IpAddr::V4(address)) if !address.is_private() => Fit::No,
            _ => Fit::Maybe,
        },
    });
    let lists = list(rule, "PrefixListIds").iter().map(|entry| {
        match prefix_list(bundle, text(entry, "PrefixListId")) {
            Some(blocks) => blocks.iter().map(|block| holds_address(block, peer)).max().unwrap_or(Fit::No),
            None => Fit::Maybe,
        }
    });
    blocks.chain(v6).chain(members).chain(lists).max().unwrap_or(Fit::No)
}

/// The lowest rule that matches decides; none: denied.
pub(super) fn acl(hop: &Value, acl: &Value, packet: &Packet) -> Found {
    let egress = text(hop, "direction") == "egress";
    let peer = if egress { packet.destination } else { packet.source };
    let mut entries: Vec<(usize, &Value)> = list(acl, "Entries")
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry["Egress"].as_bool() == Some(egress))
        .collect();
    entries.sort_by_key(|(_, entry)| entry["RuleNumber"].as_i64().unwrap_or(i64::MAX));
    for (index, entry) in entries {
        let block =
            entry["CidrBlock"].as_str().or_else(|| entry["Ipv6CidrBlock"].as_str()).unwrap_or_default();
        let range = &entry["PortRange"];
        let ports = match packet.protocol {
            6 | 17 => port(&range["From"], &range["To"], packet.destination_port),
            _ => Fit::Yes,
        };
        let fit = protocol(&entry["Protocol"], packet).and(ports).and(holds_address(block, peer));
        let number = &entry["RuleNumber"];
        match fit {
            Fit::No => {}
            Fit::Maybe => {
                return not_checked(format!("rule {number} may match, by the port a gateway picks"));
            }
            Fit::Yes => {
                let allows = text(entry, "RuleAction").eq_ignore_ascii_case("allow");
                let said = hop["decided_by"]["pointer"].as_str();
                if said.is_some_and(|pointer| !pointer.ends_with(&format!("/Entries/{index}"))) {
                    return fails(format!("rule {number} decides, another is named"));
                }
                let why = format!(
                    "rule {number} {} it, and none before it matches",
                    if allows { "allows" } else { "denies" }
                );
                let as_claimed = allows == (text(hop, "state") == "passed");
                return if as_claimed { holds(why) } else { fails(why) };
            }
        }
    }
    if text(hop, "state") == "dropped" { holds("no rule matches") } else { fails("no rule matches") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Standing;

    fn packet() -> Packet {
        Packet::read(
            &json!({ "protocol": 6, "source": "10.0.1.4", "destination": "10.0.2.9", "source_port": 40000,
            "destination_port": 443 }),
        )
        .unwrap()
    }

    #[test]
    fn the_lowest_matching_rule_decides() {
        let acl_of = |first: &str| {
            json!({ "Entries": [
                { "Egress": true, "RuleNumber": 200, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0" },
                { "Egress": true, "RuleNumber": 100, "RuleAction": "deny", "Protocol": "6", "CidrBlock": first,
                  "PortRange": { "From": 443, "To": 443 } },
            ] })
        };
        let hop = |state: &str| json!({ "direction": "egress", "state": state });
        assert_eq!(acl(&hop("dropped"), &acl_of("10.0.2.0/24"), &packet()).0, Standing::Holds);
        assert_eq!(acl(&hop("passed"), &acl_of("10.0.2.0/24"), &packet()).0, Standing::Fails);
        assert_eq!(acl(&hop("passed"), &acl_of("10.0.3.0/24"), &packet()).0, Standing::Holds);
        assert_eq!(acl(&hop("passed"), &json!({ "Entries": [] }), &packet()).0, Standing::Fails);
    }

    #[test]
    fn a_group_is_a_peer_only_where_it_is_the_peers() {
        let bundle = json!({ "calls": [] });
        let bundle = Bundle::new(&bundle);
        let group_of = |peer: &str| {
            vec![
                json!({ "GroupId": "sg-e", "IpPermissions": [{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                "UserIdGroupPairs": [{ "GroupId": peer }] }] }),
            ]
        };
        let ends = Ends { source: vec!["sg-r"], destination: Some(vec!["sg-e"]) };
        let hop = |state: &str| json!({ "direction": "ingress", "state": state });
        assert_eq!(group(&hop("passed"), &group_of("sg-r"), &packet(), &ends, &bundle).0, Standing::Holds);
        assert_eq!(group(&hop("passed"), &group_of("sg-x"), &packet(), &ends, &bundle).0, Standing::Fails);
        assert_eq!(group(&hop("dropped"), &group_of("sg-x"), &packet(), &ends, &bundle).0, Standing::Holds);
    }
}
