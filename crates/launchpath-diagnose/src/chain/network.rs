//! Stages of VPC mode: validation, dry run, interfaces.
//!
//! The interfaces are recognised by their tag; their description is empty. They are shared by all runtimes of equal subnets
//! and groups, so neither one CreateNetworkInterface event more nor one less says anything about one runtime.

use std::collections::BTreeMap;

use launchpath_model::aws::agentcore::{Runtime, RuntimeStatus, VpcConfig};
use launchpath_model::aws::network_interface::{AGENTCORE_TAG, NetworkInterface};
use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::ids::{SecurityGroupId, SubnetId};
use launchpath_model::{Absence, EvidenceId, Gap, Row, service};
use serde_json::json;

use super::{Failure, Sighting, Stage, Strength, Trace, TraceRule};
use crate::case::{Case, TRAIL_LAG_SECONDS};

pub(super) const RULES: &[&TraceRule] = &[&VALIDATION_EVENTS, &INTERFACE_EVENTS, &INTERFACE_BY_TAG];

static VALIDATION_EVENTS: TraceRule = TraceRule {
    name: "validation_events",
    stage: Stage::VpcValidation,
    always_left: false,
    delay_seconds: TRAIL_LAG_SECONDS,
    hidden_by: "CloudTrail's delay, a look-up by another event name",
    look: validation_events,
};

static INTERFACE_EVENTS: TraceRule = TraceRule {
    name: "interface_events",
    stage: Stage::EniDryRun,
    always_left: false,
    delay_seconds: TRAIL_LAG_SECONDS,
    hidden_by: "CloudTrail's delay; interfaces shared with an older runtime leave no new event",
    look: interface_events,
};

static INTERFACE_BY_TAG: TraceRule = TraceRule {
    name: "interface_by_tag",
    stage: Stage::NetworkAttach,
    always_left: true,
    delay_seconds: 60,
    hidden_by: "a filter on the description (it is empty) or on an interface type",
    look: interface_by_tag,
};

fn validation_events(case: &Case) -> Sighting {
    if case.vpc_config().is_none() {
        return Sighting::NotApplicable;
    }
    let since = case.created_at();
    let selection =
        case.trail("DescribeSubnets", |e| e.by_network_role() && e.succeeded() && e.event_time >= since);
    let traces = selection.rows.iter().take(1).map(|row| Trace {
        stage: Stage::VpcValidation,
        text: "the service-linked role described the subnets".to_owned(),
        evidence: row.evidence.clone(),
        at: row.value.event_time,
        strength: Strength::Direct,
    });
    Sighting::Seen(traces.collect(), Vec::new())
}

fn interface_events(case: &Case) -> Sighting {
    let Some(config) = case.vpc_config() else {
        return Sighting::NotApplicable;
    };
    let ours = |event: &TrailEvent| {
        let subnet = event.request_text("subnetId");
        event.by_network_role()
            && subnet.is_none_or(|subnet| config.subnets.iter().any(|own| own.as_str() == subnet))
    };
    // What is older than the runtime was done for another one.
    let since = case.created_at();
    let selection = case.trail("CreateNetworkInterface", |event| ours(event) && event.event_time >= since);
    let mut rows: Vec<&Row<TrailEvent>> = selection.rows;
    rows.sort_by_key(|row| row.value.event_time);
    if rows.is_empty() {
        return selection.complete.map_or_else(Sighting::NotVisible, |_| Sighting::NotApplicable);
    }
    let mut traces = Vec::new();
    // The last attempt in each subnet, where it failed: one that passed in another subnet does not mend it.
    let mut failed: BTreeMap<Option<&str>, Failure> = BTreeMap::new();
    for row in rows {
        let event = &row.value;
        let at = event.event_time;
        let when = at.map_or("an unknown time".to_owned(), |at| at.to_string());
        if event.dry_run_passed() {
            failed.remove(&event.request_text("subnetId"));
            traces.push(trace(Stage::EniDryRun, format!("dry run passed at {when}"), row, at));
        } else if event.succeeded() {
            failed.remove(&event.request_text("subnetId"));
            let id = created_interface(event).unwrap_or_else(|| "an interface".to_owned());
            traces.push(trace(
                Stage::NetworkAttach,
                format!("{id} created at {when} by the service-linked role"),
                row,
                at,
            ));
        } else {
            failed.insert(event.request_text("subnetId"), refused(event, &when, row.evidence.clone()));
        }
    }
    if !failed.is_empty() {
        // The network is there when every subnet has its interface.
        traces.clear();
    }
    Sighting::Seen(traces, failed.into_values().collect())
}

fn trace(
    stage: Stage,
    text: String,
    row: &Row<TrailEvent>,
    at: Option<launchpath_model::Timestamp>,
) -> Trace {
    Trace { stage, text, evidence: row.evidence.clone(), at, strength: Strength::Direct }
}

fn created_interface(event: &TrailEvent) -> Option<String> {
    let interface = event.response_elements.as_ref()?.get("networkInterface")?;
    Some(interface.get("networkInterfaceId")?.as_str()?.to_owned())
}

