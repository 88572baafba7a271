//! The documents of an image: index, manifest, config, each read strictly.
//!
//! What it is: bytes to values that can be followed (every digest is one, every size is one), and the choice of one image of an
//! index. What it is not: it fetches nothing, and judges nothing that can be read; for judgements of what a registry reported
//! see [`crate::manifest`].
//!
//! Start with [`Document::read`] and [`Index::select`].

mod chosen;

use std::fmt;

use launchpath_model::aws::image::{self as wire, ImageConfig, Platform};

pub use chosen::{Hashed, ImageDocuments};

use crate::digest::{Digest, NotADigest};
use crate::manifest::is_attestation;

/// Media types of OCI and Docker, and the parts they are recognised by.
pub mod media_type {
    /// An index of OCI.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// A manifest of OCI.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// A manifest list of Docker.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// A manifest of Docker.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// A config of OCI.
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// A config of Docker.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// A layer of Docker, not compressed: what `docker save` writes.
    pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
}

/// Layers beyond this are no image that any runtime starts (overlayfs takes 500).
const MAX_LAYERS: usize = 1024;
/// Entries of an index beyond this are an attack.
const MAX_ENTRIES: usize = 10_000;

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is no JSON of the expected shape.
    #[error("{what} cannot be read: {why}")]
    Unreadable {
        /// Which document.
        what: &'static str,
        /// What was met.
        why: String,
    },
    /// Docker's first manifest format.
    #[error(
        "the manifest is of Docker's schema 1, which registries stopped taking; pull the image with a current tool and push \
         it again"
    )]
    Schema1,
    /// Something that is stored like an image but is none: a chart, an SBOM, a signature.
    #[error("this is no container image but an artifact of type {0}")]
    Artifact(String),
    /// A layer that nobody may download from the registry.
    #[error("layer {layer} is a foreign layer ({media_type}): its content is not part of the image")]
    ForeignLayer {
        /// The layer, from 0.
        layer: usize,
        /// Its media type.
        media_type: String,
    },
    /// A layer of a kind that cannot be unpacked.
    #[error("layer {layer} has the media type {media_type}; expected a tar, tar+gzip or tar+zstd layer")]
    LayerType {
        /// The layer, from 0.
        layer: usize,
        /// Its media type.
        media_type: String,
    },
    /// A descriptor without a valid digest.
    #[error("{what}: {cause}")]
    Digest {
        /// Which descriptor.
        what: String,
        /// What stands there.
        cause: NotADigest,
    },
    /// A descriptor whose size is missing or negative.
    #[error("{0} has no valid size")]
    Size(String),
    /// More than an image can have.
    #[error("{what}: {count}, at most {limit} are read")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
}

/// A document that names others.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// Several images.
    Index(Index),
    /// One image.
    Manifest(Manifest),
}

/// Several images, of which one is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// Its media type; OCI's where it says nothing.
    pub media_type: String,
    /// Its entries in order.
    pub entries: Vec<Reference>,
}

/// One image.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its media type; OCI's where it says nothing.
    pub media_type: String,
    /// The config.
    pub config: Reference,
    /// The layers, lowest first.
    pub layers: Vec<Reference>,
}

/// What a document says of another document or a blob.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Its media type; empty where nothing is said.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The platform, in an index.
    pub platform: Option<Platform>,
    /// Whether it is a build attestation, or another companion of an image that is none itself.
    pub attestation: bool,
    /// What an artifact that is no image is.
    pub artifact_type: Option<String>,
    /// The names a layout gives it (`org.opencontainers.image.ref.name`, `io.containerd.image.name`).
    pub names: Vec<String>,
}

impl Document {
    /// Reads an index or a manifest. `declared` is the media type that came with it (a registry's header, a descriptor).
    pub fn read(bytes: &[u8], declared: Option<&str>) -> Result<Self, DocumentError> {
        let unreadable = |why: String| DocumentError::Unreadable { what: "the manifest", why };
        let document: wire::Manifest =
            serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
        if document.schema_version == Some(1) {
            return Err(DocumentError::Schema1);
        }
        let declared = declared.filter(|text| text.starts_with("application/vnd."));
        let said = document.media_type.as_deref().or(declared);
        match (&document.manifests, &document.config, &document.layers) {
            // One document that is both is read as one thing here and as the other elsewhere.
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                Err(unreadable("it is an index and a manifest at once".to_owned()))
            }
            (Some(entries), None, None) => {
                Index::of(entries, said.unwrap_or(media_type::OCI_INDEX)).map(Self::Index)
            }
            (None, Some(config), _) => Manifest::of(&document, config, said).map(Self::Manifest),
            (None, None, _) => {
                Err(unreadable("it has neither `manifests` (an index) nor `config` (an image)".to_owned()))
            }
        }
    }
}

