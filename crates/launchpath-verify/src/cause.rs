//! Causes: their citations, and for the kinds that have a checkable rule, that the rule holds.
//!
//! Start with [`check`], then [`rule`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bundle::Bundle;
use crate::network::Way;
use crate::permission::Permission;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::{claim, list, text};

/// What became of each confirmed or likely cause, by fault code.
pub(crate) type Causes = BTreeMap<String, Standing>;

pub(crate) fn check(
    certificate: &Value,
    bundle: &Bundle,
    ways: &[Way],
    permissions: &[Permission],
    notes: &mut Notes,
) -> Causes {
    let mut causes = Causes::new();
    for member in ["causes", "also_blocking"] {
        for (index, cause) in list(certificate, member).iter().enumerate() {
            let at = format!("/{member}/{index}");
            let (mut values, mut all, mut cited) = (0, true, false);
            for (line, because) in list(cause, "because").iter().enumerate() {
                let at = format!("{at}/because/{line}");
                let (found, held) = claim::check_all(certificate, because, &at, bundle, notes);
                values += found;
                all &= held;
                cited |= !list(because, "evidence").is_empty();
            }
            let (fault, status) = (text(cause, "fault"), text(cause, "status"));
            let found = if !all {
                fails("a citation does not hold")
            } else if status == "possible" {
                not_checked("a suspect: nothing is claimed but that it is not excluded")
            } else if !cited {
                fails("it rests on nothing")
            } else {
                rule(cause, bundle, ways, permissions, values)
            };
            let what = format!("{fault} is {status} at {}", text(cause, "stage"));
            let primary = cause["primary"].as_bool() == Some(true) && status != "possible";
            let standing =
                if primary { notes.decisive(at, what, found) } else { notes.note(at, what, found) };
            if status != "possible" {
                let entry = causes.entry(fault.to_owned()).or_insert(standing);
                *entry = (*entry).min(standing);
            }
        }
    }
    causes
}

/// The rule behind a kind of fault, where it can be stated over the evidence.
fn rule(cause: &Value, bundle: &Bundle, ways: &[Way], permissions: &[Permission], values: usize) -> Found {
    let fault = text(cause, "fault");
    match fault.split('.').next().unwrap_or_default() {
        "net" => network(fault, ways),
        "iam" | "logs" if fault != "iam.policy_race" => permission(fault, permissions),
        "app" | "contract" => process(cause, bundle),
        _ => None,
    }
    .unwrap_or_else(|| {
        not_checked(if values == 0 {
            "its calls are there; no value is cited, and no rule of this checker covers the kind"
        } else {
            "the values it names are there; no rule of this checker covers the kind"
        })
    })
}

/// The kinds of element, and the side, that each network fault is about.
fn elements(fault: &str) -> &'static [(&'static str, Option<&'static str>)] {
    match fault {
        "net.nacl" => &[("network_acl", None)],
        "net.runtime_sg_egress_blocks" => &[("security_group", Some("egress"))],
        "net.endpoint_sg_blocks" => &[("security_group", Some("ingress"))],
        "net.no_egress_route" | "net.missing_vpc_endpoint" => &[("route_table", None)],
        "net.s3_path_missing" => &[("route_table", None), ("internet_gateway", None), ("network_acl", None)],
        "net.public_subnet_no_nat" => &[("internet_gateway", None)],
        _ => &[],
    }
}

/// A service that is blocked from every subnet, by an element of the fault's kind that was seen to drop the packet.
fn network(fault: &str, ways: &[Way]) -> Option<Found> {
    let elements = elements(fault);
    if elements.is_empty() {
        return None;
    }
    let fits = |way: &Way| {
        way.dropped.iter().any(|(kind, direction)| {
            elements
                .iter()
                .any(|(wanted, side)| kind == wanted && side.is_none_or(|side| *direction == Some(side)))
        })
    };
    let services: Vec<&str> = ways.iter().map(|way| way.service.as_str()).collect();
    let blocked = services.iter().find(|service| {
        let mut from = ways.iter().filter(|way| way.service == **service);
        // Of a way that is unknown for another reason (where a name leads) the element's part is claimed all the same.
        from.all(|way| matches!(way.state.as_str(), "blocked" | "unknown") && fits(way))
    });
    Some(match blocked {
        Some(service) => holds(format!(
            "a packet to {service} is dropped by such an element from every subnet of the certificate"
        )),
        None if ways.iter().any(fits) => {
            not_checked("such an element drops a packet from some subnets; the whole was not re-checked")
        }
        None => not_checked("no packet of the certificate was seen to be dropped by such an element"),
    })
}

/// The actions that a permission fault is about.
fn actions(fault: &str) -> Option<fn(&str) -> bool> {
    Some(match fault {
        "iam.trust_policy" => |action| action == "sts:AssumeRole",
        "iam.exec_role_ecr_denied" => |action| action.starts_with("ecr:"),
        "logs.role_cannot_write" => |action| action.starts_with("logs:"),
        _ => return None,
    })
}

/// The rule by which a kind of fault is excluded: every way is open, or every permission is there.
pub(crate) fn excluded(fault: &str, ways: &[Way], permissions: &[Permission]) -> Option<&'static str> {
    let open = |way: &Way| way.state == "open" && way.standing == Standing::Holds;
    if !elements(fault).is_empty() && !ways.is_empty() && ways.iter().all(open) {
        return Some("a packet of each way passes every element");
    }
    let needed = actions(fault)?;
    let mut asked = permissions.iter().filter(|permission| needed(&permission.action)).peekable();
    asked.peek()?;
    asked
        .all(|permission| permission.allowed && permission.standing == Standing::Holds)
        .then_some("the policies of the certificate allow what is needed")
}

/// A permission that the launch needs and that was re-checked as denied.
fn permission(fault: &str, permissions: &[Permission]) -> Option<Found> {
    let needed = actions(fault)?;
    let denied = permissions.iter().find(|p| needed(&p.action) && p.denied && p.standing == Standing::Holds);
    Some(match denied {
        Some(found) => holds(format!("{} is denied by the policies of the certificate", found.action)),
        None => not_checked("no permission of the certificate was re-checked as denied"),
    })
}

/// The process's own words: a cited record of its output, or of a rehearsal that did not pass.
fn process(cause: &Value, bundle: &Bundle) -> Option<Found> {
    let lines = list(cause, "because").iter();
    let claims: Vec<&Value> = lines.flat_map(|line| list(line, "claims")).collect();
    for claim in &claims {
        let call = bundle.call(text(claim, "call"))?;
        let quoted = text(claim, "claim") == "contains";
        match text(call, "operation") {
            "Rehearse" if call["response"]["passed"] == Value::Bool(false) && quoted => {
                return Some(holds("a rehearsal of the image did not pass, and it holds the words quoted"));
            }
            "FilterLogEvents" | "GetLogEvents" | "GetQueryResults" if quoted => {
                return Some(holds("the process's log holds the words quoted"));
            }
            _ => {}
        }
    }
    None
}
