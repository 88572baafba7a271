//! `image.manifest_unsupported`: the manifest has a shape that the service's validator or puller mishandles.
//!
//! Reports differ and many indexes work: a shape alone is a suspicion, never a proof.

use launchpath_image::manifest::{self, Shape};
use launchpath_model::{EvidenceId, Gap, GapReason, Known, service};
use serde_json::json;

use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.manifest_unsupported",
    title: "The image's manifest has a shape the service mishandles",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "DescribeImages", "BatchGetImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    let (attestations, evidence) = match index(case) {
        Index::No(evidence) => {
            return Check::ruled_out("the tag points to one plain image manifest", evidence);
        }
        Index::Unknown(gap) => return Check::unknown(gap),
        Index::Yes(attestations, evidence) => (attestations, evidence),
    };
    let refused = context.progress.all_failures().find(|failure| {
        let id = service::recognise_error(&failure.text).map(|known| known.id.as_str());
        matches!(id, Some("ecr_access_denied" | "image_not_found")) && !failure.reported
    });
    let Some(refused) = refused else {
        return Check::unknown(Gap {
            what: "whether the service handles this index".to_owned(),
            reason: GapReason::NotModelled { what: "reports differ; many indexes work".to_owned() },
            evidence,
            command: None,
        });
    };
    let uri = case.runtime().and_then(|r| r.container_uri()).unwrap_or_default().to_owned();
    let shape = match attestations {
        Some(0) => "an index".to_owned(),
        Some(count) => format!("an index with {count} attestation entries"),
        None => "an index".to_owned(),
    };
    let lines = vec![
        because(
            format!("the tag points to {shape}, and the service could not read the image's metadata"),
            &evidence,
            6.0,
        ),
        because(refused.text.clone(), &refused.evidence, 2.0),
    ];
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair =
        Repair::new("Push one plain arm64 manifest, without attestations", Safety::Safe, changes);
    repair.steps = vec![format!(
        "docker buildx build --platform linux/arm64 --provenance=false --sbom=false --output type=image,oci-mediatypes=false,push=true -t {uri} ."
    )];
    Check::found(
        Finding::new(Certainty::Circumstantial, vec![uri], lines)
            .map(|f| f.at(refused.stage).with_repair(repair)),
    )
}

enum Index {
    No(Vec<EvidenceId>),
    Yes(Option<usize>, Vec<EvidenceId>),
    Unknown(Gap),
}

fn index(case: &Case) -> Index {
    let image = case.image();
    let detail = match &image {
        Known::Known(fact) => fact.value,
        Known::Unknown(gap) => return Index::Unknown(gap.clone()),
        Known::Absent(absence) => {
            return Index::Unknown(Gap {
                what: "the manifest of an image that does not exist".to_owned(),
                reason: GapReason::NotAsked,
                evidence: absence.evidence().to_vec(),
                command: None,
            });
        }
    };
    let key = (detail.repository_name.clone(), detail.image_digest.clone());
    if let Some(row) = case.world.manifests.seen(&key) {
        return match manifest::shape(&row.value) {
            Shape::Index { attestations, .. } => Index::Yes(Some(attestations), row.evidence.clone()),
            Shape::Single | Shape::Unrecognised => Index::No(row.evidence.clone()),
        };
    }
    match detail.image_manifest_media_type.as_deref() {
        Some(media) if manifest::is_index_media_type(media) => Index::Yes(None, image.evidence().to_vec()),
        Some(_) => Index::No(image.evidence().to_vec()),
        None => Index::Unknown(Gap::not_asked(
            "the image's manifest",
            case.command(
                "ecr",
                "BatchGetImage",
                &json!({ "repositoryName": key.0, "imageIds": [{ "imageDigest": key.1 }] }),
            ),
        )),
    }
}
