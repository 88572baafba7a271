//! `image.stale_tag`: the tag points to another image than the one that runs.

use launchpath_model::aws::image::ImageDetail;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, Timestamp};
use serde_json::json;

use crate::case::{ArtifactKind, Case, Platform};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.stale_tag",
    title: "The tag moved after the runtime was last updated",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "DescribeImages", "LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    let image = match case.image() {
        Known::Known(fact) => fact,
        Known::Unknown(gap) => return Check::unknown(gap),
        Known::Absent(_) => return Check::NotApplicable("there is no such image: image.tag_missing"),
    };
    let (Some(uri), Some(changed)) = (case.image_uri(), case.changed_at()) else {
        return Check::unknown(gap(case, Vec::new()));
    };
    if uri.digest.is_some() {
        return Check::ruled_out(
            "the runtime names its image by digest, which cannot move",
            case.runtime_evidence(),
        );
    }
    if let Some((way, text, mut evidence)) = moved(case, image.value, &image.evidence, changed) {
        evidence.extend(case.runtime_evidence());
        let fails = context.progress.all_failures().any(|failure| !failure.reported);
        let v2 = case.combination.platform == Platform::V2 && case.combination.platform_assumed.is_none();
        if !(fails || v2 && case.is_ready()) {
            return Check::Unknown(vec![gap(case, evidence)]);
        }
        // V2 runs the snapshot of the version's build; a V1 session may have either image.
        let (certainty, means, weight) = match way {
            _ if v2 => {
                (Certainty::Proven, "V2 runs the snapshot that was made from the former image", DIRECT)
            }
            Way::Put => {
                (Certainty::Circumstantial, "sessions start from an image that nobody validated", 3.0)
            }
            Way::Pushed => return Check::unknown(gap(case, evidence)),
        };
        let tag = uri.tag.as_deref().unwrap_or("latest");
        let lines = vec![
            because(
                format!("the tag {tag} {text}, after the runtime was last updated ({changed})"),
                &evidence,
                weight,
            ),
            because(means, &case.runtime_evidence(), 1.0),
        ];
        let certainty = if context.progress.in_break(Stage::ArtifactFetch) {
            certainty
        } else {
            Certainty::Circumstantial
        };
        let finding =
            Finding::new(certainty, vec![format!("{}/{}:{tag}", uri.registry, uri.repository)], lines);
        // Where nothing fails, the old image serves: worth a word, and no break.
        let stage = if fails { FAULT.stage } else { Stage::Lifecycle };
        return Check::found(finding.map(|finding| finding.at(stage).with_repair(update(case))));
    }
    match put_image(case, changed) {
        Put::None(evidence) => {
            let mut all = image.evidence.clone();
            all.extend(evidence);
            Check::ruled_out(
                "the image was pushed before the runtime was last updated, and the tag was not put again since",
                all,
            )
        }
        Put::Unseen => Check::unknown(gap(case, image.evidence.clone())),
    }
}

/// How the tag came to point to what it points to now, when that was after the update.
fn moved(
    case: &Case,
    image: &ImageDetail,
    evidence: &[EvidenceId],
    changed: Timestamp,
) -> Option<(Way, String, Vec<EvidenceId>)> {
    let pushed = image.image_pushed_at.filter(|pushed| *pushed > changed);
    if let Some(pushed) = pushed {
        return Some((Way::Pushed, format!("points to an image of {pushed}"), evidence.to_vec()));
    }
    let tag = case.image_uri()?.tag;
    let put = case.trail("PutImage", |event| {
        event.succeeded()
            && event.request_text("repositoryName") == Some(image.repository_name.as_str())
            && event.request_text("imageTag") == tag.as_deref()
            && event.event_time > Some(changed)
    });
    let row = put.rows.last()?;
    let at = row.value.event_time?;
    Some((Way::Put, format!("was put on an older image at {at}"), row.evidence.clone()))
}

/// How a tag moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With a newer image.
    Pushed,
    /// To an older image.
    Put,
}

enum Put {
    /// No event since the update, and one would be visible.
    None(Vec<EvidenceId>),
    /// It cannot be told.
    Unseen,
}

fn put_image(case: &Case, changed: Timestamp) -> Put {
    let later = case.trail("PutImage", |event| event.event_time > Some(changed));
    match later.complete {
        Ok(absence) if later.rows.is_empty() => Put::None(absence.evidence().to_vec()),
        _ => Put::Unseen,
    }
}

/// Whether the tag is known to point to what it pointed to when the runtime was last updated: it cannot move, or did not.
pub(super) fn stayed(case: &Case) -> bool {
    let pinned = case.image_uri().is_some_and(|uri| uri.digest.is_some());
    let put = || case.changed_at().map(|changed| put_image(case, changed));
    pinned || matches!(put(), Some(Put::None(_)))
}

/// Whether the trail shows that the tag was put on another image since the runtime was last updated.
pub(super) fn was_put_back(case: &Case) -> bool {
    let (image, changed) = (case.image(), case.changed_at());
    let seen = image.value().zip(changed).and_then(|(image, changed)| moved(case, image, &[], changed));
    seen.is_some()
}

/// What is not known of a tag that may have moved.
pub(super) fn gap(case: &Case, evidence: Vec<EvidenceId>) -> Gap {
    Gap {
        what: "which image the tag pointed to when the runtime was last updated".to_owned(),
        reason: GapReason::NotVisible { why: "a tag shows only where it points now".to_owned() },
        evidence,
        command: Some(case.command(
            "cloudtrail",
            "LookupEvents",
            &json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "PutImage" }] }),
        )),
    }
}

fn update(case: &Case) -> Repair {
    let image = case.pinned_image().unwrap_or_else(|| "IMAGE".to_owned());
    let mut repair = Repair::new(
        "Update the runtime to the image by its digest, and call it with a new session id",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec![
        format!(
            "# update-agent-runtime replaces every member: send the present ones and containerUri {image}"
        ),
        "# in the pipeline: tags that are used once, or digests; tag immutability in the repository"
            .to_owned(),
    ];
    repair.assumes = Some("the image that the tag names now is the one that is meant".to_owned());
    repair
}
