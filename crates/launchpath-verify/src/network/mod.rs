//! Network ways: one packet meets each element in turn, and each must do what the certificate says.
//!
//! A walk over given elements with one concrete packet, not a search: security groups admit or not, the lowest ACL rule that
//! matches decides, the longest prefix routes. What a name resolves to is taken from the certificate, and so are the elements; that
//! other packets fare alike is not re-checked. Start with [`check`].

mod filter;
mod packet;
mod place;
mod route;

use serde_json::Value;

use crate::bundle::Bundle;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::subject::Subject;
use crate::{list, text};
use packet::{Packet, Port};

/// What became of one way.
pub(crate) struct Way {
    pub(crate) service: String,
    pub(crate) subnet: String,
    pub(crate) state: String,
    pub(crate) standing: Standing,
    /// Kind and side of each element that was seen to drop the packet.
    pub(crate) dropped: Vec<(String, Option<&'static str>)>,
}

pub(crate) fn check(certificate: &Value, bundle: &Bundle, subject: &Subject, notes: &mut Notes) -> Vec<Way> {
    let configured = subject.subnets();
    let mut ways = Vec::new();
    for (index, path) in list(certificate, "paths").iter().enumerate() {
        let at = format!("/paths/{index}");
        let (service, subnet, state) = (text(path, "service"), text(path, "subnet"), text(path, "state"));
        let what = format!("the way from {subnet} to {service} is {state}");
        let mut dropped = Vec::new();
        let found = if configured.as_ref().is_some_and(|all| !all.contains(&subnet)) {
            fails(format!("{subnet} is none of the runtime's subnets"))
        } else {
            walk(path, &at, bundle, subject, notes, &mut dropped)
        };
        let standing = notes.note(at, what, found);
        let (service, subnet, state) = (service.to_owned(), subnet.to_owned(), state.to_owned());
        ways.push(Way { service, subnet, state, standing, dropped });
    }
    if let Some(all) = configured.filter(|_| !ways.is_empty()) {
        let left = ways.iter().find_map(|way| {
            let walked = |subnet: &&str| {
                ways.iter().any(|other| other.service == way.service && other.subnet == **subnet)
            };
            let missing = all.iter().find(|subnet| !walked(subnet))?;
            Some(format!("no way from {missing} to {}", way.service))
        });
        let found = left.map_or_else(|| holds("a way from each to each service is there"), fails);
        notes.note("/paths", "every subnet of the runtime is covered", found);
    }
    ways
}

/// Groups of both ends, by the elements of the way.
struct Ends<'a> {
    source: Vec<&'a str>,
    destination: Option<Vec<&'a str>>,
}

