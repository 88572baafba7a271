//! The documents of one image, from the name it was asked for by to its config.

use launchpath_model::aws::image::{ImageConfig, Platform};

use super::{Index, Manifest, media_type};
use crate::digest::Digest;

/// A document with the digest of its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Hashed<T> {
    /// The digest.
    pub digest: Digest,
    /// The size in bytes.
    pub size: u64,
    /// What it says.
    pub value: T,
}

/// The documents of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageDocuments {
    /// The indexes it was chosen from, outermost first; empty when the name leads to the manifest.
    pub indexes: Vec<Hashed<Index>>,
    /// The manifest; what `docker save` wrote before 2024 has none.
    pub manifest: Option<Hashed<Manifest>>,
    /// The config.
    pub config: Hashed<ImageConfig>,
    /// How many layers it has.
    pub layers: usize,
}

impl ImageDocuments {
    /// The media type of what the name leads to: the index where there is one.
    pub fn media_type(&self) -> &str {
        let manifest = || self.manifest.as_ref().map(|manifest| manifest.value.media_type.as_str());
        let index = self.indexes.first().map(|index| index.value.media_type.as_str());
        index.or_else(manifest).unwrap_or(media_type::DOCKER_CONFIG)
    }

    /// The platform its config names.
    pub fn platform(&self) -> Platform {
        let config = &self.config.value;
        Platform {
            os: config.os.clone(),
            architecture: config.architecture.clone(),
            variant: config.variant.clone(),
        }
    }

    /// Bytes of the layers as they are stored in a registry, when a manifest says so.
    pub fn compressed_bytes(&self) -> Option<u64> {
        self.manifest.as_ref().map(|manifest| manifest.value.compressed_bytes())
    }
}
