//! Live, read-only collection of evidence.
mod client;
mod endpoint;
mod facts;
mod mask;
pub mod operation;
mod progress;
mod rate;
mod record;
mod settings;
mod wire;

pub use progress::{Progress, Silent};
pub use record::Outcome;
pub use settings::{CollectError, Request, Settings};
