//! Stage `artifact_available`: the image or zip exists where the runtime looks for it.

use launchpath_model::Known;

use super::{Sighting, Stage, Strength, Trace, TraceRule};
use crate::case::{ArtifactKind, Case};

pub(super) const RULES: &[&TraceRule] = &[&IMAGE_DESCRIBED, &ZIP_DESCRIBED];

static IMAGE_DESCRIBED: TraceRule = TraceRule {
    name: "image_described",
    stage: Stage::ArtifactAvailable,
    always_left: true,
    delay_seconds: 0,
    hidden_by: "a registry of another account, a public registry",
    look: image_described,
};

static ZIP_DESCRIBED: TraceRule = TraceRule {
    name: "zip_described",
    stage: Stage::ArtifactAvailable,
    always_left: false,
    delay_seconds: 0,
    hidden_by: "a bucket of another account",
    look: zip_described,
};

fn image_described(case: &Case) -> Sighting {
    if case.combination.artifact != ArtifactKind::Container {
        return Sighting::NotApplicable;
    }
    match case.image() {
        Known::Known(fact) => {
            let image = fact.value;
            let pushed = image.image_pushed_at.map(|at| format!(", pushed {at}")).unwrap_or_default();
            Sighting::Seen(
                vec![Trace {
                    stage: Stage::ArtifactAvailable,
                    text: format!(
                        "{} is in {}{pushed}",
                        short_digest(&image.image_digest),
                        image.repository_name
                    ),
                    evidence: fact.evidence,
                    at: image.image_pushed_at,
                    strength: Strength::Direct,
                }],
                Vec::new(),
            )
        }
        Known::Absent(absence) => Sighting::Missing(absence, "the repository has no such image".to_owned()),
        Known::Unknown(gap) => Sighting::NotVisible(gap),
    }
}

fn zip_described(case: &Case) -> Sighting {
    let location =
        case.runtime().and_then(|r| r.code()).and_then(|c| c.code.as_ref()).and_then(|c| c.s3.as_ref());
    let Some((bucket, key)) = location.and_then(|s3| Some((s3.bucket.clone()?, s3.prefix.clone()?))) else {
        return Sighting::NotApplicable;
    };
    match case.world.code_objects.seen(&(bucket.clone(), key.clone())) {
        Some(row) => Sighting::Seen(
            vec![Trace {
                stage: Stage::ArtifactAvailable,
                text: format!("s3://{bucket}/{key} exists"),
                evidence: row.evidence.clone(),
                at: None,
                strength: Strength::Direct,
            }],
            Vec::new(),
        ),
        None => Sighting::NotApplicable,
    }
}

/// `sha256:3c67d8055269…`: enough to recognise a digest in a line.
pub(crate) fn short_digest(digest: &str) -> String {
    let cut: String = digest.chars().take(19).collect();
    if cut.len() < digest.len() { format!("{cut}…") } else { cut }
}
