//! ECR: repositories, images, manifests.
//!
//! AWS: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html>

use launchpath_model::World;
use launchpath_model::aws::image::{ImageDetail, Manifest, Repository};
use launchpath_model::evidence::{CallError, Outcome};
use launchpath_model::query::Read;
use serde::Deserialize;
use serde_json::Value;

use super::document::decode;
use super::{Lowered, Recorded, fill};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "DescribeRepositories" => {
            fill(&mut world.repositories, call, "repositories", "repositoryName", |row: &Repository| {
                row.repository_name.clone()
            })
        }
        "GetRepositoryPolicy" => repository_policy(world, call),
        "DescribeImages" => describe_images(world, call),
        "BatchGetImage" => batch_get_image(world, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

fn repository_policy(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut world.repository_policies;
    let Some(text) = call.typed::<Value>("policyText")? else {
        table.record(call.read_without("policyText"));
        return Ok(Lowered::Done);
    };
    table.record(call.read(1));
    let Some(repository) = call.text("repositoryName").or_else(|| call.asked("repositoryName")) else {
        return Ok(Lowered::NoKey("which repository the policy belongs to"));
    };
    table.insert(repository.to_owned(), decode(text), call.evidence.id.clone());
    Ok(Lowered::Done)
}

fn describe_images(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut world.images;
    let Some(rows) = call.rows::<ImageDetail>("imageDetails", "imageDigest")? else {
        table.record(call.read_without("imageDetails"));
        return Ok(Lowered::Done);
    };
    table.record(call.read(rows.len()));
    for mut row in rows {
        if row.repository_name.is_empty() {
            call.asked("repositoryName").unwrap_or_default().clone_into(&mut row.repository_name);
        }
        if row.repository_name.is_empty() {
            return Ok(Lowered::NoKey("which repository the images belong to"));
        }
        table.insert((row.repository_name.clone(), row.image_digest.clone()), row, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Image {
    repository_name: Option<String>,
    image_id: ImageId,
    image_manifest: Option<String>,
    image_manifest_media_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ImageId {
    image_digest: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failure {
    failure_code: Option<String>,
}

fn batch_get_image(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(images) = call.objects::<Image>("images")? else {
        world.manifests.record(call.read_without("images"));
        return Ok(Lowered::Done);
    };
    let failures = call.objects::<Failure>("failures")?.unwrap_or_default();
    world.manifests.record(batch_read(call, images.len(), &failures));
    for (index, image) in images.into_iter().enumerate() {
        let place = call.place.member("images").index(index);
        let Some(digest) = image.image_id.image_digest.filter(|digest| !digest.is_empty()) else {
            return Err(place.member("imageId").error("a member `imageDigest`", "none"));
        };
        let Some(repository) =
            image.repository_name.or_else(|| call.asked("repositoryName").map(str::to_owned))
        else {
            return Ok(Lowered::NoKey("which repository the manifests belong to"));
        };
        let Some(text) = image.image_manifest else { continue };
        let place = place.member("imageManifest");
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| place.error("the JSON text of a manifest", error.to_string()))?;
        let mut manifest: Manifest = place.typed(&value)?;
        // Older registries leave the media type out of the text and name it beside.
        manifest.media_type = manifest.media_type.or(image.image_manifest_media_type);
        world.manifests.insert((repository, digest), manifest, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

/// A failure other than "no such image" leaves open whether the image exists.
///
/// AWS: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html>
fn batch_read(call: &Recorded, images: usize, failures: &[Failure]) -> Read {
    let other =
        failures.iter().filter_map(|f| f.failure_code.as_deref()).find(|code| *code != "ImageNotFound");
    let mut read = call.read(images);
    if let Some(code) = other {
        let refused = read.call_mut();
        refused.outcome = Outcome::Error;
        refused.error = Some(CallError { code: code.to_owned(), ..CallError::default() });
        read = Read::new(read.call, 0);
    }
    read
}