impl Index {
    fn of(entries: &[wire::Descriptor], media_type: &str) -> Result<Self, DocumentError> {
        if entries.len() > MAX_ENTRIES {
            let (count, limit) = (entries.len(), MAX_ENTRIES);
            return Err(DocumentError::TooMany { what: "entries of an index", count, limit });
        }
        let entries = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| Reference::of(entry, || format!("entry {index} of the index")))
            .collect::<Result<_, _>>()?;
        Ok(Self { media_type: media_type.to_owned(), entries })
    }

    /// How many entries are build attestations.
    pub fn attestations(&self) -> usize {
        self.entries.iter().filter(|entry| entry.attestation).count()
    }

    /// The platforms of the images, in order and as written.
    pub fn platforms(&self) -> Vec<String> {
        self.images().map(|entry| platform_text(entry.platform.as_ref())).collect()
    }

    /// The entry that `wanted` chooses.
    pub fn select(&self, wanted: &Wanted) -> Result<&Reference, SelectError> {
        let named: Vec<&Reference> = match &wanted.name {
            Some(name) => self.images().filter(|entry| entry.is_named(name)).collect(),
            None => self.images().collect(),
        };
        if named.is_empty() {
            return Err(match &wanted.name {
                Some(name) => SelectError::Name { wanted: name.clone(), there: self.names() },
                None => SelectError::Empty { attestations: self.attestations() },
            });
        }
        if let Some(platform) = &wanted.platform {
            let fits =
                |entry: &&&Reference| entry.platform.as_ref().is_none_or(|there| platform.accepts(there));
            return named.iter().find(fits).copied().ok_or_else(|| SelectError::Platform {
                wanted: platform.to_string(),
                there: self.platforms(),
            });
        }
        let without_platform = named.iter().filter(|entry| entry.platform.is_none()).count();
        if named.len() > 1 && without_platform == named.len() && wanted.name.is_none() {
            return Err(SelectError::Ambiguous { there: self.names() });
        }
        // What the service runs first; then what most machines run; then whatever is there.
        let preferred = ["arm64", "amd64"].map(Wished::linux);
        let fitting = preferred.iter().find_map(|wished| {
            named.iter().find(|entry| entry.platform.as_ref().is_some_and(|there| wished.accepts(there)))
        });
        Ok(fitting.copied().unwrap_or(named[0]))
    }

    fn images(&self) -> impl Iterator<Item = &Reference> {
        self.entries.iter().filter(|entry| !entry.attestation && entry.artifact_type.is_none())
    }

    fn names(&self) -> Vec<String> {
        self.images().flat_map(|entry| entry.names.clone()).collect()
    }
}

impl Manifest {
    fn of(
        document: &wire::Manifest,
        config: &wire::Descriptor,
        said: Option<&str>,
    ) -> Result<Self, DocumentError> {
        let config = Reference::of(config, || "the config".to_owned())?;
        if !is_image_config(&config.media_type) {
            let kind = document.artifact_type.clone().unwrap_or(config.media_type);
            return Err(DocumentError::Artifact(kind));
        }
        let layers = document.layers.as_deref().unwrap_or_default();
        if layers.len() > MAX_LAYERS {
            let (count, limit) = (layers.len(), MAX_LAYERS);
            return Err(DocumentError::TooMany { what: "layers of an image", count, limit });
        }
        let layers = layers
            .iter()
            .enumerate()
            .map(|(index, layer)| Reference::of(layer, || format!("layer {index}")))
            .collect::<Result<_, _>>()?;
        Ok(Self { media_type: said.unwrap_or(media_type::OCI_MANIFEST).to_owned(), config, layers })
    }

    /// Bytes of the layers as they are stored.
    pub fn compressed_bytes(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.size))
    }

    /// Whether this holds a build's attestation instead of files.
    pub fn is_attestation(&self) -> bool {
        !self.layers.is_empty() && self.layers.iter().all(|layer| layer.media_type.contains("in-toto"))
    }

    /// Makes sure that every layer is one that can be unpacked.
    pub fn check_layers(&self) -> Result<(), DocumentError> {
        if self.is_attestation() {
            return Err(DocumentError::Artifact(
                "application/vnd.in-toto+json (a build's attestation)".into(),
            ));
        }
        for (layer, reference) in self.layers.iter().enumerate() {
            let media_type = reference.media_type.clone();
            let foreign = media_type.contains("foreign") || media_type.contains("nondistributable");
            if foreign {
                return Err(DocumentError::ForeignLayer { layer, media_type });
            }
            let known = ["vnd.oci.image.layer.v1.tar", "vnd.docker.image.rootfs.diff.tar"]
                .iter()
                .any(|known| media_type.contains(known));
            if !known || media_type.contains("encrypted") {
                return Err(DocumentError::LayerType { layer, media_type });
            }
        }
        Ok(())
    }
}