fn refused(event: &TrailEvent, when: &str, evidence: Vec<EvidenceId>) -> Failure {
    let code = event.error_code.clone().unwrap_or_default();
    let message = event.error_message.clone().unwrap_or_default();
    let unauthorized = code.contains("UnauthorizedOperation") || code.contains("AccessDenied");
    Failure {
        stage: Stage::EniDryRun,
        text: format!("CreateNetworkInterface at {when} failed: {code}: {message}"),
        evidence,
        fault: Some(if unauthorized { "iam.slr_missing_or_denied" } else { "net.eni_create_failed" }),
        reported: false,
    }
}

/// Whether an interface is one of this runtime's: in one of its subnets, with exactly its groups, made by AgentCore.
fn is_ours(interface: &NetworkInterface, subnet: &SubnetId, groups: &[SecurityGroupId]) -> bool {
    let mut wanted: Vec<&SecurityGroupId> = groups.iter().collect();
    let mut has: Vec<&SecurityGroupId> =
        interface.groups.iter().flatten().map(|group| &group.group_id).collect();
    wanted.sort();
    has.sort();
    interface.subnet_id.as_ref() == Some(subnet)
        && (interface.groups.is_none() || wanted == has)
        && interface.is_agentcore() == Some(true)
}

fn interface_by_tag(case: &Case) -> Sighting {
    let Some(config) = case.vpc_config() else {
        return Sighting::NotApplicable;
    };
    if is_of_another(case, config) {
        return Sighting::NotApplicable;
    }
    let mut traces = Vec::new();
    let mut absent: Vec<Absence> = Vec::new();
    let mut gap: Option<Gap> = None;
    for subnet in &config.subnets {
        let selection = interfaces(case, subnet, &config.security_groups);
        match (selection.rows.first(), selection.complete) {
            (Some(row), _) => traces.push(attached(row)),
            (None, Ok(absence)) => absent.push(absence),
            (None, Err(why)) => gap = gap.or(Some(why)),
        }
    }
    // One for each subnet: those that are there alone may be what another runtime left, or half of a creation.
    match (gap, absent.into_iter().next()) {
        (None, None) if !traces.is_empty() => Sighting::Seen(traces, Vec::new()),
        (None, Some(_)) if !traces.is_empty() => Sighting::NotApplicable,
        (Some(gap), _) => Sighting::NotVisible(gap),
        (None, Some(absence)) => {
            Sighting::Missing(absence, "no interface with AgentCore's tag in any of the subnets".to_owned())
        }
        (None, None) => Sighting::NotApplicable,
    }
}

/// Whether the interfaces that are there can only be those of another runtime of equal subnets and groups: this one was refused, or
/// failed before it had any.
fn is_of_another(case: &Case, config: &VpcConfig) -> bool {
    let described = case.id.as_ref().is_some_and(|id| case.world.runtimes.seen(id).is_some());
    if !described {
        return true;
    }
    if case.status() != Some(&RuntimeStatus::CreateFailed) {
        return false;
    }
    let reason = case.runtime().and_then(|runtime| runtime.failure_reason.as_deref()).unwrap_or_default();
    let failed = service::recognise_error(reason).and_then(|known| Stage::from_id(known.fails.as_deref()?));
    let shares = |other: &Runtime| {
        let same = other
            .vpc_config()
            .is_some_and(|theirs| theirs.subnets.iter().any(|subnet| config.subnets.contains(subnet)));
        same && Some(&other.agent_runtime_id) != case.id.as_ref()
    };
    failed.is_some_and(|stage| stage <= Stage::NetworkAttach)
        || case.world.runtimes.iter().any(|(_, row)| shares(&row.value))
}

/// The runtime's interfaces in one subnet, and whether a query could have shown them all.
fn interfaces<'a>(
    case: &Case<'a>,
    subnet: &SubnetId,
    groups: &[SecurityGroupId],
) -> launchpath_model::Selection<'a, NetworkInterface> {
    let request = json!({ "Filters": [
        { "Name": "subnet-id", "Values": [subnet.as_str()] },
        { "Name": format!("tag:{AGENTCORE_TAG}"), "Values": ["true"] },
    ] });
    let command = case.command("ec2", "DescribeNetworkInterfaces", &request);
    let mut target = case
        .target(format!("the AgentCore interface in {subnet}"), command)
        .with("subnet-id", subnet.as_str())
        .with("description", "")
        .with("tag-key", AGENTCORE_TAG)
        .with(&format!("tag:{AGENTCORE_TAG}"), "true");
    if let Some(row) = case.world.network.subnets.seen(subnet) {
        target = target.with("vpc-id", row.value.vpc_id.as_str());
    }
    for group in groups {
        target = target.with("group-id", group.as_str());
    }
    case.world.network.network_interfaces.select(&target, |_, interface| is_ours(interface, subnet, groups))
}

fn attached(row: &Row<NetworkInterface>) -> Trace {
    let interface = &row.value;
    let address = interface.private_ip_address.map(|a| format!(" ({a})")).unwrap_or_default();
    let status = interface.status.as_deref().unwrap_or("state unknown");
    Trace {
        stage: Stage::NetworkAttach,
        text: format!("{}{address}, tag {AGENTCORE_TAG}, {status}", interface.network_interface_id),
        evidence: row.evidence.clone(),
        at: None,
        strength: Strength::Direct,
    }
}
