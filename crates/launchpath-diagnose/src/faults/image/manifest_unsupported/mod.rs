//! `image.manifest_unsupported`: the manifest has a shape that the service's validator or puller mishandles.
//!
//! Reports differ and many indexes work: a shape alone is a suspicion, never a proof.

use launchpath_iam::{Decision, Layer};
use launchpath_image::manifest::{self, Shape};
use launchpath_model::{EvidenceId, Gap, GapReason, Known, service};
use serde_json::json;

use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::{self, Origin};
use crate::faults::image::config;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::permissions;
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.manifest_unsupported",
    title: "The image's manifest has a shape the service mishandles",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "DescribeImages", "BatchGetImage", "GetRolePolicy", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    let (shape, evidence) = match seen_shape(case) {
        Seen::Known(shape, evidence) => (shape, evidence),
        Seen::Unknown(gap) => return Check::unknown(gap),
    };
    if let Doubtful::NoImage(media) = &shape {
        return Check::found(holds_no_image(case, media, &evidence));
    }
    let refused = context.progress.all_failures().find(|failure| {
        let id = service::recognise_error(&failure.text).map(|known| known.id.as_str());
        !failure.reported && id.is_some_and(|id| shape.fits(id))
    });
    let Some(refused) = refused.filter(|_| !came_later(case) && !role_is_denied(case)) else {
        return match shape {
            Doubtful::Index(_) => Check::unknown(Gap {
                what: "whether the service handles this index".to_owned(),
                reason: GapReason::NotModelled { what: "reports differ; many indexes work".to_owned() },
                evidence,
                command: None,
            }),
            Doubtful::Oci | Doubtful::No | Doubtful::NoImage(_) => {
                Check::ruled_out("the tag points to one plain image manifest", evidence)
            }
        };
    };
    let uri = case.runtime().and_then(|r| r.container_uri()).unwrap_or_default().to_owned();
    let shape = match shape {
        Doubtful::Index(Some(count)) if count > 0 => format!("an index with {count} attestation entries"),
        Doubtful::Index(_) => "an index".to_owned(),
        Doubtful::Oci | Doubtful::No | Doubtful::NoImage(_) => "a manifest in OCI format".to_owned(),
    };
    let lines = vec![
        because(
            format!("the tag points to {shape}, and the service could not read the image's metadata"),
            &evidence,
            6.0,
        ),
        because(refused.text.clone(), &refused.evidence, 2.0),
    ];
    let repair = push_plain(case, &uri);
    Check::found(
        Finding::new(Certainty::Circumstantial, vec![uri], lines)
            .map(|f| f.at(super::stage_of(refused, context.progress)).with_repair(repair)),
    )
}

/// What the tag names can be fetched, and there is nothing in it to run: that needs no error text to be certain.
fn holds_no_image(case: &Case, media: &str, evidence: &[EvidenceId]) -> Option<Finding> {
    let uri = case.runtime().and_then(|r| r.container_uri()).unwrap_or_default().to_owned();
    let text = format!("the tag names a build attestation ({media}), which holds no image at all");
    let repair = push_plain(case, &uri);
    let finding = Finding::new(Certainty::Proven, vec![uri], vec![because(text, evidence, DIRECT)])?;
    Some(finding.at(Stage::ArtifactFetch).with_repair(repair))
}

fn push_plain(case: &Case, uri: &str) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair =
        Repair::new("Push one plain arm64 manifest, without attestations", Safety::Review, changes);
    repair.steps = vec![format!(
        "docker buildx build --platform linux/arm64 --provenance=false --sbom=false --output type=image,oci-mediatypes=false,push=true -t {uri} ."
    )];
    repair
}

/// A shape, by what field reports say of it.
enum Doubtful {
    /// An index, with the number of attestations where known: refused as if the role lacked rights, or as if it were not there.
    Index(Option<usize>),
    /// One image in OCI format: refused as if it were not there.
    Oci,
    /// One image in Docker format: nobody reports trouble.
    No,
    /// An attestation and no image, with the media type of what it holds.
    NoImage(String),
}

impl Doubtful {
    /// Whether a refusal with this text was reported for the shape.
    fn fits(&self, error: &str) -> bool {
        match self {
            Self::Index(_) => matches!(error, "ecr_access_denied" | "image_not_found"),
            Self::Oci => error == "image_not_found",
            Self::No | Self::NoImage(_) => false,
        }
    }

