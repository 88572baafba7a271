//! Documents to [`launchpath_model::World`]: evidence bundles, and AWS CLI answers saved as files.
//!
//! What it is: the only way into a world. It is handed bytes ([`documents::Documents`]) and knows neither disk nor
//! network nor clock. What it is not: it draws no conclusion; it only lays the answers, and the fact that somebody
//! asked, into the tables that three-valued look-ups read.
//!
//! Start with [`open()`], then [`bundle`], then `lower` (one file per service).

pub mod bundle;
pub mod documents;
pub mod error;
mod json;
mod loose;
mod lower;
mod open;
mod outcome;
pub mod redact;

pub use bundle::{Bundle, Call};
pub use documents::{Documents, MemoryDocuments, ReadError, ZipDocuments};
pub use error::{IntakeError, Problem};
pub use json::MAX_VALUES;
pub use open::{open, open_bundle, open_bytes, read_bundle, read_document};
pub use outcome::outcome_of;
