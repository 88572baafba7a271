//! That the elements of a way are those which the packet meets there: the runtime's groups, its subnet's ACL and route table, the
//! groups of the very interface it goes to.
//!
//! Another group, ACL or table of the account says nothing about this runtime, whatever it would do with the packet. Where the
//! bundle does not show whose an element is, that is said. Start with [`of`], then [`lacking`].

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::packet::Packet;
use crate::bundle::Bundle;
use crate::report::{Found, fails, not_checked};
use crate::subject::Subject;
use crate::{list, text};

/// What is wrong with the place of the element; nothing when it stands where the packet goes.
pub(super) fn of(hop: &Value, packet: &Packet, subject: &Subject, bundle: &Bundle) -> Option<Found> {
    let (id, at) = (text(hop, "id"), text(hop, "at"));
    match text(hop, "kind") {
        "security_group" => groups(hop, packet, subject, bundle),
        "network_acl" => {
            let all = items(bundle, "DescribeNetworkAcls", "NetworkAcls");
            associated(&all, "NetworkAclId", id, at, |acl| acl["IsDefault"] == Value::Bool(true), bundle)
        }
        "route_table" => {
            let all = items(bundle, "DescribeRouteTables", "RouteTables");
            let main = |table: &Value| {
                list(table, "Associations").iter().any(|association| association["Main"] == Value::Bool(true))
            };
            associated(&all, "RouteTableId", id, at, main, bundle)
        }
        _ => None,
    }
}

fn items<'a>(bundle: &Bundle<'a>, operation: &str, member: &str) -> Vec<&'a Value> {
    bundle.answers(operation).flat_map(|call| list(&call["response"], member)).collect()
}

/// The element that guards the subnet: the one associated with it, else the VPC's own.
fn associated(
    all: &[&Value],
    member: &str,
    id: &str,
    subnet: &str,
    is_default: impl Fn(&Value) -> bool,
    bundle: &Bundle,
) -> Option<Found> {
    let of_subnet = |item: &&&Value| {
        list(item, "Associations").iter().any(|association| text(association, "SubnetId") == subnet)
    };
    if let Some(own) = all.iter().find(of_subnet) {
        let own = text(own, member);
        return (own != id).then(|| fails(format!("{subnet} has {own}")));
    }
    let subnets = items(bundle, "DescribeSubnets", "Subnets");
    let Some(vpc) =
        subnets.iter().find(|item| text(item, "SubnetId") == subnet).map(|item| text(item, "VpcId"))
    else {
        return Some(not_checked(format!("whether {id} is of {subnet} does not stand in the bundle")));
    };
    match all.iter().find(|item| text(item, "VpcId") == vpc && is_default(item)) {
        Some(default) if text(default, member) == id => None,
        Some(default) => Some(fails(format!("{subnet} has the one of its VPC, {}", text(default, member)))),
        None => Some(not_checked(format!("whether {id} is of {subnet} does not stand in the bundle"))),
    }
}

/// The groups of the end that the hop guards.
fn groups(hop: &Value, packet: &Packet, subject: &Subject, bundle: &Bundle) -> Option<Found> {
    let claimed: BTreeSet<&str> = text(hop, "id").split(',').map(str::trim).collect();
    if text(hop, "direction") == "egress" {
        if text(hop, "at").starts_with("eni-") {
            return Some(not_checked("an interface on the way, not the runtime's"));
        }
        return match subject.groups() {
            Some(own) if own.iter().copied().collect::<BTreeSet<_>>() == claimed => None,
            Some(own) => Some(fails(format!("the runtime has {}", own.join(", ")))),
            None => Some(not_checked("the bundle does not say which groups the runtime has")),
        };
    }
    let at = text(hop, "at");
    let interfaces = items(bundle, "DescribeNetworkInterfaces", "NetworkInterfaces");
    let interface = interfaces.iter().find(|item| text(item, "NetworkInterfaceId") == at);
    let endpoints = items(bundle, "DescribeVpcEndpoints", "VpcEndpoints");
    let endpoint = endpoints.iter().find(|item| {
        list(item, "NetworkInterfaceIds").iter().any(|interface| interface.as_str() == Some(at))
    });
    let Some(end) = interface.or(endpoint) else {
        return Some(not_checked(format!("the groups of {at} do not stand in the bundle")));
    };
    let own: BTreeSet<&str> = list(end, "Groups").iter().map(|group| text(group, "GroupId")).collect();
    if own != claimed {
        return Some(fails(format!("{at} has {}", own.into_iter().collect::<Vec<_>>().join(", "))));
    }
    let address: Option<IpAddr> = interface.and_then(|item| text(item, "PrivateIpAddress").parse().ok());
    match (address, packet.destination) {
        (Some(its), Some(sent)) if its != sent => Some(fails(format!("{at} has the address {its}"))),
        _ => None,
    }
}

/// An element that the packet must meet and that the way does not name; what cannot be told counts as one.
pub(super) fn lacking(path: &Value, sent: &Packet, bundle: &Bundle) -> Option<Found> {
    let (subnet, hops) = (text(path, "subnet"), list(path, "hops"));
    let meets = |kind: &str, direction: Option<&str>, at: Option<&str>, reply: bool| {
        hops.iter().any(|hop| {
            text(hop, "kind") == kind
                && hop["direction"].as_str() == direction
                && at.is_none_or(|at| text(hop, "at") == at)
                && (hop["reply"] == true) == reply
        })
    };
    if sent.protocol != 6 || sent.destination_port != super::Port::Known(443) {
        return Some(not_checked("no need of a launch that this checker knows is of this port"));
    }
    if !meets("security_group", Some("egress"), None, false) {
        return Some(fails("it does not meet the groups of the runtime"));
    }
    let subnets = items(bundle, "DescribeSubnets", "Subnets");
    let block = subnets
        .iter()
        .find(|item| text(item, "SubnetId") == subnet)
        .and_then(|item| text(item, "CidrBlock").parse::<IpNet>().ok());
    let Some(block) = block else { return Some(not_checked(format!("the block of {subnet} is not known"))) };
    if sent.source.is_none_or(|source| !block.contains(&source)) {
        return Some(fails(format!("its packet is not sent from {subnet}")));
    }
    if text(path, "state") != "open" {
        return None;
    }
    let inside = sent.destination.is_some_and(|destination| block.contains(&destination));
    let leaves = meets("network_acl", Some("egress"), Some(subnet), false)
        && meets("route_table", None, Some(subnet), false)
        && meets("network_acl", Some("ingress"), Some(subnet), true);
    if !inside && !leaves {
        return Some(fails(format!("it does not meet the ACL, both ways, and the route table of {subnet}")));
    }
    let private = match sent.destination {
        Some(IpAddr::V4(address)) => address.is_private(),
        _ => false,
    };
    if private && !meets("security_group", Some("ingress"), None, false) {
        return Some(fails("it does not meet the groups of the interface that it goes to"));
    }
    let gateways = hops.iter().filter(|hop| text(hop, "kind") == "nat_gateway" && hop["reply"] != true);
    for gateway in gateways {
        let of_gateway = items(bundle, "DescribeNatGateways", "NatGateways")
            .into_iter()
            .find(|item| text(item, "NatGatewayId") == text(gateway, "id"))
            .map(|item| text(item, "SubnetId"));
        let Some(behind) = of_gateway else { continue };
        if behind != subnet && !meets("route_table", None, Some(behind), false) {
            return Some(fails(format!(
                "it does not meet the route table of {behind}, where the gateway is"
            )));
        }
    }
    None
}