    fn single(media_type: Option<&str>) -> Self {
        if media_type.is_some_and(|media| media.contains("vnd.oci.")) { Self::Oci } else { Self::No }
    }
}

enum Seen {
    Known(Doubtful, Vec<EvidenceId>),
    Unknown(Gap),
}

fn seen_shape(case: &Case) -> Seen {
    let image = case.image();
    let detail = match &image {
        Known::Known(fact) => fact.value,
        Known::Unknown(gap) => return Seen::Unknown(gap.clone()),
        Known::Absent(absence) => {
            return Seen::Unknown(Gap {
                what: "the manifest of an image that does not exist".to_owned(),
                reason: GapReason::NotAsked,
                evidence: absence.evidence().to_vec(),
                command: None,
            });
        }
    };
    let media_type = detail.image_manifest_media_type.as_deref();
    if let Some(row) = config::manifest(case) {
        let shape = match manifest::shape(&row.value) {
            Shape::Index { attestations, .. } => Doubtful::Index(Some(attestations)),
            Shape::Attestation(media) => Doubtful::NoImage(media),
            Shape::Single | Shape::Unrecognised => {
                Doubtful::single(row.value.media_type.as_deref().or(media_type))
            }
        };
        return Seen::Known(shape, row.evidence.clone());
    }
    if let Some(seen) = inspected(case) {
        return seen;
    }
    match media_type {
        Some(media) if manifest::is_index_media_type(media) => {
            Seen::Known(Doubtful::Index(None), image.evidence().to_vec())
        }
        Some(media) => Seen::Known(Doubtful::single(Some(media)), image.evidence().to_vec()),
        None => Seen::Unknown(Gap::not_asked(
            "the image's manifest",
            case.command(
                "ecr",
                "BatchGetImage",
                &json!({ "repositoryName": detail.repository_name, "imageIds": [{ "imageDigest": detail.image_digest }] }),
            ),
        )),
    }
}

/// The shape as an inspection of the very image saw it.
fn inspected(case: &Case) -> Option<Seen> {
    let mut all =
        experiment::inspections(case).into_iter().filter(|(_, origin)| *origin == Origin::ThisImage);
    let index = |kind: &str| matches!(kind, "attestation_index" | "multi_architecture_index");
    all.find_map(|(inspection, _)| {
        let evidence = vec![inspection.evidence.clone()];
        if inspection.findings.iter().any(|finding| index(&finding.kind)) {
            return Some(Seen::Known(Doubtful::Index(None), evidence));
        }
        // A record that names a media type looked at the manifest.
        let media = inspection.media_type.as_deref()?;
        let shape = if manifest::is_index_media_type(media) {
            Doubtful::Index(None)
        } else {
            Doubtful::single(Some(media))
        };
        Some(Seen::Known(shape, evidence))
    })
}

/// Whether the image was pushed after the service had looked for it: then it simply was not there.
fn came_later(case: &Case) -> bool {
    let pushed = case.image().value().and_then(|image| image.image_pushed_at);
    case.changed_at().is_some() && pushed > case.changed_at()
}

/// Whether the role's own policies explain the refusal.
fn role_is_denied(case: &Case) -> bool {
    let Some(uri) = case.image_uri() else { return false };
    let Some(ecr) = uri.ecr() else { return false };
    let partition = case.world.partition.as_deref().unwrap_or("aws");
    let arn = format!("arn:{partition}:ecr:{}:{}:repository/{}", ecr.region, ecr.account, uri.repository);
    let policy = permissions::repository_policy(case, &uri.repository);
    let denied = |action: &str, resource: &str, policy: &Layer| {
        let answer = permissions::role_may(case, action, resource, policy);
        answer.is_some_and(|a| {
            matches!(a.outcome.decision, Decision::ExplicitlyDenied | Decision::ImplicitlyDenied)
        })
    };
    denied("ecr:BatchGetImage", &arn, &policy)
        || denied("ecr:GetDownloadUrlForLayer", &arn, &policy)
        || denied("ecr:GetAuthorizationToken", "*", &Layer::NotApplicable)
}
