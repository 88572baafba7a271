//! The manifest and the config blob of the very image the runtime names, when the input holds them.
//!
//! Only what is tied to the image's digest counts: another image of the same repository says nothing.

use launchpath_image::manifest::MICROVM_ARCHITECTURE;
use launchpath_model::aws::image::{ImageConfig, Manifest};
use launchpath_model::{EvidenceId, Row};

use crate::case::Case;

/// Repository and digest of the image the runtime names.
fn key(case: &Case) -> Option<(String, String)> {
    let uri = case.image_uri()?;
    let digest = case.image().value().map(|image| image.image_digest.clone()).or(uri.digest)?;
    Some((uri.repository, digest))
}

/// The image's manifest, or its index.
pub(in crate::faults) fn manifest<'a>(case: &Case<'a>) -> Option<&'a Row<Manifest>> {
    case.world.manifests.seen(&key(case)?)
}

/// The image's config; of an index, the config of its image for AgentCore.
pub(crate) fn config<'a>(case: &Case<'a>) -> Option<(&'a ImageConfig, Vec<EvidenceId>)> {
    let (repository, digest) = key(case)?;
    let by = |digest: String| case.world.image_configs.seen(&(repository.clone(), digest));
    let of = |manifest: &Manifest| by(manifest.config.as_ref()?.digest.clone()?);
    let row = match manifest(case) {
        Some(row) => of(&row.value).or_else(|| {
            let ours = row.value.manifests.iter().flatten().find(|entry| {
                let architecture = entry.platform.as_ref().and_then(|p| p.architecture.as_deref());
                architecture == Some(MICROVM_ARCHITECTURE)
            });
            let child = (repository.clone(), ours?.digest.clone()?);
            of(&case.world.manifests.seen(&child)?.value)
        }),
        None => None,
    };
    // A record may name the image instead of its config.
    let row = row.or_else(|| by(digest))?;
    Some((&row.value, row.evidence.clone()))
}
