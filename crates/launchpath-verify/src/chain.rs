//! That the verdict follows from the chain and the causes, by the published rules.
//!
//! The rules are those of `docs/certificate.md`; no evidence is read here. Start with [`check`].

use serde_json::Value;

use crate::cause::Causes;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::{list, text};

/// Stages beside the path to the answer.
const SIDE: &[&str] = &["log_delivery", "lifecycle"];

/// The stages of a launch in their order, on either platform.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-how-it-works.html>
const V1: &[&str] = &[
    "artifact_available",
    "caller_authorization",
    "request_validation",
    "accepted",
    "vpc_validation",
    "eni_dry_run",
    "network_attach",
    "ready",
    "invoke_admission",
    "session_placement",
    "artifact_fetch",
    "file_system_mount",
    "process_start",
    "log_delivery",
    "health",
    "request",
    "response",
];
const V2: &[&str] = &[
    "artifact_available",
    "caller_authorization",
    "request_validation",
    "accepted",
    "vpc_validation",
    "eni_dry_run",
    "network_attach",
    "artifact_fetch",
    "process_start",
    "health",
    "ready",
    "invoke_admission",
    "session_placement",
    "session_restore",
    "file_system_mount",
    "log_delivery",
    "session_health",
    "request",
    "response",
];
/// Stages of launches in a VPC.
const IN_VPC: &[&str] = &["vpc_validation", "eni_dry_run", "network_attach"];

pub(crate) fn check(certificate: &Value, causes: &Causes, notes: &mut Notes) {
    notes.decisive("/chain", "it has the stages of a launch, in their order", stages(certificate));
    notes.decisive("/chain", "nothing after the break was reached", order(certificate));
    notes.decisive(
        "/break",
        "the break lies between the last stage reached and the first that was not",
        broken(certificate),
    );
    notes.decisive("/causes", "no confirmed cause lies at a stage that was passed", passed(certificate));
    notes.decisive(
        "/verdict",
        format!("the verdict is {}", text(certificate, "verdict")),
        verdict(certificate, causes),
    );
    notes.decisive(
        "/exit_code",
        format!("the exit code is {}", certificate["exit_code"]),
        exit_code(certificate),
    );
}

/// No stage is left out, named twice or moved: what lies before and behind what rests on their order.
fn stages(certificate: &Value) -> Found {
    let named: Vec<&str> = list(certificate, "chain").iter().map(|stage| text(stage, "stage")).collect();
    let runtime = &certificate["runtime"];
    let public = runtime["network_mode"].as_str() == Some("PUBLIC");
    let is_launch = |order: &[&str]| {
        let expected = order.iter().filter(|stage| match **stage {
            "file_system_mount" => named.contains(&"file_system_mount"),
            stage => !(public && IN_VPC.contains(&stage)),
        });
        expected.eq(named.iter())
    };
    let orders: &[&[&str]] = match runtime["platform_version"].as_str() {
        Some("V1") => &[V1],
        Some("V2") => &[V2],
        Some(_) => return not_checked("the stages of this platform version are not known here"),
        None => &[V1, V2],
    };
    if orders.iter().any(|order| is_launch(order)) {
        holds("it has")
    } else {
        fails("a stage is left out, named twice, unknown or moved")
    }
}

/// The stages of the path, without those beside it: name and state.
fn path(certificate: &Value) -> Vec<(&str, &str)> {
    let main = list(certificate, "chain").iter().filter(|stage| !SIDE.contains(&text(stage, "stage")));
    main.map(|stage| (text(stage, "stage"), text(stage, "state"))).collect()
}

fn is_open_end(state: &str) -> bool {
    matches!(state, "failed" | "not_reached")
}

fn order(certificate: &Value) -> Found {
    for stage in list(certificate, "chain") {
        let side = SIDE.contains(&text(stage, "stage"));
        if stage["side"].as_bool() != Some(side) {
            return fails(format!(
                "{} is {} the path",
                text(stage, "stage"),
                if side { "beside" } else { "on" }
            ));
        }
    }
    let path = path(certificate);
    let Some(first) = path.iter().position(|(_, state)| is_open_end(state)) else {
        return holds("no stage failed");
    };
    match path[first..].iter().find(|(_, state)| *state == "reached") {
        Some((stage, _)) => fails(format!("{stage} was reached after {} was not", path[first].0)),
        None => holds(format!("none from {} on", path[first].0)),
    }
}

