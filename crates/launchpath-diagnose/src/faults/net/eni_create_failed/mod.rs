//! `net.eni_create_failed`: the network interface cannot be made: no free address, a quota, a throttled API.

use launchpath_model::{EvidenceId, Gap, Known};
use serde_json::json;

use crate::chain::{Stage, Strength};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.eni_create_failed",
    title: "The network interface cannot be created",
    stage: Stage::NetworkAttach,
    since: "0.1.0",
    prior: 0.5,
    needs: &["GetAgentRuntime", "DescribeSubnets", "LookupEvents", "DescribeNetworkInterfaces"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(config) = case.vpc_config() else {
        return Check::NotApplicable("only in VPC mode");
    };
    let subjects: Vec<String> = config.subnets.iter().map(ToString::to_string).collect();
    if let Some(failure) = context.progress.all_failures().find(|f| f.fault == Some(FAULT.code)) {
        let lines = vec![because(failure.text.clone(), &failure.evidence, DIRECT)];
        return Check::found(Finding::new(Certainty::Proven, subjects, lines).map(|f| f.at(failure.stage)));
    }
    let mut full: Vec<String> = Vec::new();
    let mut counted: Vec<String> = Vec::new();
    let mut evidence: Vec<EvidenceId> = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    for id in &config.subnets {
        match case.subnet(id) {
            Known::Known(fact) => {
                let free = fact.value.available_ip_address_count;
                evidence.extend(fact.evidence);
                match free {
                    Some(0) => full.push(id.to_string()),
                    Some(free) => counted.push(format!("{id} has {free} free addresses")),
                    None => {}
                }
            }
            Known::Unknown(gap) => gaps.push(gap),
            Known::Absent(_) => {}
        }
    }
    if !full.is_empty() {
        let lines = vec![because(format!("no free address is left in {}", full.join(", ")), &evidence, 8.0)];
        return Check::found(Finding::new(Certainty::Circumstantial, full, lines));
    }
    let attached = context
        .progress
        .traces
        .get(&Stage::NetworkAttach)
        .and_then(|all| all.iter().find(|trace| trace.strength == Strength::Direct));
    if let Some(attached) = attached {
        let mut all = attached.evidence.clone();
        all.extend(evidence);
        let free = if counted.is_empty() { String::new() } else { format!("; {}", counted.join(", ")) };
        return Check::ruled_out(format!("{}{free}", attached.text), all);
    }
    gaps.push(Gap::not_asked(
        "CreateNetworkInterface events",
        case.command(
            "cloudtrail",
            "LookupEvents",
            &json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "CreateNetworkInterface" }] }),
        ),
    ));
    Check::Unknown(gaps)
}