impl Reference {
    fn of(descriptor: &wire::Descriptor, what: impl Fn() -> String) -> Result<Self, DocumentError> {
        let digest = descriptor.digest.as_deref().unwrap_or_default();
        let digest = digest.parse().map_err(|cause| DocumentError::Digest { what: what(), cause })?;
        let size = descriptor.size.and_then(|size| u64::try_from(size).ok());
        let annotation = |name: &str| {
            let text = descriptor.annotations.as_ref()?.get(name)?.as_str()?;
            Some(text.to_owned())
        };
        let names = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];
        Ok(Self {
            media_type: descriptor.media_type.clone().unwrap_or_default(),
            digest,
            size: size.ok_or_else(|| DocumentError::Size(what()))?,
            platform: descriptor.platform.clone(),
            attestation: is_attestation(descriptor),
            artifact_type: descriptor.artifact_type.clone(),
            names: names.into_iter().filter_map(annotation).collect(),
        })
    }

    /// Whether a layout calls it `name`, in full or by its tag.
    fn is_named(&self, name: &str) -> bool {
        self.names.iter().any(|there| {
            there == name || there.rsplit_once(':').is_some_and(|(_, tag)| tag == name && !tag.contains('/'))
        })
    }
}

/// Reads a config.
pub fn config(bytes: &[u8]) -> Result<ImageConfig, DocumentError> {
    serde_json::from_slice(bytes)
        .map_err(|error| DocumentError::Unreadable { what: "the config", why: error.to_string() })
}

fn is_image_config(media_type: &str) -> bool {
    media_type.is_empty() || media_type == media_type::OCI_CONFIG || media_type == media_type::DOCKER_CONFIG
}

/// A platform as people write it: `linux/arm64/v8`.
pub fn platform_text(platform: Option<&Platform>) -> String {
    let Some(platform) = platform else { return "no platform".to_owned() };
    let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let base = format!("{}/{}", part(&platform.os), part(&platform.architecture));
    platform.variant.as_ref().map_or(base.clone(), |variant| format!("{base}/{variant}"))
}

/// Which image of an index is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The name or tag in a layout.
    pub name: Option<String>,
    /// The platform, when only that one will do. Without it: arm64, as the service runs it, else what there is.
    pub platform: Option<Wished>,
}

/// A platform somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wished {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Wished {
    /// Linux on this architecture, in the words of image documents (`arm64`, `amd64`).
    pub fn linux(architecture: &str) -> Self {
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None }
    }

    /// Whether `there` is this platform. arm64 without a variant is v8.
    pub fn accepts(&self, there: &Platform) -> bool {
        let is = |text: &Option<String>, wanted: &str| text.as_deref() == Some(wanted);
        let variant = self.variant.as_deref().is_none_or(|wanted| {
            let default = if self.architecture == "arm64" { Some("v8") } else { None };
            there.variant.as_deref().or(default) == Some(wanted)
        });
        is(&there.os, &self.os) && is(&there.architecture, &self.architecture) && variant
    }
}

impl fmt::Display for Wished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl std::str::FromStr for Wished {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no platform; expected OS/ARCHITECTURE, for example linux/arm64");
        let mut parts = text.split('/').map(str::to_owned);
        let (os, architecture, variant) = (parts.next(), parts.next(), parts.next());
        match (os, architecture, parts.next()) {
            (Some(os), Some(architecture), None) if !os.is_empty() && !architecture.is_empty() => {
                Ok(Self { os, architecture, variant })
            }
            _ => Err(bad()),
        }
    }
}

/// Why no image of an index can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// There is no image.
    #[error("the index holds no image{}", attested(*attestations))]
    Empty {
        /// Attestations that are there.
        attestations: usize,
    },
    /// There is none of that name.
    #[error("no image is called `{wanted}`; there: {}", listed(there))]
    Name {
        /// The name.
        wanted: String,
        /// The names there are.
        there: Vec<String>,
    },
    /// There is none for that platform.
    #[error("no image is for {wanted}; there: {}", listed(there))]
    Platform {
        /// The platform.
        wanted: String,
        /// The platforms there are.
        there: Vec<String>,
    },
    /// There are several, and nothing tells them apart.
    #[error("there are several images; name one: {}", listed(there))]
    Ambiguous {
        /// Their names.
        there: Vec<String>,
    },
}

fn attested(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", only {count} build attestations") }
}

fn listed(items: &[String]) -> String {
    if items.is_empty() {
        return "none has a name".to_owned();
    }
    let shown: Vec<&str> = items.iter().take(20).map(String::as_str).collect();
    let more = items.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests;
