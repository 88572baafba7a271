//! What an image, or the process it starts, shows about itself.
//!
//! What it is: judgement of manifests ([`manifest`]), of printed tracebacks ([`traceback`]) and of imports that fail
//! ([`import`]). What it is not: it runs nothing and reads no layers; it is handed documents and text.
//!
//! Start with [`import::classify`].

pub mod import;
pub mod manifest;
pub mod traceback;
