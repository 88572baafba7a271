//! `image.tag_missing`: the repository, tag or digest the runtime names does not exist.

use launchpath_model::Known;
use launchpath_model::aws::image::ImageDetail;

use crate::case::ArtifactKind;
use crate::chain::{Failure, Progress, Stage};
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.tag_missing",
    title: "The image tag or digest does not exist in its repository",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "DescribeImages"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    let Some(uri) = case.image_uri() else {
        return Check::unknown(case_gap(context));
    };
    let name = format!("{}:{}", uri.repository, uri.selector());
    match case.image() {
        Known::Known(fact) if was_pushed_later(context, fact.value) => {
            let pushed = fact.value.image_pushed_at.map(|at| at.to_string()).unwrap_or_default();
            let mut lines = vec![because(
                format!("{name} was pushed at {pushed}, after the service had looked for it"),
                &fact.evidence,
                DIRECT,
            )];
            lines.extend(refused(context).map(|f| because(f.text.clone(), &f.evidence, DIRECT)));
            let finding = Finding::new(Certainty::Proven, vec![format!("{}/{name}", uri.registry)], lines);
            let stage = refused(context).map_or(FAULT.stage, |f| super::stage_of(f, context.progress));
            Check::found(finding.map(|finding| finding.at(stage).with_repair(again())))
        }
        // A tag may have been put on an older image since the service looked.
        Known::Known(fact) if refused(context).is_some() && !super::stale_tag::stayed(case) => {
            Check::unknown(super::stale_tag::gap(case, fact.evidence))
        }
        Known::Known(fact) => {
            let digest = crate::chain::short_digest(&fact.value.image_digest);
            Check::ruled_out(format!("{name} exists: {digest}"), fact.evidence)
        }
        Known::Unknown(gap) => match refused(context) {
            // The same text was seen for images of a manifest type that the service does not take.
            Some(failure) => {
                let line = because(failure.text.clone(), &failure.evidence, 20.0);
                let subjects = vec![format!("{}/{name}", uri.registry)];
                let finding = Finding::new(Certainty::Circumstantial, subjects, vec![line]);
                let stage = super::stage_of(failure, context.progress);
                Check::found(finding.map(|finding| finding.at(stage).with_repair(push(&uri))))
            }
            None => Check::unknown(gap),
        },
        Known::Absent(absence) => {
            let refused = refused(context);
            let stage = match refused {
                Some(failure) => super::stage_of(failure, context.progress),
                None => needed_again_at(context.progress),
            };
            let when = if refused.is_some() {
                "the service says that it looked and found no such image"
            } else if stage == Stage::ArtifactFetch {
                "the image is fetched again for every start, and it is gone"
            } else {
                "the service reads its metadata before it accepts the runtime"
            };
            let lines = vec![
                because(format!("{name} does not exist in its repository"), absence.evidence(), DIRECT),
                because(when, refused.map_or(&case.runtime_evidence(), |failure| &failure.evidence), 1.0),
            ];
            let finding = Finding::new(Certainty::Proven, vec![format!("{}/{name}", uri.registry)], lines);
            Check::found(finding.map(|finding| finding.at(stage).with_repair(push(&uri))))
        }
    }
}

/// The service's own words that it found no such image.
fn refused<'a>(context: &'a Context) -> Option<&'a Failure> {
    context.progress.all_failures().find(|failure| failure.fault == Some(FAULT.code) && !failure.reported)
}

/// The service said that the image does not exist, and it came only then: the order was wrong.
fn was_pushed_later(context: &Context, image: &ImageDetail) -> bool {
    let looked = context.case.changed_at();
    refused(context).is_some() && looked.is_some() && image.image_pushed_at > looked
}

fn again() -> Repair {
    let mut repair = Repair::new(
        "The image is there now: create or update the runtime again, and push before that in the pipeline",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps =
        vec!["# create-agent-runtime or update-agent-runtime, with the same values as before".to_owned()];
    repair
}

fn case_gap(context: &Context) -> launchpath_model::Gap {
    match context.case.known_runtime() {
        Known::Unknown(gap) => gap,
        _ => context.case.undescribed("the image's address"),
    }
}

/// Once the runtime was accepted, its image is needed again at every fetch.
pub(in crate::faults) fn needed_again_at(progress: &Progress) -> Stage {
    let accepted = progress.trace_at_or_beyond(Stage::RequestValidation).is_some();
    if accepted { Stage::ArtifactFetch } else { Stage::RequestValidation }
}

fn push(uri: &launchpath_model::aws::image::ImageUri) -> Repair {
    let tag = uri.tag.clone().unwrap_or_else(|| "latest".to_owned());
    let address = format!("{}/{}:{tag}", uri.registry, uri.repository);
    let change = Change::PushImage { repository: uri.repository.clone(), tag };
    let mut repair = Repair::new(
        format!("Push the image to {address} again, and keep lifecycle rules from expiring it"),
        Safety::Review,
        vec![change],
    );
    repair.steps =
        vec![format!("docker buildx build --platform linux/arm64 --provenance=false -t {address} --push .")];
    repair.assumes = Some("the pushed image is the one that is meant, for linux/arm64".to_owned());
    repair
}
