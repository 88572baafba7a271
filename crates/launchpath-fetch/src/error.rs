//! Why an image could not be had: what, where, what was expected, what to do.

use std::io;
use std::path::PathBuf;

use launchpath_image::code_zip::CodeZipError;
use launchpath_image::digest::Digest;
use launchpath_image::document::{DocumentError, SelectError};
use launchpath_image::tree::TreeError;

/// Why an image could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The argument names nothing that is understood.
    #[error("`{given}` names no image: {why}")]
    Argument {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file or a directory cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What failed.
        cause: io::Error,
    },
    /// Something that must be there is not.
    #[error("{at}: {what} is missing")]
    Missing {
        /// Where.
        at: String,
        /// What.
        what: String,
    },
    /// A file is none of the formats that are read.
    #[error("{at}: {why}")]
    Format {
        /// Where.
        at: String,
        /// What was expected and what was met.
        why: String,
    },
    /// A document says something that cannot be followed.
    #[error("{at}: {cause}")]
    Document {
        /// Where.
        at: String,
        /// What is wrong.
        cause: DocumentError,
    },
    /// An index has no image that fits.
    #[error("{at}: {cause}")]
    Select {
        /// Where.
        at: String,
        /// Why not.
        cause: SelectError,
    },
    /// An index points to an index to an index, and so on.
    #[error("{at}: more than {limit} indexes inside each other")]
    Nested {
        /// Where.
        at: String,
        /// How deep they may be.
        limit: usize,
    },
    /// The bytes are not the ones that were named: a damaged copy, or a forged one.
    #[error("{at}: {what} has the digest {found}; expected {expected}")]
    Digest {
        /// Where.
        at: String,
        /// Which part.
        what: String,
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// The size is not the one that was named.
    #[error("{at}: {what} has {found} bytes; expected {expected}")]
    Size {
        /// Where.
        at: String,
        /// Which part.
        what: String,
        /// What it should be.
        expected: u64,
        /// What it is, as far as it was read.
        found: u64,
    },
    /// Larger than anything of its kind.
    #[error("{at}: {what} is larger than {limit} bytes")]
    TooLarge {
        /// Where.
        at: String,
        /// Which part.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// The layers make no file tree.
    #[error("{at}: {cause}")]
    Tree {
        /// Where.
        at: String,
        /// What is wrong.
        cause: TreeError,
    },
    /// A code zip cannot be read.
    #[error("{at}: {cause}")]
    CodeZip {
        /// Where.
        at: String,
        /// What is wrong.
        cause: CodeZipError,
    },
    /// The registry does not show this image to whoever asked.
    #[error("{at}: the registry denies access: {why}")]
    Denied {
        /// Which image.
        at: String,
        /// Who asked, and what the registry said.
        why: String,
    },
    /// The registry cannot be asked, or answers with an error.
    #[error("{at}: {why}")]
    Registry {
        /// Which image.
        at: String,
        /// What happened.
        why: String,
    },
    /// The container engine cannot be asked, or answers with an error.
    #[error("{at}: {why}")]
    Engine {
        /// Which image of which engine.
        at: String,
        /// What happened.
        why: String,
    },
    /// Nothing can be stored while the image is read.
    #[error("no temporary file can be written: {0}")]
    Scratch(io::Error),
}

impl FetchError {
    /// What to do, where something can be done.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Argument { .. } => Some(
                "give a directory (OCI layout, or `rootfs:DIR`), an archive (`docker save`, OCI, .zip of code) or a reference \
                 (registry/repository:tag)",
            ),
            Self::Digest { .. } | Self::Size { .. } => {
                Some("the copy is damaged or was changed; fetch or export the image again")
            }
            Self::Select { .. } => Some("choose with --platform OS/ARCHITECTURE, or with the image's name"),
            Self::Denied { .. } => {
                Some("log in with `docker login` or `podman login`; for ECR, AWS credentials that may pull")
            }
            Self::Scratch(_) => Some("free some space, or set TMPDIR to a directory that has some"),
            _ => None,
        }
    }
}
