//! `net.eni_create_failed`: the network interface cannot be made: no free address, a quota, a throttled API.
//!
//! A refusal for want of permission is not this fault but `iam.slr_missing_or_denied`.

use launchpath_model::ids::SubnetId;
use launchpath_model::{EvidenceId, Gap, GapReason, Known};
use serde_json::json;

use crate::chain::{Stage, Strength};
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::repair::{Change, Repair};

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
    let Some(config) = context.case.vpc_config() else {
        return Check::NotApplicable("only in VPC mode");
    };
    let addresses = Addresses::of(context, &config.subnets);
    let refused = context.progress.all_failures().find(|f| f.fault == Some(FAULT.code) && !f.reported);
    if let Some(failure) = refused {
        let mut lines = vec![because(failure.text.clone(), &failure.evidence, DIRECT)];
        let subnets = if addresses.full.is_empty() { &config.subnets } else { &addresses.full };
        lines.extend(addresses.line());
        let finding = Finding::new(Certainty::Proven, names(subnets), lines).map(|f| f.at(failure.stage));
        return Check::found(finding.map(|finding| repaired(context, &addresses, finding)));
    }
    if let Some(line) = addresses.line() {
        let finding = Finding::new(Certainty::Circumstantial, names(&addresses.full), vec![line]);
        return Check::found(finding.map(|finding| repaired(context, &addresses, finding)));
    }
    let attached = context
        .progress
        .traces
        .get(&Stage::NetworkAttach)
        .and_then(|all| all.iter().find(|trace| trace.strength == Strength::Direct));
    if let Some(attached) = attached {
        let mut evidence = attached.evidence.clone();
        evidence.extend(addresses.evidence);
        let free = addresses.free.iter().map(|(id, free)| format!("; {id} has {free} free addresses"));
        return Check::ruled_out(format!("{}{}", attached.text, free.collect::<String>()), evidence);
    }
    let mut gaps = addresses.gaps;
    gaps.extend(untold(context));
    Check::Unknown(gaps)
}

/// The free addresses of the runtime's subnets.
#[derive(Default)]
struct Addresses {
    full: Vec<SubnetId>,
    free: Vec<(SubnetId, i64)>,
    evidence: Vec<EvidenceId>,
    gaps: Vec<Gap>,
}

impl Addresses {
    fn of(context: &Context, subnets: &[SubnetId]) -> Self {
        let mut all = Self::default();
        for id in subnets {
            match context.case.subnet(id) {
                Known::Known(fact) => {
                    all.evidence.extend(fact.evidence);
                    match fact.value.available_ip_address_count {
                        Some(0) => all.full.push(id.clone()),
                        Some(free) => all.free.push((id.clone(), free)),
                        None => {}
                    }
                }
                Known::Unknown(gap) => all.gaps.push(gap),
                Known::Absent(_) => {}
            }
        }
        all
    }

    /// A subnet without a free address fits the fault; other causes do as well.
    fn line(&self) -> Option<crate::diagnosis::Because> {
        let text = format!("no free address is left in {}", names(&self.full).join(", "));
        (!self.full.is_empty()).then(|| because(text, &self.evidence, 8.0))
    }
}

fn names(subnets: &[SubnetId]) -> Vec<String> {
    subnets.iter().map(ToString::to_string).collect()
}

/// Where some subnets are full and others are not, the others will do.
fn repaired(context: &Context, addresses: &Addresses, finding: Finding) -> Finding {
    match &context.case.id {
        Some(id) if !addresses.full.is_empty() && !addresses.free.is_empty() => finding.with_repair(Repair::new(
            "Free addresses, or take the full subnets out of the runtime's configuration (a VPC change may need a new runtime)",
            Safety::Review,
            vec![Change::DropSubnets { runtime: id.clone(), subnets: addresses.full.clone() }],
        )),
        _ => finding,
    }
}

/// What would show whether an interface was tried for and made.
fn untold(context: &Context) -> Vec<Gap> {
    let gaps = &context.progress.gaps;
    let mut untold: Vec<Gap> = [Stage::EniDryRun, Stage::NetworkAttach]
        .iter()
        .filter_map(|stage| gaps.get(stage).cloned())
        .collect();
    if untold.is_empty() {
        // Interfaces are shared by all runtimes of equal subnets and groups: no event of one's own is no failure.
        let request = json!({ "LookupAttributes": [
            { "AttributeKey": "EventName", "AttributeValue": "CreateNetworkInterface" },
        ] });
        untold.push(Gap {
            what: "an attempt to create the interface".to_owned(),
            reason: GapReason::NotVisible { why: "neither an event nor an interface is there".to_owned() },
            evidence: Vec::new(),
            command: Some(context.case.command("cloudtrail", "LookupEvents", &request)),
        });
    }
    untold
}
