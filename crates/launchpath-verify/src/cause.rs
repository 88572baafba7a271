//! Causes: their citations, and for the kinds that have a checkable rule, that the rule holds.
//!
//! Start with [`check`], then [`rule`]. What a process's own words must be is in `process.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::network::Way;
use crate::permission::Permission;
use crate::process::process;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::{Shown, claim, list, text};
use serde_json::Value;

/// What became of each confirmed or likely cause, by fault code and stage.
pub(crate) type Causes = BTreeMap<(String, String), Standing>;

pub(crate) fn check(shown: &Shown, notes: &mut Notes) -> Causes {
    let mut causes = Causes::new();
    for member in ["causes", "also_blocking"] {
        for (index, cause) in list(shown.certificate, member).iter().enumerate() {
            let at = format!("/{member}/{index}");
            let (mut values, mut all, mut cited) = (0, true, false);
            for (line, because) in list(cause, "because").iter().enumerate() {
                let at = format!("{at}/because/{line}");
                let (found, held) = claim::check_all(shown.certificate, because, &at, shown.bundle, notes);
                values += found;
                all &= held;
                cited |= !list(because, "evidence").is_empty();
            }
            let (fault, status, stage) = (text(cause, "fault"), text(cause, "status"), text(cause, "stage"));
            let found = if !all {
                fails("a citation does not hold")
            } else if status == "possible" {
                not_checked("a suspect: nothing is claimed but that it is not excluded")
            } else if !matches!(status, "confirmed" | "likely") {
                fails(format!("no status is called {status:?}"))
            } else if !cited {
                fails("it rests on nothing")
            } else {
                rule(cause, shown, values)
            };
            let what = format!("{fault} is {status} at {stage}");
            let primary = cause["primary"].as_bool() == Some(true) && status != "possible";
            let standing =
                if primary { notes.decisive(at, what, found) } else { notes.note(at, what, found) };
            if status != "possible" {
                let entry = causes.entry((fault.to_owned(), stage.to_owned())).or_insert(standing);
                *entry = (*entry).min(standing);
            }
        }
    }
    causes
}

/// The rule behind a kind of fault, where it can be stated over the evidence.
fn rule(cause: &Value, shown: &Shown, values: usize) -> Found {
    let (fault, stage) = (text(cause, "fault"), text(cause, "stage"));
    let found = match fault.split('.').next().unwrap_or_default() {
        "net" => network(fault, stage, shown),
        "iam" | "logs" => permission(fault, stage, shown.permissions),
        "app" | "contract" => process(cause, shown),
        _ => None,
    };
    found.unwrap_or_else(|| {
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

/// The services that the artifact comes from.
fn of_artifact(shown: &Shown) -> &'static [&'static str] {
    if shown.subject.image().is_some() { &["ecr.api", "ecr.dkr", "s3"] } else { &["s3"] }
}

/// A service that the stage needs and that is blocked from every subnet, by an element of the fault's kind that was seen to
/// drop the packet.
fn network(fault: &str, stage: &str, shown: &Shown) -> Option<Found> {
    let elements = elements(fault);
    if elements.is_empty() {
        return None;
    }
    let needed: &[&str] = match stage {
        "artifact_fetch" if fault == "net.s3_path_missing" => &["s3"],
        "artifact_fetch" => of_artifact(shown),
        "log_delivery" => &["logs"],
        _ => return Some(not_checked("no rule of this checker says what such a fault breaks at this stage")),
    };
    let fits = |way: &Way| {
        way.dropped.iter().any(|(kind, direction)| {
            elements
                .iter()
                .any(|(wanted, side)| kind == wanted && side.is_none_or(|side| *direction == Some(side)))
        })
    };
    let Some(subnets) = shown.subject.subnets().filter(|subnets| !subnets.is_empty()) else {
        return Some(not_checked("the bundle does not say which subnets the runtime has"));
    };
    let ways = shown.paths;
    let blocked = needed.iter().find(|service| {
        let from = || ways.iter().filter(|way| way.service == **service);
        let covered: BTreeSet<&str> = from().map(|way| way.subnet.as_str()).collect();
        // Of a way that is unknown for another reason (where a name leads) the element's part is claimed all the same.
        subnets.iter().all(|subnet| covered.contains(subnet))
            && from().all(|way| matches!(way.state.as_str(), "blocked" | "unknown") && fits(way))
    });
    Some(match blocked {
        Some(service) => holds(format!(
            "a packet to {service} is dropped by such an element from every subnet of the runtime"
        )),
        None if ways.iter().any(fits) => {
            not_checked("such an element drops a packet from some subnets; the whole was not re-checked")
        }
        None => not_checked("no packet of the certificate was seen to be dropped by such an element"),
    })
}

/// The actions that a permission fault is about, and the stages that it breaks.
fn actions(fault: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match fault {
        "iam.trust_policy" => {
            (&["sts:AssumeRole"], &["request_validation", "session_placement", "artifact_fetch"])
        }
        "iam.exec_role_ecr_denied" => (
            &["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            &["request_validation", "artifact_fetch"],
        ),
        "logs.role_cannot_write" => (&["logs:CreateLogStream", "logs:PutLogEvents"], &["log_delivery"]),
        _ => return None,
    })
}

/// The rule by which a kind of fault is excluded: every way that the artifact takes is open, or every permission is there.
pub(crate) fn excluded(fault: &str, shown: &Shown) -> Option<&'static str> {
    let open = |way: &Way| way.state == "open" && way.standing == Standing::Holds;
    if !elements(fault).is_empty() {
        let subnets = shown.subject.subnets().filter(|subnets| !subnets.is_empty())?;
        let walked = |service: &str, subnet: &str| {
            shown.paths.iter().any(|way| way.service == service && way.subnet == subnet)
        };
        let all =
            of_artifact(shown).iter().all(|service| subnets.iter().all(|subnet| walked(service, subnet)));
        return (all && shown.paths.iter().all(open)).then_some("a packet of each way passes every element");
    }
    let (needed, _) = actions(fault)?;
    let held = |action: &&str| {
        let mut asked =
            shown.permissions.iter().filter(|permission| permission.action == **action).peekable();
        asked.peek().is_some()
            && asked.all(|permission| permission.allowed && permission.standing == Standing::Holds)
    };
    needed.iter().all(held).then_some("the policies of the certificate allow what is needed")
}

/// A permission that the launch needs and that was re-checked as denied.
fn permission(fault: &str, stage: &str, permissions: &[Permission]) -> Option<Found> {
    let (needed, stages) = actions(fault)?;
    if !stages.contains(&stage) {
        return Some(not_checked("no rule of this checker says what such a fault breaks at this stage"));
    }
    let denied = permissions.iter().find(|permission| {
        needed.contains(&permission.action.as_str())
            && permission.denied
            && permission.standing == Standing::Holds
    });
    Some(match denied {
        Some(found) => holds(format!("{} is denied by the policies of the certificate", found.action)),
        None => not_checked("no permission of the certificate was re-checked as denied"),
    })
}
