//! `build.failed`: the latest build did not make a new artifact.

use launchpath_model::world::Build;
use launchpath_model::{Gap, GapReason, Known};

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::image::needed_again_at;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log::excerpt;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "build.failed",
    title: "The build of the artifact failed",
    stage: Stage::ArtifactAvailable,
    since: "0.1.0",
    prior: 2.0,
    needs: &["BatchGetBuilds", "DescribeImages"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let latest = case.world.builds.iter().max_by_key(|build| (build.started_at, build.id.clone()));
    let Some(build) = latest else {
        return Check::unknown(Gap {
            what: "how the latest build ended".to_owned(),
            reason: GapReason::NotAsked,
            evidence: Vec::new(),
            command: Some("aws codebuild batch-get-builds --ids BUILD".to_owned()),
        });
    };
    let evidence = [build.evidence.clone()];
    let project = |build: &Build| build.id.split(':').next().unwrap_or_default().to_owned();
    if case.world.builds.iter().any(|other| project(other) != project(build)) {
        return Check::unknown(Gap {
            what: "which project builds this runtime's artifact".to_owned(),
            reason: GapReason::NotVisible { why: "builds of more than one project are on record".to_owned() },
            evidence: case.world.builds.iter().map(|build| build.evidence.clone()).collect(),
            command: None,
        });
    }
    match build.status.as_str() {
        "SUCCEEDED" => {
            Check::ruled_out(format!("the latest build, {}, succeeded", build.id), evidence.to_vec())
        }
        "IN_PROGRESS" => Check::unknown(Gap {
            what: format!("how the build {} ends", build.id),
            reason: GapReason::NotVisible { why: "it was still under way".to_owned() },
            evidence: evidence.to_vec(),
            command: Some(format!("aws codebuild batch-get-builds --ids {}", build.id)),
        }),
        status => {
            let why =
                build.reason.as_deref().map(|reason| format!(": {}", excerpt(reason))).unwrap_or_default();
            let mut lines = vec![because(
                format!("the latest build, {}, ended {status}{why}", build.id),
                &evidence,
                DIRECT,
            )];
            // Without a newer image the runtime has nothing to run, or goes on with the old one.
            let certainty = match case.image() {
                Known::Absent(absence) => {
                    lines.push(because(
                        "the image it should have made does not exist",
                        absence.evidence(),
                        2.0,
                    ));
                    Certainty::Proven
                }
                _ => Certainty::Circumstantial,
            };
            let stage = if certainty == Certainty::Proven {
                needed_again_at(context.progress)
            } else {
                old_image(context, build)
            };
            let finding = Finding::new(certainty, trial::image_subject(case), lines);
            Check::found(finding.map(|finding| finding.at(stage).with_repair(again(case))))
        }
    }
}

/// Where an image that was not replaced would show: at what fails now, when the build is newer than the image.
fn old_image(context: &Context, build: &Build) -> Stage {
    let pushed = context.case.image().value().and_then(|image| image.image_pushed_at);
    let newer = build.started_at.zip(pushed).is_some_and(|(started, pushed)| started > pushed);
    match context.progress.first_failed() {
        Some(stage) if newer => stage,
        // A trace beyond refutes it: what runs was built well.
        _ => Stage::ArtifactAvailable,
    }
}

fn again(case: &Case) -> Repair {
    let mut repair =
        Repair::new("Mend the build, push its artifact, then update the runtime", Safety::Review, Vec::new());
    let log = "# the phase that failed and its log: aws codebuild batch-get-builds --ids BUILD --query 'builds[0].[phases, logs]'";
    repair.steps = vec![log.to_owned()];
    repair.steps.extend(
        case.image_uri().map(|uri| format!("aws ecr describe-images --repository-name {}", uri.repository)),
    );
    repair
}
