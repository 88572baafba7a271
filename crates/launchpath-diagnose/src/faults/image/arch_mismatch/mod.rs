//! `image.arch_mismatch`: the image is not `linux/arm64`.

use launchpath_image::manifest::{self, MICROVM_ARCHITECTURE, Shape};
use launchpath_model::{EvidenceId, Known, Timestamp};

use crate::case::{ArtifactKind, Case};
use crate::chain::{Progress, Stage, Strength};
use crate::diagnosis::Safety;
use crate::experiment::{self, Broken, Origin};
use crate::faults::image::{config, stale_tag};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.arch_mismatch",
    title: "The image is not built for linux/arm64",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 4.0,
    needs: &[
        "GetAgentRuntime",
        "DescribeImages",
        "BatchGetImage",
        "GetImageConfig",
        "LookupEvents",
        "Rehearse",
        "InspectImage",
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.capacity_provider {
        return Check::NotApplicable("capacity providers run both architectures");
    }
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    let subjects: Vec<String> =
        case.runtime().and_then(|r| r.container_uri()).map(str::to_owned).into_iter().collect();
    if let Some(failure) =
        context.progress.all_failures().find(|f| f.fault == Some(FAULT.code) && !f.reported)
    {
        let lines =
            vec![because(format!("the service says so: {}", failure.text), &failure.evidence, DIRECT)];
        let finding = Finding::new(Certainty::Proven, subjects, lines);
        return Check::found(
            finding.map(|f| f.at(super::stage_of(failure, context.progress)).with_repair(rebuild(case))),
        );
    }
    match architecture(case) {
        Some((architecture, evidence)) if architecture == MICROVM_ARCHITECTURE => {
            // The documents may say so of an image whose program is for another machine.
            let by_program = experiment::names_a_program(case).then(|| program(context, &subjects)).flatten();
            by_program.unwrap_or_else(|| {
                Check::ruled_out(format!("the image is for {MICROVM_ARCHITECTURE}"), evidence)
            })
        }
        Some((architecture, evidence)) => {
            let lines = vec![because(
                format!(
                    "the image is for {architecture}; AgentCore microVMs run {MICROVM_ARCHITECTURE} only"
                ),
                &evidence,
                DIRECT,
            )];
            let accepted = context.progress.trace_at_or_beyond(FAULT.stage).is_some();
            let moved = moved_since_acceptance(case) || stale_tag::was_put_back(case);
            if accepted && !moved && !stale_tag::stayed(case) {
                // What was accepted may have been another image, or the service takes this one.
                return Check::unknown(stale_tag::gap(case, evidence));
            }
            let stage = if accepted && moved { Stage::ProcessStart } else { FAULT.stage };
            let finding = Finding::new(Certainty::Proven, subjects, lines);
            Check::found(finding.map(|f| f.at(stage).with_repair(rebuild(case))))
        }
        None if experiment::names_a_program(case) => {
            program(context, &subjects).unwrap_or_else(|| validated(case, context.progress))
        }
        None => match (validated(case, context.progress), offered(context, &subjects)) {
            // The service took the deployed image for one of its own: another that is offered as it is not it.
            (ruled_out @ Check::RuledOut(_), _) => ruled_out,
            (open, None) => open,
            (_, Some(found)) => {
                let accepted = context.progress.trace_at_or_beyond(FAULT.stage).is_some();
                if accepted && !moved_since_acceptance(case) && !stale_tag::was_put_back(case) {
                    // What was accepted was another image than the offered one, for all that is known.
                    return Check::unknown(stale_tag::gap(case, records(case)));
                }
                found
            }
        },
    }
}

/// The calls of the experiments.
fn records(case: &Case) -> Vec<EvidenceId> {
    let inspected = experiment::inspections(case).into_iter().map(|(record, _)| record.evidence.clone());
    let rehearsed = experiment::rehearsals(case).into_iter().map(|(record, _)| record.evidence.clone());
    inspected.chain(rehearsed).collect()
}

/// What a program for another machine shows: the service looks at the documents, and meets the program when it starts it.
fn program(context: &Context, subjects: &[String]) -> Option<Check> {
    let found = offered(context, subjects)?;
    let Check::Found(findings) = found else { return Some(found) };
    Some(Check::Found(findings.into_iter().map(|finding| finding.at(Stage::ProcessStart)).collect()))
}

