//! Where the parts of an image are, by digest: the line between getting bytes and understanding them.

use std::io::Read;

use launchpath_image::digest::Digest;
use launchpath_image::document::Reference;

use crate::error::FetchError;

/// A document is a few kilobytes; anything near this is something else.
pub(crate) const MAX_DOCUMENT: u64 = 4 << 20;

/// Something that holds an image's parts. What it returns is checked by the caller: a store may be hostile.
pub(crate) trait Store: Send {
    /// Where this is, for messages.
    fn at(&self) -> String;

    /// What the image's name leads to.
    fn start(&mut self) -> Result<Start, FetchError>;

    /// The bytes of an index, a manifest or a config, at most [`MAX_DOCUMENT`].
    fn document(&mut self, kind: DocumentKind, reference: &Reference) -> Result<Vec<u8>, FetchError>;

    /// The bytes of a layer, compressed as they are stored.
    fn layer(&mut self, layer: &Layer) -> Result<Box<dyn Read + Send + '_>, FetchError>;
}

/// What kind of document is asked for: registries keep two kinds in two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// An index or a manifest.
    Manifest,
    /// A config.
    Config,
}

/// What an image's name leads to.
pub(crate) enum Start {
    /// A document, with the media type it was declared with and the digest it must have.
    Document { bytes: Vec<u8>, media_type: Option<String>, digest: Option<Digest> },
    /// Something that a document refers to: the entries of a layout.
    Entries(Vec<u8>),
    /// A config and its layers without a manifest: what `docker save` used to write.
    Bare { config: Vec<u8>, layers: Vec<Layer> },
}

/// One layer to be fetched.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// What the manifest says of it.
    pub(crate) reference: Option<Reference>,
    /// The member of an archive that holds it, when there is no manifest.
    pub(crate) member: String,
}
