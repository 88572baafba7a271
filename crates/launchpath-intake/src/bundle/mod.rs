//! The bundle format `launchpath-bundle/1`: recorded calls and what they are about.
//!
//! [`Bundle`] reads, builds and prints; [`Call`] is one recorded call. Neither knows what an answer means: that is
//! the lowering's work. Start with [`Bundle`].

mod call;
mod member;
mod whole;

pub use call::Call;
pub use launchpath_model::evidence::{CallError, Outcome};
pub use launchpath_model::world::Subject;
pub use whole::Bundle;

/// The value of `format` in a bundle that this version reads and writes.
pub const FORMAT: &str = "launchpath-bundle/1";
/// The file of a bundle that is a directory or an archive.
pub const BUNDLE_FILE: &str = "bundle.json";