/// What the experiments show; `None`: nothing.
fn offered(context: &Context, subjects: &[String]) -> Option<Check> {
    let mend = |case: &Case, _: &Broken| Some(rebuild(case));
    match trial::answer(context, FAULT.code, subjects.to_vec(), mend).ok()? {
        Check::Found(findings) => {
            // The service checked what the tag pointed to when it accepted the runtime.
            let accepted = context.progress.trace_at_or_beyond(FAULT.stage).is_some();
            let stage = if accepted { Stage::ProcessStart } else { FAULT.stage };
            Some(Check::Found(findings.into_iter().map(|finding| finding.at(stage)).collect()))
        }
        check => Some(check),
    }
}

/// The architecture, from the index or the config blob; an index that offers arm64 counts as arm64.
fn architecture(case: &Case) -> Option<(String, Vec<EvidenceId>)> {
    if let Some(row) = config::manifest(case)
        && let Shape::Index { platforms, .. } = manifest::shape(&row.value)
        && !platforms.is_empty()
    {
        let offered = platforms.contains(&format!("linux/{MICROVM_ARCHITECTURE}"));
        let found = if offered { MICROVM_ARCHITECTURE.to_owned() } else { platforms.join(", ") };
        return Some((found, row.evidence.clone()));
    }
    if let Some((config, evidence)) = config::config(case)
        && let Some(architecture) = config.architecture.clone()
    {
        return Some((architecture, evidence));
    }
    let of_this_image = |origin: Origin| origin == Origin::ThisImage;
    let inspected = experiment::inspections(case).into_iter().filter(|(_, origin)| of_this_image(*origin));
    let rehearsed = experiment::rehearsals(case).into_iter().filter(|(_, origin)| of_this_image(*origin));
    let mut records = inspected
        .map(|(record, _)| (&record.identity, &record.evidence))
        .chain(rehearsed.map(|(record, _)| (&record.identity, &record.evidence)));
    records.find_map(|(identity, evidence)| Some((identity.architecture.clone()?, vec![evidence.clone()])))
}

fn moved_since_acceptance(case: &Case) -> bool {
    pushed_at(case).is_some_and(|pushed| case.changed_at().is_some_and(|changed| pushed > changed))
}

fn pushed_at(case: &Case) -> Option<Timestamp> {
    case.image().value().and_then(|image| image.image_pushed_at)
}

/// The service checks the architecture before it accepts: acceptance after the push speaks for the image.
fn validated(case: &Case, progress: &Progress) -> Check {
    let gap = match case.image() {
        Known::Unknown(gap) => gap,
        _ => launchpath_model::Gap::not_asked(
            "the image's architecture",
            case.image_uri().map_or_else(String::new, |uri| {
                case.command(
                    "ecr",
                    "BatchGetImage",
                    &serde_json::json!({ "repositoryName": uri.repository, "imageIds": [{ "imageTag": uri.selector() }] }),
                )
            }),
        ),
    };
    let trace = progress
        .traces
        .get(&Stage::RequestValidation)
        .and_then(|all| all.iter().find(|trace| trace.strength == Strength::Direct));
    match (trace, pushed_at(case)) {
        (Some(trace), Some(pushed)) if trace.at.is_some_and(|at| pushed <= at) && stale_tag::stayed(case) => {
            let mut evidence = trace.evidence.clone();
            evidence.extend(case.image().evidence().to_vec());
            Check::ruled_out(
                format!(
                    "the service checked the image when it accepted the runtime ({}), after it was pushed",
                    trace.text
                ),
                evidence,
            )
        }
        _ => Check::unknown(gap),
    }
}

fn rebuild(case: &Case) -> Repair {
    let uri = case.runtime().and_then(|r| r.container_uri()).unwrap_or("IMAGE");
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new("Build the image for linux/arm64 and push it", Safety::Review, changes);
    repair.steps =
        vec![format!("docker buildx build --platform linux/arm64 --provenance=false -t {uri} --push .")];
    repair.assumes = Some("the rebuilt image starts".to_owned());
    repair
}
