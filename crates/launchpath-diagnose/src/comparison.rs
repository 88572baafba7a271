//! Comparison with a runtime that works: what differs, and whether a difference can explain the break.
//!
//! The other runtime is the one asked for (`--against`) or any other runtime of the input that provably works.

use launchpath_model::aws::agentcore::Runtime;
use launchpath_model::ids::RuntimeId;
use launchpath_model::world::Invocation;
use launchpath_model::{EvidenceId, Known};

use crate::case::Case;
use crate::chain::{Stage, assess};
use crate::diagnosis::{Comparison, Difference};

/// The comparison, with what ranking needs of it.
pub(crate) struct Compared {
    pub(crate) plain: Comparison,
    pub(crate) image_differs: bool,
    pub(crate) role_same: bool,
}

/// Compares with the runtime asked for, else with one that works; `None` when there is neither.
pub(crate) fn compare(case: &Case) -> Option<Compared> {
    let here = case.runtime()?;
    let works_here = case.latest_invocation().is_some_and(Invocation::was_answered);
    let wanted = case.world.subject.against.as_deref();
    if works_here && wanted.is_none() {
        return None; // It works itself: nothing to explain.
    }
    let others = case.world.runtimes.iter().filter(|(id, _)| Some(*id) != case.id.as_ref());
    let named = |id: &RuntimeId, runtime: &Runtime| {
        wanted.is_none_or(|wanted| {
            id.as_str() == wanted
                || runtime.agent_runtime_name.as_deref() == Some(wanted)
                || runtime.agent_runtime_arn.as_deref() == Some(wanted)
        })
    };
    others.filter(|(id, row)| named(id, &row.value)).find_map(|(id, row)| {
        let other = Case::of(case.world, Some(id.clone()), "DEFAULT".to_owned());
        let (works_because, mut evidence) = match working(&other) {
            Some(proof) => proof,
            None if wanted.is_some() => ("nothing proves that it works".to_owned(), Vec::new()),
            None => return None,
        };
        evidence.extend(row.evidence.clone());
        evidence.extend(case.runtime_evidence());
        evidence.sort();
        evidence.dedup();
        Some(contrast(case, here, &other, &row.value, id, works_because, evidence))
    })
}

/// Whether a runtime provably got as far as running its process, and the calls that show it.
fn working(other: &Case) -> Option<(String, Vec<EvidenceId>)> {
    let progress = assess(other);
    if progress.first_failed().is_some() {
        return None;
    }
    let stages = [Stage::Response, Stage::SessionHealth, Stage::Health, Stage::ProcessStart];
    let trace = stages.iter().find_map(|stage| progress.traces.get(stage)?.first())?;
    let when = trace.at.map(|at| format!(" at {at}")).unwrap_or_default();
    // READY on V2 proves a health check at build; only what was seen to run counts here.
    Some((format!("{}{when}", trace.text), trace.evidence.clone()))
}

fn contrast(
    case: &Case,
    here: &Runtime,
    other: &Case,
    there: &Runtime,
    id: &RuntimeId,
    works_because: String,
    evidence: Vec<EvidenceId>,
) -> Compared {
    let mut differences = Vec::new();
    let mut same = Vec::new();
    let mut note = |what: &str, a: String, b: String, explains: Option<&str>| {
        if a == b {
            same.push(what.to_owned());
        } else {
            differences.push(Difference {
                what: what.to_owned(),
                here: a,
                there: b,
                explains: explains.map(str::to_owned),
            });
        }
    };
    let image_differs = image_of(case) != image_of(other);
    note(
        "image",
        image_of(case),
        image_of(other),
        Some("what runs differs: the image and application faults stay suspect"),
    );
    note(
        "network mode",
        mode_of(here),
        mode_of(there),
        Some("the paths to ECR, S3 and CloudWatch Logs differ"),
    );
    note("subnets", subnets_of(here), subnets_of(there), None);
    note("security groups", groups_of(here), groups_of(there), None);
    note("protocol", here.protocol().to_string(), there.protocol().to_string(), Some("the probe differs"));
    note(
        "execution role",
        text(here.role_arn.as_ref()),
        text(there.role_arn.as_ref()),
        Some("its rights differ"),
    );
    note("platform version", platform_of(here), platform_of(there), None);
    note(
        "environment variables",
        variables_of(here),
        variables_of(there),
        Some("the process sees another environment"),
    );
    let role_same = here.role_arn.is_some() && here.role_arn == there.role_arn;
    let plain = Comparison { with: id.to_string(), works_because, evidence, differences, same };
    Compared { plain, image_differs, role_same }
}

fn image_of(case: &Case) -> String {
    let uri = case.runtime().and_then(|r| r.container_uri()).unwrap_or("no container image").to_owned();
    match case.image() {
        Known::Known(fact) => {
            let digest = crate::chain::short_digest(&fact.value.image_digest);
            let pushed = fact.value.image_pushed_at.map(|at| format!(", pushed {at}")).unwrap_or_default();
            format!("{uri} ({digest}{pushed})")
        }
        Known::Absent(_) | Known::Unknown(_) => uri,
    }
}

fn mode_of(runtime: &Runtime) -> String {
    runtime.network_mode().map_or("unknown".to_owned(), ToString::to_string)
}

fn subnets_of(runtime: &Runtime) -> String {
    list(runtime.vpc_config().map(|config| config.subnets.iter().map(ToString::to_string).collect()))
}

fn groups_of(runtime: &Runtime) -> String {
    list(runtime.vpc_config().map(|config| config.security_groups.iter().map(ToString::to_string).collect()))
}

fn variables_of(runtime: &Runtime) -> String {
    list(runtime.environment_variables.as_ref().map(|variables| variables.keys().cloned().collect()))
}

fn platform_of(runtime: &Runtime) -> String {
    runtime.platform_version.as_ref().map_or("not stated".to_owned(), ToString::to_string)
}

fn list(items: Option<Vec<String>>) -> String {
    let mut items = items.unwrap_or_default();
    items.sort();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| "unknown".to_owned())
}
