//! One container image: its documents, checked, and its file tree on demand.

use std::fs::File;
use std::io::{self, Read};

use launchpath_image::digest::Digest;
use launchpath_image::document::{
    self, Document, Hashed, ImageDocuments, Index, Manifest, Reference, Wanted,
};
use launchpath_image::tree::{Limits, Tree, TreeError};
use launchpath_model::aws::image::ImageConfig;

use crate::decompress::{self, Measured};
use crate::error::FetchError;
use crate::store::{DocumentKind, Layer, MAX_DOCUMENT, Start, Store};

/// Indexes inside each other.
const MAX_NESTED: usize = 4;
/// What a layer holds besides contents: headers and padding.
const OVERHEAD: u64 = 4 << 30;

/// A container image whose documents were read. Its layers were not.
pub struct Container {
    store: Box<dyn Store>,
    documents: ImageDocuments,
    layers: Vec<Layer>,
}

impl Container {
    /// Follows the documents from the store's start to a config; every one has the digest it was named by.
    pub(crate) fn open(mut store: Box<dyn Store>, wanted: &Wanted) -> Result<Self, FetchError> {
        let mut walk = Walk { at: store.at(), indexes: Vec::new() };
        let manifest = match store.start()? {
            Start::Bare { config, layers } => {
                return Self::assemble(store, &walk.at, Vec::new(), None, &config, layers);
            }
            Start::Document { bytes, media_type, digest } => {
                if let Some(expected) = digest {
                    walk.check_digest("the manifest", &bytes, &expected)?;
                }
                walk.follow(&mut *store, bytes, media_type.as_deref(), wanted)?
            }
            Start::Entries(bytes) => {
                let Document::Index(entries) = walk.read(&bytes, None)? else {
                    let why = "index.json is a manifest; expected an index".to_owned();
                    return Err(FetchError::Format { at: walk.at, why });
                };
                let entry = walk.select(&entries, wanted)?;
                let bytes = walk.fetch(&mut *store, DocumentKind::Manifest, &entry, "the manifest")?;
                let wanted = Wanted { name: None, platform: wanted.platform.clone() };
                walk.follow(&mut *store, bytes, Some(&entry.media_type), &wanted)?
            }
        };
        let reference = &manifest.value.config;
        let config = walk.fetch(&mut *store, DocumentKind::Config, reference, "the config")?;
        let layers = manifest
            .value
            .layers
            .iter()
            .map(|layer| Layer { reference: Some(layer.clone()), member: String::new() })
            .collect();
        let at = walk.at;
        Self::assemble(store, &at, walk.indexes, Some(manifest), &config, layers)
    }

    fn assemble(
        store: Box<dyn Store>,
        at: &str,
        indexes: Vec<Hashed<Index>>,
        manifest: Option<Hashed<Manifest>>,
        config: &[u8],
        layers: Vec<Layer>,
    ) -> Result<Self, FetchError> {
        let value =
            document::config(config).map_err(|cause| FetchError::Document { at: at.to_owned(), cause })?;
        let config = hashed(config, value);
        let documents = ImageDocuments { indexes, manifest, config, layers: layers.len() };
        Ok(Self { store, documents, layers })
    }

    /// What its documents say.
    pub fn documents(&self) -> &ImageDocuments {
        &self.documents
    }

    /// Reads its layers, checks their digests and lays them over each other. Contents go to a temporary file.
    pub fn tree(&mut self, limits: Limits) -> Result<Tree, FetchError> {
        let at = self.store.at();
        if let Some(manifest) = &self.documents.manifest {
            let checked = manifest.value.check_layers();
            checked.map_err(|cause| FetchError::Document { at: at.clone(), cause })?;
        }
        let plain = diff_ids(&at, &self.documents.config.value, self.layers.len())?;
        let tree = |cause| FetchError::Tree { at: at.clone(), cause };
        let spool: File = tempfile::tempfile().map_err(FetchError::Scratch)?;
        let mut builder = Tree::builder(spool).limits(limits);
        for (index, (layer, plain)) in self.layers.iter().zip(plain).enumerate() {
            let what = format!("layer {index}");
            let failed = |cause: io::Error| FetchError::Format {
                at: at.clone(),
                why: format!("{what} cannot be read: {cause}"),
            };
            let stored = layer.reference.as_ref();
            let limit = stored.map_or(u64::MAX, |reference| reference.size);
            let digest = stored.map(|reference| &reference.digest);
            let mut raw = Measured::new(self.store.layer(layer)?, digest, limit);
            let mut bytes = Measured::new(
                decompress::reader(&mut raw).map_err(failed)?,
                plain.as_ref(),
                limits.bytes.saturating_add(OVERHEAD),
            );
            let laid = builder.layer(&mut bytes);
            let drained = if laid.is_ok() { bytes.drain() } else { Ok(()) };
            let (found, _) = bytes.finish();
            // A damaged copy explains what is wrong with the tar stream, so it is looked at first.
            if let Some(reference) = stored
                && matches!(laid, Ok(()) | Err(TreeError::Layer { .. }))
            {
                raw.drain().map_err(failed)?;
                check_stored(&at, &what, reference, raw)?;
            }
            laid.map_err(tree)?;
            drained.map_err(failed)?;
            if let Some(expected) = plain.filter(|expected| *expected != found) {
                let what = format!("{what}, decompressed,");
                return Err(FetchError::Digest { at, what, expected, found });
            }
        }
        builder.finish().map_err(tree)
    }
}

