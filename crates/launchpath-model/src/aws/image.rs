//! Container images in ECR: details, manifests, configs.
//!
//! AWS: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html>; manifests and configs follow
//! the OCI image specification.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::time::Timestamp;

/// A row of DescribeImages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageDetail {
    /// The registry's account.
    pub registry_id: Option<String>,
    /// The repository.
    pub repository_name: String,
    /// The manifest's digest.
    pub image_digest: String,
    /// The tags that point to it now.
    pub image_tags: Option<Vec<String>>,
    /// Compressed size in bytes.
    pub image_size_in_bytes: Option<i64>,
    /// When it was pushed (or a tag last moved to it).
    pub image_pushed_at: Option<Timestamp>,
    /// Media type of the manifest.
    pub image_manifest_media_type: Option<String>,
}

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Repository {
    /// Its name.
    pub repository_name: String,
    /// Its ARN.
    pub repository_arn: Option<String>,
    /// The registry's account.
    pub registry_id: Option<String>,
}

/// A manifest or an index, as BatchGetImage gives it (text inside `imageManifest`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// 2 for everything that is in use; 1 is Docker's first format.
    pub schema_version: Option<u32>,
    /// Its media type.
    pub media_type: Option<String>,
    /// What an artifact that is no image is.
    pub artifact_type: Option<String>,
    /// The config blob, for a single image.
    pub config: Option<Descriptor>,
    /// The layers, for a single image.
    pub layers: Option<Vec<Descriptor>>,
    /// The images, for an index.
    pub manifests: Option<Vec<Descriptor>>,
}

/// A reference to a blob or manifest.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// Its media type.
    pub media_type: Option<String>,
    /// What an artifact that is no image is.
    pub artifact_type: Option<String>,
    /// Where a foreign layer must be downloaded from.
    pub urls: Option<Vec<String>>,
    /// Its digest.
    pub digest: Option<String>,
    /// Its size in bytes.
    pub size: Option<i64>,
    /// The platform, in an index.
    pub platform: Option<Platform>,
    /// Annotations; attestation entries carry `vnd.docker.reference.type`.
    pub annotations: Option<BTreeMap<String, Value>>,
}

/// Operating system and architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Platform {
    /// `linux`, …
    pub os: Option<String>,
    /// `arm64`, `amd64`, …
    pub architecture: Option<String>,
    /// `v8`, …
    pub variant: Option<String>,
}

/// An image's config blob.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// `arm64`, `amd64`, …
    pub architecture: Option<String>,
    /// `linux`, …
    pub os: Option<String>,
    /// `v8`, …
    pub variant: Option<String>,
    /// When it was built.
    pub created: Option<Timestamp>,
    /// How it is started.
    pub config: Option<ProcessConfig>,
    /// The layers.
    pub rootfs: Option<RootFs>,
}

/// The layers of an image's config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RootFs {
    /// The digests of the layers, decompressed, lowest first.
    pub diff_ids: Option<Vec<String>>,
}

/// How an image is started.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProcessConfig {
    /// The user.
    pub user: Option<String>,
    /// Environment; values may be masked.
    pub env: Option<Vec<String>>,
    /// The command prefix.
    pub entrypoint: Option<Vec<String>>,
    /// The command or its arguments.
    pub cmd: Option<Vec<String>>,
    /// The working directory.
    pub working_dir: Option<String>,
    /// Ports the image declares, for example `8080/tcp`.
    pub exposed_ports: Option<BTreeMap<String, Value>>,
}

/// The parts of an image address.
///
/// ```
/// let image: launchpath_model::aws::image::ImageUri =
///     "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/agent:v1".parse().unwrap();
/// assert_eq!((image.repository.as_str(), image.tag.as_deref()), ("team/agent", Some("v1")));
/// assert_eq!(image.ecr().map(|ecr| ecr.region), Some("us-east-1".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUri {
    /// The registry's host.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tag; `latest` when neither tag nor digest is given.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<String>,
}

/// The private ECR registry of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrRegistry {
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
}

/// The text is no image address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnImageUri(pub String);

impl std::str::FromStr for ImageUri {
    type Err = NotAnImageUri;

    fn from_str(text: &str) -> Result<Self, NotAnImageUri> {
        let bad = || NotAnImageUri(text.to_owned());
        let (registry, rest) = text.split_once('/').ok_or_else(bad)?;
        let (name, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(digest.to_owned())),
            None => (rest, None),
        };
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (name, None),
        };
        if registry.is_empty() || repository.is_empty() {
            return Err(bad());
        }
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest })
    }
}

impl ImageUri {
    /// Account and Region, when the registry is a private ECR one.
    pub fn ecr(&self) -> Option<EcrRegistry> {
        let mut parts = self.registry.split('.');
        let account = parts.next()?;
        let (dkr, ecr, region, amazonaws) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_ecr = dkr == "dkr" && (ecr == "ecr" || ecr == "ecr-fips") && amazonaws == "amazonaws";
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (is_ecr && is_account).then(|| EcrRegistry { account: account.to_owned(), region: region.to_owned() })
    }

    /// What selects the image in its repository, digest before tag.
    pub fn selector(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }
}
