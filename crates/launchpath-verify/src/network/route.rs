//! Route tables against one packet: the longest prefix decides.
//!
//! AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html#route-tables-priority>. Start with [`check`].

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::packet::Packet;
use crate::bundle::Bundle;
use crate::report::{Found, fails, holds, not_checked};
use crate::{list, text};

/// The blocks of a prefix list, where the bundle holds them.
pub(super) fn prefix_list(bundle: &Bundle, id: &str) -> Option<Vec<String>> {
    let entries = bundle
        .answers("GetManagedPrefixListEntries")
        .find(|call| text(&call["request"], "PrefixListId") == id);
    if let Some(call) = entries {
        let blocks = list(&call["response"], "Entries").iter().map(|entry| text(entry, "Cidr").to_owned());
        return Some(blocks.collect());
    }
    let mut lists =
        bundle.answers("DescribePrefixLists").flat_map(|call| list(&call["response"], "PrefixLists"));
    let found = lists.find(|found| text(found, "PrefixListId") == id)?;
    let blocks: Vec<String> =
        list(found, "Cidrs").iter().filter_map(|b| b.as_str().map(str::to_owned)).collect();
    (!blocks.is_empty()).then_some(blocks)
}

/// How many bits of the route's destination the address shares, when it lies in it; an error when that cannot be told.
fn prefix(route: &Value, address: IpAddr, bundle: &Bundle) -> Result<Option<u8>, String> {
    let fits = |block: &str| -> Option<u8> {
        let block: IpNet = block.parse().ok()?;
        block.contains(&address).then(|| block.prefix_len())
    };
    for member in ["DestinationCidrBlock", "DestinationIpv6CidrBlock"] {
        if let Some(block) = route[member].as_str() {
            return Ok(fits(block));
        }
    }
    let id = text(route, "DestinationPrefixListId");
    match prefix_list(bundle, id) {
        Some(blocks) => Ok(blocks.iter().filter_map(|block| fits(block)).max()),
        None => Err(format!("what {id} holds is not in the bundle")),
    }
}

/// The target of a route.
fn target(route: &Value) -> Option<&str> {
    let members = [
        "NatGatewayId",
        "GatewayId",
        "TransitGatewayId",
        "VpcPeeringConnectionId",
        "EgressOnlyInternetGatewayId",
        "NetworkInterfaceId",
        "InstanceId",
        "LocalGatewayId",
        "CarrierGatewayId",
        "CoreNetworkArn",
    ];
    members.iter().find_map(|member| route[*member].as_str())
}

pub(super) fn check(hop: &Value, after: &[Value], table: &Value, packet: &Packet, bundle: &Bundle) -> Found {
    let Some(address) = packet.destination else { return not_checked("where the packet goes is not known") };
    let said = hop["decided_by"]["pointer"]
        .as_str()
        .and_then(|pointer| pointer.rsplit('/').next()?.parse::<usize>().ok());
    let mut best: Option<(u8, usize, &Value)> = None;
    let mut open: Option<String> = None;
    for (index, route) in list(table, "Routes").iter().enumerate() {
        match prefix(route, address, bundle) {
            Ok(Some(length)) if best.is_none_or(|(longest, ..)| length > longest) => {
                best = Some((length, index, route));
            }
            Ok(_) => {}
            Err(why) => open = Some(why),
        }
    }
    if let Some(why) = open {
        return not_checked(why);
    }
    let dropped = text(hop, "state") == "dropped";
    let Some((length, index, route)) = best else {
        return if dropped { holds("no route matches") } else { fails("no route matches") };
    };
    if said.is_some_and(|said| said != index) {
        return fails(format!("route {index} (/{length}) is the longest that matches, another is named"));
    }
    let blackhole = text(route, "State") == "blackhole";
    if dropped != blackhole {
        return fails(format!("route {index} (/{length}) matches, its state is {}", text(route, "State")));
    }
    if dropped {
        return holds(format!(
            "route {index} (/{length}) is the longest that matches, and its target is gone"
        ));
    }
    let Some(target) = target(route) else {
        return not_checked(format!("the target of route {index} is of an unknown kind"));
    };
    let leads = leads_to(target, hop, after);
    if !leads {
        return fails(format!("route {index} (/{length}) leads to {target}, where the way does not go"));
    }
    holds(format!("route {index} (/{length}) is the longest that matches, and leads to {target}"))
}

/// Whether the way goes on to the target: local delivery needs no element.
fn leads_to(target: &str, hop: &Value, after: &[Value]) -> bool {
    if target == "local" || hop["reply"] == true {
        return true;
    }
    let until = after.iter().position(|next| text(next, "kind") == "route_table" || next["reply"] == true);
    let before_next = &after[..until.unwrap_or(after.len())];
    // A way that ends unknown may end before its target is described.
    before_next.iter().any(|next| text(next, "id").split(',').any(|id| id.trim() == target))
        || before_next.iter().any(|next| text(next, "state") == "unknown")
}
