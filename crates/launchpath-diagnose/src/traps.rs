//! Diagnostic traps: warnings shown when the evidence shows that somebody fell into one.
//!
//! The traps are those of the field study (`trap.*`). A healthy world, or a careful one, gets none.

use launchpath_model::aws::agentcore::RuntimeStatus;
use launchpath_model::query::blind_spots;
use launchpath_model::{EvidenceId, Known, Read, ReadState, service};
use serde_json::json;

use crate::case::{Case, Mode, Platform};
use crate::chain::{Progress, Stage};
use crate::diagnosis::Warning;
use crate::rank::{Judged, Standing};
use crate::silence;

/// The warnings of this input.
pub(crate) fn warnings(case: &Case, progress: &Progress, judged: &[Judged]) -> Vec<Warning> {
    if progress.all_failures().next().is_none() && case.symptom().is_none() {
        return Vec::new();
    }
    [
        interface_evidence(case),
        empty_logs(case),
        ready_means_nothing(case, progress),
        no_reason_shown(case),
        misleading_message(case),
        logs_unread(case, progress),
        blame_network(case, progress, judged),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn warning(
    code: &str,
    title: &str,
    text: String,
    evidence: Vec<EvidenceId>,
    command: Option<String>,
) -> Warning {
    Warning { code: code.to_owned(), title: title.to_owned(), text, evidence, command }
}

/// Somebody looked for the interface with a query that cannot see it, and found nothing.
fn interface_evidence(case: &Case) -> Option<Warning> {
    let config = case.vpc_config()?;
    let subnet = config.subnets.first()?;
    let target =
        case.target("an AgentCore interface", "").with("subnet-id", subnet.as_str()).with("description", "");
    let blind = case.world.network.network_interfaces.reads().iter().find(|read| {
        read.state == ReadState::SeenEmpty
            && blind_spots(read, &target).iter().any(|why| why.contains("selects on description"))
    })?;
    let subnets: Vec<&str> = config.subnets.iter().map(launchpath_model::ids::SubnetId::as_str).collect();
    let request = json!({ "Filters": [{ "Name": "subnet-id", "Values": subnets }] });
    Some(warning(
        "trap.eni_evidence",
        "the interface was searched by its description, which AgentCore leaves empty",
        "the empty answer proves nothing. AgentCore marks its interfaces with the tag AmazonBedrockAgentCoreManaged; they are \
         shared by all runtimes of equal subnets and groups and outlive a runtime by hours, so even a valid answer speaks of \
         the network, not of one container"
            .to_owned(),
        vec![blind.call.id.clone()],
        Some(case.command("ec2", "DescribeNetworkInterfaces", &request)),
    ))
}

fn empty_logs(case: &Case) -> Option<Warning> {
    let group = case.log_group()?;
    if matches!(case.log_lines(), Known::Known(_)) {
        return None;
    }
    let of_group = |read: &&Read| {
        read.call.request_member("logGroupName").and_then(|name| name.as_str()) == Some(group.as_str())
    };
    let empty = case
        .world
        .log_events
        .reads()
        .iter()
        .filter(of_group)
        .find(|read| read.state == ReadState::SeenEmpty)?;
    let command = case.command("logs", "FilterLogEvents", &json!({ "logGroupName": group }));
    let invoked = case.latest_invocation().and_then(|call| call.at);
    let soon = match (invoked, empty.call.at) {
        (Some(invoked), Some(read)) if (0..600).contains(&read.seconds_since(invoked)) => {
            format!(
                " It was read {} minutes after the call; lines may take ten.",
                read.seconds_since(invoked) / 60
            )
        }
        _ => String::new(),
    };
    let seen = silence::shape(case);
    let shape =
        seen.as_ref().map(|(shape, _)| format!("{}. ", capital(&shape.text(&group)))).unwrap_or_default();
    let mut evidence = vec![empty.call.id.clone()];
    evidence.extend(seen.into_iter().flat_map(|(_, evidence)| evidence));
    evidence.sort();
    evidence.dedup();
    Some(warning(
        "trap.empty_logs",
        "an empty log group does not show that the container never started",
        format!(
            "{shape}A process that dies before it prints, a silent server, a role that may not write and a blocked path to \
             CloudWatch Logs all leave it empty.{soon}"
        ),
        evidence,
        Some(command),
    ))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn ready_means_nothing(case: &Case, progress: &Progress) -> Option<Warning> {
    let fails = progress.first_failed().or_else(|| progress.first_reported())?;
    let after_ready = progress.position(fails) > progress.position(Stage::Ready);
    (case.is_ready() && after_ready && case.combination.platform == Platform::V1).then(|| {
        warning(
            "trap.ready_means_nothing",
            "READY on platform V1 does not say that a container ever ran",
            "it says that the configuration was accepted and the network made; the first container starts at the first call \
             (or a pre-warm that nobody sees)"
                .to_owned(),
            case.runtime_evidence(),
            None,
        )
    })
}

fn no_reason_shown(case: &Case) -> Option<Warning> {
    let failed = matches!(case.status(), Some(RuntimeStatus::CreateFailed | RuntimeStatus::UpdateFailed));
    let silent = case.runtime()?.failure_reason.as_deref().is_none_or(str::is_empty);
    (failed && silent).then(|| {
        warning(
            "trap.no_reason_shown",
            "the service gives no reason for the failed state",
            "that invites theories about account enablement; check the zone ids of the subnets first, the most frequent silent cause"
                .to_owned(),
            case.runtime_evidence(),
            None,
        )
    })
}

fn misleading_message(case: &Case) -> Option<Warning> {
    let reason = case.runtime().and_then(|runtime| runtime.failure_reason.clone());
    let (said, evidence) = match (case.symptom(), reason) {
        (Some(symptom), _) => (symptom.text, symptom.evidence),
        (None, Some(reason)) => (reason, case.runtime_evidence()),
        (None, None) => return None,
    };
    let known = service::recognise_error(&said)?;
    let text = match known.id.as_str() {
        "initialization_exceeded" => {
            "\"initialization time exceeded\" seldom means a slow start: an import crash, a wrong port, and an image that \
             cannot be fetched print the same"
        }
        "ecr_access_denied" => {
            "\"Access denied while validating ECR URI\" also stands for an index with attestations and for a role made seconds ago"
        }
        _ => return None,
    };
    Some(warning(
        "trap.misleading_message",
        "the error text names one of several causes",
        text.to_owned(),
        evidence,
        None,
    ))
}

/// A traceback lies in the log and the report of the failure does not mention it.
fn logs_unread(case: &Case, progress: &Progress) -> Option<Warning> {
    let crash = progress.failures.get(&Stage::ProcessStart)?.iter().find(|failure| !failure.reported)?;
    let said =
        case.world.statements.iter().find(|s| !s.text.contains("Error:") && !s.text.contains("Traceback"))?;
    let mut evidence = crash.evidence.clone();
    evidence.push(said.evidence.clone());
    Some(warning(
        "trap.logs_unread",
        "the log already holds the reason",
        format!("{}; the statement does not mention it", crash.text),
        evidence,
        None,
    ))
}

/// Somebody blames the network or the service, and the network is proven right.
fn blame_network(case: &Case, progress: &Progress, judged: &[Judged]) -> Option<Warning> {
    if case.combination.mode != Some(Mode::Vpc) || matches!(case.log_lines(), Known::Known(_)) {
        return None;
    }
    let blames = |text: &str| {
        let lower = text.to_lowercase();
        ["eni", "network", "vpc", "service-level", "never attempted"].iter().any(|word| lower.contains(word))
    };
    let said = case.world.statements.iter().find(|s| !s.is_error_seen && blames(&s.text))?;
    let attached = progress.traces.get(&Stage::NetworkAttach)?.iter().max_by_key(|trace| trace.strength)?;
    let network_at_fault = judged.iter().any(|j| {
        // What the agent calls itself, and what remains afterwards, is not the network of the launch.
        let of_the_launch = !matches!(j.fault.code, "net.downstream_unreachable" | "net.eni_lingering");
        j.fault.code.starts_with("net.")
            && of_the_launch
            && matches!(j.standing, Standing::Found(_) | Standing::Unknown(_))
    });
    if network_at_fault {
        return None;
    }
    let mut evidence = attached.evidence.clone();
    evidence.push(said.evidence.clone());
    Some(warning(
        "trap.blame_network",
        "the network is blamed, and every network check holds",
        format!("{}; in the best documented cases of this kind the image was at fault", attached.text),
        evidence,
        None,
    ))
}
