//! What can be said of an image, or a code zip, without running it.
//!
//! What it is: the findings ([`finding`]) and the public record that holds them. What it is not: it starts nothing, and it never
//! says *certain* of what depends on something that only a run could show.

pub mod finding;

pub use finding::{Certainty, Finding, FindingKind, Link, NotChecked};