fn broken(certificate: &Value) -> Found {
    let path = path(certificate);
    let last = path.iter().rev().find(|(_, state)| *state == "reached").map(|(stage, _)| *stage);
    let first = path.iter().find(|(_, state)| is_open_end(state)).map(|(stage, _)| *stage);
    let claimed = &certificate["break"];
    if claimed.is_null() {
        return match first {
            Some(stage) => fails(format!("{stage} was not reached, and no break is claimed")),
            None => holds("no stage failed, and no break is claimed"),
        };
    }
    if claimed["last_reached"].as_str() != last {
        return fails(format!("the last stage reached is {}", last.unwrap_or("none")));
    }
    match (first, claimed["first_unreached"].as_str()) {
        (Some(first), Some(said)) if first == said => {
            holds(format!("after {} and not later than {first}", last.unwrap_or("the beginning")))
        }
        // A failure that a person reports, without a record of its own, leaves its stage unknown.
        (None, Some(said)) if path.iter().any(|(stage, state)| *stage == said && *state == "unknown") => {
            holds(format!("{said} is reported to fail; no record shows it"))
        }
        (first, said) => fails(format!(
            "the first stage not reached is {}, not {}",
            first.unwrap_or("none"),
            said.unwrap_or("none")
        )),
    }
}

fn causes<'a>(certificate: &'a Value, status: &'a str) -> impl Iterator<Item = &'a Value> {
    list(certificate, "causes").iter().filter(move |cause| text(cause, "status") == status)
}

fn passed(certificate: &Value) -> Found {
    let primaries = list(certificate, "causes").iter().filter(|c| c["primary"].as_bool() == Some(true));
    if primaries.count() > 1 {
        return fails("more than one cause is the one to mend first");
    }
    let chain = list(certificate, "chain");
    for cause in causes(certificate, "confirmed") {
        let (fault, at) = (text(cause, "fault"), text(cause, "stage"));
        let state = chain.iter().find(|stage| text(stage, "stage") == at).map(|stage| text(stage, "state"));
        if state == Some("reached") && !SIDE.contains(&at) {
            return fails(format!("{fault} is confirmed at {at}, which was reached"));
        }
    }
    holds("none does")
}

fn verdict(certificate: &Value, standings: &Causes) -> Found {
    let confirmed = causes(certificate, "confirmed").any(|cause| !SIDE.contains(&text(cause, "stage")));
    let path = path(certificate);
    let answered = path.iter().any(|(stage, state)| *stage == "response" && *state == "reached");
    let failed = path.iter().any(|(_, state)| is_open_end(state));
    let open = !list(certificate, "causes").is_empty() || !list(certificate, "unknown").is_empty();
    let follows = if confirmed {
        "blocked"
    } else if answered {
        "launches"
    } else if failed && !open {
        "no_fault_found"
    } else {
        "undecided"
    };
    if text(certificate, "verdict") == follows {
        let shown = causes(certificate, "confirmed").any(|cause| {
            let (fault, stage) = (text(cause, "fault"), text(cause, "stage"));
            let standing = standings.get(&(fault.to_owned(), stage.to_owned()));
            !SIDE.contains(&stage) && standing == Some(&Standing::Holds)
        });
        return match follows {
            "blocked" if !shown => not_checked("no confirmed cause was re-checked"),
            // That every kind of fault is excluded is the engine's claim.
            "no_fault_found" => not_checked("that every kind of fault is excluded was not re-checked"),
            _ => holds("it follows from the causes and the chain"),
        };
    }
    fails(format!("what follows from the causes and the chain is {follows}"))
}

fn exit_code(certificate: &Value) -> Found {
    // What only blinds breaks no launch.
    let breaks = |cause: &Value| text(cause, "status") != "possible" && !SIDE.contains(&text(cause, "stage"));
    let primary = list(certificate, "causes")
        .iter()
        .any(|cause| cause["primary"].as_bool() == Some(true) && breaks(cause));
    let quiet = list(certificate, "warnings").is_empty() && list(certificate, "also_blocking").is_empty();
    let follows = match text(certificate, "verdict") {
        _ if primary => 1,
        "launches" if quiet => 0,
        "launches" => 4,
        "blocked" => 1,
        _ => 3,
    };
    if certificate["exit_code"].as_u64() == Some(follows) {
        return holds("it follows from the verdict");
    }
    fails(format!("what follows is {follows}"))
}