fn check_stored<R: Read>(
    at: &str,
    what: &str,
    reference: &Reference,
    raw: Measured<R>,
) -> Result<(), FetchError> {
    let (found, size) = raw.finish();
    if size != reference.size {
        let (at, what) = (at.to_owned(), what.to_owned());
        return Err(FetchError::Size { at, what, expected: reference.size, found: size });
    }
    if found != reference.digest {
        let (at, what) = (at.to_owned(), what.to_owned());
        return Err(FetchError::Digest { at, what, expected: reference.digest.clone(), found });
    }
    Ok(())
}

/// The digests of the layers after decompression, as the config lists them.
fn diff_ids(at: &str, config: &ImageConfig, layers: usize) -> Result<Vec<Option<Digest>>, FetchError> {
    let Some(listed) = config.rootfs.as_ref().and_then(|rootfs| rootfs.diff_ids.as_ref()) else {
        return Ok(vec![None; layers]);
    };
    if listed.len() != layers {
        let why = format!("the manifest has {layers} layers, its config lists {}", listed.len());
        return Err(FetchError::Format { at: at.to_owned(), why });
    }
    let parse = |text: &String| {
        text.parse().map(Some).map_err(|error| FetchError::Format {
            at: at.to_owned(),
            why: format!("a layer in the config: {error}"),
        })
    };
    listed.iter().map(parse).collect()
}

fn hashed<T>(bytes: &[u8], value: T) -> Hashed<T> {
    Hashed { digest: Digest::of(bytes), size: bytes.len() as u64, value }
}

/// The way from a name to a manifest.
struct Walk {
    at: String,
    indexes: Vec<Hashed<Index>>,
}

impl Walk {
    fn follow(
        &mut self,
        store: &mut dyn Store,
        bytes: Vec<u8>,
        media_type: Option<&str>,
        wanted: &Wanted,
    ) -> Result<Hashed<Manifest>, FetchError> {
        let mut bytes = bytes;
        let mut media_type = media_type.map(str::to_owned);
        loop {
            match self.read(&bytes, media_type.as_deref())? {
                Document::Manifest(manifest) => return Ok(hashed(&bytes, manifest)),
                Document::Index(index) => {
                    let entry = self.select(&index, wanted)?;
                    self.indexes.push(hashed(&bytes, index));
                    if self.indexes.len() > MAX_NESTED {
                        return Err(FetchError::Nested { at: self.at.clone(), limit: MAX_NESTED });
                    }
                    bytes = self.fetch(store, DocumentKind::Manifest, &entry, "the manifest")?;
                    media_type = Some(entry.media_type);
                }
            }
        }
    }

    fn read(&self, bytes: &[u8], media_type: Option<&str>) -> Result<Document, FetchError> {
        Document::read(bytes, media_type).map_err(|cause| FetchError::Document { at: self.at.clone(), cause })
    }

    fn select(&self, index: &Index, wanted: &Wanted) -> Result<Reference, FetchError> {
        let chosen = index.select(wanted).cloned();
        chosen.map_err(|cause| FetchError::Select { at: self.at.clone(), cause })
    }

    fn fetch(
        &self,
        store: &mut dyn Store,
        kind: DocumentKind,
        reference: &Reference,
        what: &str,
    ) -> Result<Vec<u8>, FetchError> {
        if reference.size > MAX_DOCUMENT {
            let (at, what) = (self.at.clone(), what.to_owned());
            return Err(FetchError::TooLarge { at, what, limit: MAX_DOCUMENT });
        }
        let bytes = store.document(kind, reference)?;
        if bytes.len() as u64 != reference.size {
            let (at, what, found) = (self.at.clone(), what.to_owned(), bytes.len() as u64);
            return Err(FetchError::Size { at, what, expected: reference.size, found });
        }
        self.check_digest(what, &bytes, &reference.digest)?;
        Ok(bytes)
    }

    fn check_digest(&self, what: &str, bytes: &[u8], expected: &Digest) -> Result<(), FetchError> {
        if expected.matches(bytes) {
            return Ok(());
        }
        let (at, what, expected) = (self.at.clone(), what.to_owned(), expected.clone());
        Err(FetchError::Digest { at, what, expected, found: Digest::of(bytes) })
    }
}
