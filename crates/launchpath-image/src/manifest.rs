//! The shape of an image's manifest, as far as the service cares.
//!
//! AWS: AgentCore microVMs run `linux/arm64` only
//! (<https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html>). Indexes that carry
//! attestation entries made creation fail in several field reports; many indexes work, so a shape alone is a suspicion.

use launchpath_model::aws::image::{Descriptor, Manifest, Platform};

/// The architecture AgentCore microVMs run.
pub const MICROVM_ARCHITECTURE: &str = "arm64";

/// What a manifest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One image.
    Single,
    /// An index.
    Index {
        /// Platforms of the runnable images, as `os/architecture`.
        platforms: Vec<String>,
        /// How many entries are attestations (platform `unknown/unknown`).
        attestations: usize,
    },
    /// A build attestation: its layers hold statements about an image, and no file system. The first layer's media type.
    Attestation(String),
    /// Neither could be recognised.
    Unrecognised,
}

/// The shape of `manifest`.
pub fn shape(manifest: &Manifest) -> Shape {
    if let Some(entries) = &manifest.manifests {
        let attestations = entries.iter().filter(|entry| is_attestation(entry)).count();
        let runnable = entries.iter().filter(|entry| !is_attestation(entry));
        let mut platforms: Vec<String> =
            runnable.filter_map(|e| e.platform.as_ref()).map(platform_name).collect();
        platforms.sort();
        return Shape::Index { platforms, attestations };
    }
    let layers = manifest.layers.as_deref().unwrap_or_default();
    let statement =
        |layer: &Descriptor| layer.media_type.as_deref().is_some_and(|media| media.contains("in-toto"));
    if let Some(media) = layers.first().and_then(|layer| layer.media_type.clone())
        && layers.iter().all(statement)
    {
        return Shape::Attestation(media);
    }
    if manifest.config.is_some() || manifest.layers.is_some() {
        return Shape::Single;
    }
    Shape::Unrecognised
}

/// Whether a media type names an index (OCI) or a manifest list (Docker).
pub fn is_index_media_type(media_type: &str) -> bool {
    media_type.contains("image.index") || media_type.contains("manifest.list")
}

/// Whether an index entry is a build attestation, not an image.
pub fn is_attestation(entry: &Descriptor) -> bool {
    let unknown = |text: &Option<String>| text.as_deref() == Some("unknown");
    let by_platform = entry.platform.as_ref().is_some_and(|p| unknown(&p.os) && unknown(&p.architecture));
    let by_annotation =
        entry.annotations.as_ref().is_some_and(|a| a.contains_key("vnd.docker.reference.type"));
    by_platform || by_annotation
}

fn platform_name(platform: &Platform) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    format!("{}/{}", part(&platform.os), part(&platform.architecture))
}

#[cfg(test)]
mod tests {
    use super::{Shape, shape};
    use launchpath_model::aws::image::Manifest;
    use serde_json::json;

    fn read(value: serde_json::Value) -> Manifest {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_index_with_an_attestation_is_told_from_one_without() {
        let arm = json!({ "digest": "sha256:a", "platform": { "os": "linux", "architecture": "arm64" } });
        let attestation =
            json!({ "digest": "sha256:b", "platform": { "os": "unknown", "architecture": "unknown" } });
        let with = read(json!({ "manifests": [arm, attestation] }));
        assert_eq!(shape(&with), Shape::Index { platforms: vec!["linux/arm64".into()], attestations: 1 });
        let single = read(json!({ "config": { "digest": "sha256:c" }, "layers": [] }));
        assert_eq!(shape(&single), Shape::Single);
        assert_eq!(shape(&Manifest::default()), Shape::Unrecognised);
        let layer = json!({ "mediaType": "application/vnd.in-toto+json", "digest": "sha256:d" });
        let statement = read(json!({ "config": { "digest": "sha256:c" }, "layers": [layer] }));
        assert_eq!(shape(&statement), Shape::Attestation("application/vnd.in-toto+json".to_owned()));
    }
}
