//! What an image, or the process it starts, shows about itself.
//!
//! What it is: the documents of an image ([`document`], [`digest`]), its merged file system ([`tree`]) from its layers
//! ([`layer`]), judgement of manifests ([`manifest`]), of printed tracebacks ([`traceback`]) and of imports that fail ([`import`]). What it is not: it runs nothing
//! and opens nothing; it is handed documents, streams and text.
//!
//! What can be said without running it stands in [`inspect`]; what Python would import, in [`python`].
//!
//! Start with [`tree::Tree`], or with [`import::classify`] for what a process printed.

pub mod code_zip;
pub mod digest;
pub mod document;
pub mod elf;
pub mod import;
pub mod inspect;
pub mod layer;
pub mod manifest;
pub mod node;
pub mod passwd;
pub mod python;
pub mod start;
pub mod traceback;
pub mod tree;
