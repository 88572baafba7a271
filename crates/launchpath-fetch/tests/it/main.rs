//! Images in files, read whole: what is understood, and what is refused with which words.

#![allow(clippy::unwrap_used, reason = "tests")]

mod archive;
mod engine;
mod folder;
mod hostile;
mod image;
mod layout;
mod peer;
mod registry;
mod server;
