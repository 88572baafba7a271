//! Brings an image or a code zip here from wherever it is: an OCI layout, an archive, a registry, a container engine, a folder.
//!
//! What it is: reading, downloading, checking digests, within limits. What it is not: it judges nothing ([`launchpath_image`]
//! does) and runs nothing (`launchpath-rehearse` does).
//!
//! Start with [`open`]: documents are read at once, layers only by [`Artifact::tree`]. [`unpack::unpack`] puts a tree into a directory.

mod archive;
mod artifact;
mod container;
mod decompress;
#[cfg(unix)]
mod engine;
mod error;
mod files;
mod http;
mod layout;
mod locator;
mod registry;
#[cfg(unix)]
mod root_fs;
mod store;
#[cfg(unix)]
pub mod unpack;

pub use artifact::{Artifact, CodeZip, Options, code_zip, open};
pub use container::Container;
#[cfg(unix)]
pub use engine::sockets as engine_sockets;
pub use error::FetchError;
pub use locator::Locator;
pub use registry::{Credentials, Reference, Secret, credential_files};
