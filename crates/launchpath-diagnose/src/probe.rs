//! Next probes: the one observation or experiment that splits the remaining probability best, with its exact command.
//!
//! Each probe parts the suspects into classes that its outcome tells apart; its gain is the entropy of those classes in bits.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{ArtifactKind, Case};
use crate::chain::{Progress, Stage};
use crate::comparison;
use crate::diagnosis::{Cause, CauseStatus, Probe, Undecided};
use crate::experiment::{self, Origin};

/// No more than this many are shown.
const MOST: usize = 5;

/// The probes worth making, best first; none once a cause is confirmed.
pub(crate) fn probes(
    case: &Case,
    progress: &Progress,
    causes: &[Cause],
    unknown: &[Undecided],
) -> Vec<Probe> {
    if causes.iter().any(|cause| cause.status == CauseStatus::Confirmed)
        || progress.traces.contains_key(&Stage::Response)
    {
        return Vec::new();
    }
    if causes.is_empty() {
        let probe = invoke_once(case, progress).or_else(|| call_again(case));
        return probe.into_iter().collect();
    }
    let mut all: Vec<Probe> = Vec::new();
    all.extend(rehearse(case, causes));
    all.extend(known_good_image(case, causes));
    all.extend(look_ups(causes, unknown));
    all.retain(|probe| probe.gain_bits > 0.0);
    all.sort_by(|a, b| b.gain_bits.total_cmp(&a.gain_bits).then_with(|| a.command.cmp(&b.command)));
    all.truncate(MOST);
    if all.is_empty() {
        // No probe parts one suspect from itself: a second call shows at least whether it fails again, and where.
        all.extend(call_again(case));
    }
    all
}

/// Entropy, in bits, of outcomes that name each of `single` by itself and lump the rest together.
fn gain(causes: &[Cause], single: &[&str]) -> f64 {
    let total: f64 = causes.iter().map(|cause| cause.probability).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let mut classes: Vec<f64> =
        causes.iter().filter(|c| single.contains(&c.fault.as_str())).map(|c| c.probability / total).collect();
    classes.push(
        causes.iter().filter(|c| !single.contains(&c.fault.as_str())).map(|c| c.probability / total).sum(),
    );
    let bits: f64 = classes.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum();
    (bits * 100.0).round() / 100.0
}

/// Faults that running the image here, under the service's contract, shows by itself.
fn shown_by_rehearsal(causes: &[Cause]) -> Vec<&str> {
    let by_running = |cause: &&Cause| {
        let area = cause.fault.split('.').next().unwrap_or_default();
        matches!(area, "app" | "contract")
            || matches!(
                cause.fault.as_str(),
                "image.arch_mismatch" | "image.file_permissions" | "image.wrong_server_model"
            )
    };
    causes.iter().filter(by_running).map(|cause| cause.fault.as_str()).collect()
}

fn rehearse(case: &Case, causes: &[Cause]) -> Option<Probe> {
    let shown = shown_by_rehearsal(causes);
    if shown.is_empty() || case.combination.artifact != ArtifactKind::Container {
        return None;
    }
    // A run that its own network cut off is worth another in the diagnosed one; any other has said what it can.
    let rehearsed = experiment::rehearsals(case);
    let very_image = rehearsed.iter().any(|(_, origin)| *origin == Origin::ThisImage);
    let (what, command) = match rehearsed.iter().find_map(|(rehearsal, _)| experiment::cut_off(rehearsal)) {
        Some(target) => (
            format!(
                "Rehearse the image in the diagnosed network: whether it lets the process reach {target} decides whether it starts"
            ),
            case.rehearse_in_vpc_command()?,
        ),
        None if very_image => return None,
        None => (
            "Rehearse the image: run this very image here, under the service's contract, and see which clause breaks"
                .to_owned(),
            case.rehearse_command()?,
        ),
    };
    Some(Probe {
        what,
        command,
        gain_bits: gain(causes, &shown),
        splits: shown.iter().map(|code| (*code).to_owned()).collect(),
    })
}

