//! Images in files: the OCI layout, as a directory or as an archive, and what `docker save` writes.
//!
//! OCI: <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>. Docker since version 25 writes both forms into
//! one archive; the layout is the one that keeps digests.

use std::io::Read;

use launchpath_image::document::Reference;
use serde::Deserialize;

use crate::error::FetchError;
use crate::files::Files;
use crate::store::{DocumentKind, Layer, MAX_DOCUMENT, Start, Store};

/// An image in an OCI layout.
pub(crate) struct Layout<F>(pub(crate) F);

impl<F: Files> Store for Layout<F> {
    fn at(&self) -> String {
        self.0.at()
    }

    fn start(&mut self) -> Result<Start, FetchError> {
        self.0.read("index.json", MAX_DOCUMENT).map(Start::Entries)
    }

    fn document(&mut self, _kind: DocumentKind, reference: &Reference) -> Result<Vec<u8>, FetchError> {
        self.0.read(&blob(reference), MAX_DOCUMENT)
    }

    fn layer(&mut self, layer: &Layer) -> Result<Box<dyn Read + Send + '_>, FetchError> {
        let name = layer.reference.as_ref().map_or_else(|| layer.member.clone(), blob);
        stream(&mut self.0, &name)
    }
}

/// Where a layout keeps a blob. A digest holds nothing but letters and digits.
fn blob(reference: &Reference) -> String {
    format!("blobs/{}/{}", reference.digest.algorithm(), reference.digest.hex())
}

fn stream<'f>(files: &'f mut impl Files, name: &str) -> Result<Box<dyn Read + Send + 'f>, FetchError> {
    let at = files.at();
    let file = files.open(name)?.ok_or_else(|| FetchError::Missing { at, what: name.to_owned() })?;
    Ok(file.bytes)
}

/// An image as `docker save` wrote it before it knew layouts.
pub(crate) struct DockerArchive<F> {
    pub(crate) files: F,
    /// The name or tag that is wanted, when there are several images.
    pub(crate) name: Option<String>,
}

/// One image of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

impl<F: Files> Store for DockerArchive<F> {
    fn at(&self) -> String {
        self.files.at()
    }

    fn start(&mut self) -> Result<Start, FetchError> {
        let at = self.at();
        let bytes = self.files.read("manifest.json", MAX_DOCUMENT)?;
        let images: Vec<Saved> = serde_json::from_slice(&bytes).map_err(|error| FetchError::Format {
            at: at.clone(),
            why: format!("manifest.json is not what `docker save` writes: {error}"),
        })?;
        let saved = self.choose(&at, images)?;
        let config = self.files.read(&saved.config, MAX_DOCUMENT)?;
        let layers = saved.layers.into_iter().map(|member| Layer { reference: None, member }).collect();
        Ok(Start::Bare { config, layers })
    }

    fn document(&mut self, _kind: DocumentKind, reference: &Reference) -> Result<Vec<u8>, FetchError> {
        Err(FetchError::Missing { at: self.at(), what: reference.digest.to_string() })
    }

    fn layer(&mut self, layer: &Layer) -> Result<Box<dyn Read + Send + '_>, FetchError> {
        stream(&mut self.files, &layer.member)
    }
}

impl<F: Files> DockerArchive<F> {
    fn choose(&self, at: &str, images: Vec<Saved>) -> Result<Saved, FetchError> {
        let tags = |saved: &Saved| saved.repo_tags.clone().unwrap_or_default();
        let there: Vec<String> = images.iter().flat_map(tags).collect();
        let mut fitting: Vec<Saved> = match &self.name {
            None => images,
            Some(name) => images
                .into_iter()
                .filter(|saved| {
                    tags(saved).iter().any(|tag| tag == name || tag.rsplit(':').next() == Some(name))
                })
                .collect(),
        };
        let cause = match (fitting.len(), &self.name) {
            (1, _) => return Ok(fitting.remove(0)),
            (0, Some(wanted)) => {
                launchpath_image::document::SelectError::Name { wanted: wanted.clone(), there }
            }
            (0, None) => launchpath_image::document::SelectError::Empty { attestations: 0 },
            _ => launchpath_image::document::SelectError::Ambiguous { there },
        };
        Err(FetchError::Select { at: at.to_owned(), cause })
    }
}