/// Sends the packet along the elements.
fn walk(
    path: &Value,
    at: &str,
    bundle: &Bundle,
    subject: &Subject,
    notes: &mut Notes,
    dropped: &mut Vec<(String, Option<&'static str>)>,
) -> Found {
    let hops = list(path, "hops");
    let state = text(path, "state");
    if hops.is_empty() {
        return not_checked(if state == "unknown" { "nothing is claimed" } else { "no packet was walked" });
    }
    let Some(sent) = Packet::read(&path["packet"]) else { return fails("its packet cannot be read") };
    let groups = |side: &str| {
        let found = hops.iter().find(|hop| {
            text(hop, "kind") == "security_group" && text(hop, "direction") == side && hop["reply"] == false
        });
        found.map(|hop| text(hop, "id").split(',').map(str::trim).collect::<Vec<_>>())
    };
    let ends = Ends { source: groups("egress").unwrap_or_default(), destination: groups("ingress") };
    let mut packet = sent;
    let mut translated: Option<String> = None;
    let mut worst = Standing::Holds;
    let mut turned = false;
    for (index, hop) in hops.iter().enumerate() {
        let reply = hop["reply"] == true;
        if reply && !turned {
            turned = true;
            packet = packet.answer();
        }
        let (kind, guarded) = (text(hop, "kind"), text(hop, "at"));
        if reply
            && let Some(subnet) = &translated
            && !(kind == "network_acl" && text(hop, "direction") == "ingress" && guarded == subnet)
        {
            // Behind the gateway's own subnet the answers go to the sender again.
            packet.destination = sent.source;
            packet.destination_port = Port::Known(sent.source_port());
            translated = None;
        }
        let found = match place::of(hop, &packet, subject, bundle)
            .unwrap_or_else(|| element(hop, &hops[index + 1..], &packet, &ends, bundle))
        {
            // The elements of an unknown way are those that the packet would meet if what is not known held.
            (Standing::Fails, why)
                if state == "unknown" && (is_gateway(kind) || is_last(&hops[index + 1..])) =>
            {
                (Standing::NotChecked, why)
            }
            found => found,
        };
        if found.0 == Standing::Holds && text(hop, "state") == "dropped" {
            let side = match text(hop, "direction") {
                "egress" => Some("egress"),
                "ingress" => Some("ingress"),
                _ => None,
            };
            dropped.push((kind.to_owned(), side));
        }
        if matches!(kind, "source" | "destination" | "local") {
            // Nothing is claimed of the ends.
            continue;
        }
        let what = format!("{kind} {} {} {packet}", text(hop, "id"), text(hop, "state"));
        let standing = notes.note(format!("{at}/hops/{index}"), what, found);
        // That a name leads where it leads is taken as given.
        if kind != "dns" {
            worst = worst.min(standing);
        }
        if kind == "nat_gateway" && text(hop, "state") == "passed" && !reply {
            let gateway = described(hop, bundle).into_iter().find_map(Result::ok);
            match gateway.as_ref().and_then(packet::gateway_address) {
                Some((address, subnet)) => {
                    packet.source = Some(address);
                    packet.source_port = Port::Any;
                    translated = Some(subnet);
                }
                None => packet.source = None,
            }
        }
    }
    let Some(lacking) = place::lacking(path, &sent, bundle) else {
        return conclude(state, worst, hops, dropped);
    };
    let found = conclude(state, worst, hops, dropped);
    // What becomes of a packet that no launch sends shows nothing.
    dropped.clear();
    if found.0 == Standing::Holds { lacking } else { found }
}

fn conclude(
    state: &str,
    worst: Standing,
    hops: &[Value],
    dropped: &[(String, Option<&'static str>)],
) -> Found {
    let claimed = |wanted: &str| hops.iter().any(|hop| text(hop, "state") == wanted);
    match (state, worst) {
        (_, Standing::Fails) => fails("an element does something else"),
        ("open", _) if claimed("dropped") => fails("an element drops the packet"),
        ("blocked", _) if !claimed("dropped") => fails("no element drops the packet"),
        ("blocked", _) if !dropped.is_empty() => {
            let kinds: Vec<&str> = dropped.iter().map(|(kind, _)| kind.as_str()).collect();
            holds(format!("the packet is dropped ({}); other packets were not sent", kinds.join(", ")))
        }
        ("open", Standing::Holds) => holds("the packet passes every element; other packets were not sent"),
        ("unknown", _) => not_checked("nothing is claimed of the whole way"),
        ("partly", _) => not_checked("more than one packet would be needed"),
        _ => not_checked("an element was not re-checked"),
    }
}

/// The descriptions of the elements of a hop.
fn described(hop: &Value, bundle: &Bundle) -> Vec<Result<Value, String>> {
    list(hop, "described").iter().map(|place| bundle.at(place).map(std::borrow::Cow::into_owned)).collect()
}

/// What is wrong with the entry that is said to decide: it must be one of the element's own.
fn undecided(hop: &Value, bundle: &Bundle) -> Option<String> {
    let decider = &hop["decided_by"];
    if decider.is_null() {
        return None;
    }
    let own = list(hop, "described").iter().any(|place| {
        place["call"] == decider["call"]
            && text(decider, "pointer")
                .strip_prefix(text(place, "pointer"))
                .is_some_and(|rest| rest.starts_with('/'))
    });
    if !own {
        return Some("the entry that is said to decide is none of the element's".to_owned());
    }
    bundle.at(decider).err()
}

/// What one element does with the packet, held against what is claimed.
fn element(hop: &Value, after: &[Value], packet: &Packet, ends: &Ends, bundle: &Bundle) -> Found {
    let (kind, state) = (text(hop, "kind"), text(hop, "state"));
    if state == "unknown" {
        return not_checked("nothing is claimed");
    }
    let member = match kind {
        "security_group" => "GroupId",
        "network_acl" => "NetworkAclId",
        "route_table" => "RouteTableId",
        "nat_gateway" => "NatGatewayId",
        "internet_gateway" => "InternetGatewayId",
        "vpc_endpoint" => "VpcEndpointId",
        "dns" => return not_checked("names are not resolved here"),
        _ => return not_checked("a kind of element that this checker does not know"),
    };
    let mut objects = Vec::new();
    let ids: Vec<&str> = text(hop, "id").split(',').map(str::trim).collect();
    for found in described(hop, bundle) {
        match found {
            Ok(object) if ids.contains(&text(&object, member)) => objects.push(object),
            Ok(object) => return fails(format!("what is described there is {}", object[member])),
            Err(why) => return fails(why),
        }
    }
    if objects.len() < ids.len() {
        return not_checked("the bundle does not describe it");
    }
    if let Some(why) = undecided(hop, bundle) {
        return fails(why);
    }
    match kind {
        "security_group" => filter::group(hop, &objects, packet, ends, bundle),
        "network_acl" => filter::acl(hop, &objects[0], packet),
        "route_table" => route::check(hop, after, &objects[0], packet, bundle),
        _ => gateway(kind, state, &objects[0]),
    }
}

/// Whether a way that is unknown ends before what follows: its next element is not described.
fn is_last(after: &[Value]) -> bool {
    after.iter().all(|hop| hop["reply"] == true || text(hop, "kind") == "destination")
}

fn is_gateway(kind: &str) -> bool {
    !matches!(kind, "security_group" | "network_acl" | "route_table")
}

fn gateway(kind: &str, state: &str, object: &Value) -> Found {
    let working = match kind {
        "internet_gateway" if state == "dropped" => {
            // AWS: a runtime's interface has no public address, so that a route to an internet gateway leads nowhere.
            return holds("packets reach it untranslated, and a runtime's interface has no public address");
        }
        "internet_gateway" => list(object, "Attachments")
            .iter()
            .any(|attachment| matches!(text(attachment, "State"), "available" | "attached")),
        _ => text(object, "State") == "available",
    };
    match (working, state) {
        (true, "passed") => holds("it is there and available"),
        (false, "dropped") => holds("it is not available"),
        (true, _) => not_checked("it is available; why it drops the packet was not re-checked"),
        (false, _) => fails("it is not available"),
    }
}