fn known_good_image(case: &Case, causes: &[Cause]) -> Option<Probe> {
    let compared = comparison::with_another(case).filter(|compared| compared.image_differs)?;
    let id = launchpath_model::ids::RuntimeId::from(compared.plain.with.as_str());
    let good = Case::of(case.world, Some(id), "DEFAULT".to_owned());
    let config = case.vpc_config()?;
    let network = serde_json::json!({ "networkMode": "VPC", "networkModeConfig": {
        "subnets": config.subnets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "securityGroups": config.security_groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
    } });
    let artifact = serde_json::json!({ "containerConfiguration": { "containerUri": good.pinned_image()? } });
    let role = case.runtime()?.role_arn.clone()?;
    let request = serde_json::json!({
        "agentRuntimeName": "launchpath_known_good",
        "agentRuntimeArtifact": artifact,
        "roleArn": role,
        "networkConfiguration": network,
    });
    let in_image: Vec<&str> = causes
        .iter()
        .map(|cause| cause.fault.as_str())
        .filter(|code| matches!(code.split('.').next(), Some("app" | "contract" | "image")))
        .collect();
    let share: f64 =
        causes.iter().filter(|c| in_image.contains(&c.fault.as_str())).map(|c| c.probability).sum();
    let rest: f64 = causes.iter().map(|c| c.probability).sum::<f64>() - share;
    let bits = [share, rest].iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum::<f64>();
    Some(Probe {
        what: format!(
            "Run the known-good image of {} in this network (makes a runtime: delete it afterwards)",
            compared.plain.with
        ),
        command: case.command("bedrock-agentcore-control", "CreateAgentRuntime", &request),
        splits: in_image.iter().map(|code| (*code).to_owned()).collect(),
        gain_bits: ((bits * 100.0).round() / 100.0).max(0.0),
    })
}

/// The missing look-ups of undecided suspects, one probe per command.
fn look_ups(causes: &[Cause], unknown: &[Undecided]) -> Vec<Probe> {
    let suspects: BTreeSet<&str> = causes.iter().map(|cause| cause.fault.as_str()).collect();
    let mut by_command: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for undecided in unknown.iter().filter(|u| suspects.contains(u.fault.as_str())) {
        for missing in &undecided.missing {
            let Some(command) = &missing.command else { continue };
            if !command.starts_with("aws ") {
                continue;
            }
            let entry = by_command.entry(command).or_insert((&missing.evidence, BTreeSet::new()));
            entry.1.insert(&undecided.fault);
        }
    }
    by_command
        .into_iter()
        .map(|(command, (what, faults))| {
            let faults: Vec<&str> = faults.into_iter().collect();
            Probe {
                what: format!("Look up {what}"),
                command: command.to_owned(),
                gain_bits: gain(causes, &faults),
                splits: faults.iter().map(|code| (*code).to_owned()).collect(),
            }
        })
        .collect()
}

/// Nothing found and nothing seen to fail: one call would tell.
fn invoke_once(case: &Case, progress: &Progress) -> Option<Probe> {
    if progress.all_failures().next().is_some() {
        return None;
    }
    Some(Probe {
        what: "Make one test invocation and record how it ends".to_owned(),
        command: invocation(case)?,
        splits: Vec::new(),
        gain_bits: 1.0,
    })
}

/// It failed, and nothing that was found explains it: whether it fails again, in the same way, with the log of that minute.
fn call_again(case: &Case) -> Option<Probe> {
    if !case.is_ready() {
        return None;
    }
    Some(Probe {
        what: "Call once more, with a new session, and read what that call leaves in log and trail"
            .to_owned(),
        command: invocation(case)?,
        splits: Vec::new(),
        gain_bits: 0.0,
    })
}

fn invocation(case: &Case) -> Option<String> {
    let id = case.id.as_ref()?;
    let region = case.world.region.as_ref().map(|region| format!(" --region {region}")).unwrap_or_default();
    Some(format!("launchpath diagnose {id}{region} --invoke '{{\"prompt\": \"ping\"}}'"))
}
