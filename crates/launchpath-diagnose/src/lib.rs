//! World in, diagnosis out: the launch chain, the fault catalogue, ranking, proof of repairs.
//!
//! What it is: a pure function from a [`launchpath_model::World`] to a [`Diagnosis`]. What it is not: it collects nothing, reads
//! no files and formats for no output.
//!
//! Start with [`diagnose`] in `engine.rs`, then [`chain`], then one fault, for example `faults/net/unsupported_az`.

mod beliefs;
pub mod case;
pub mod certificate;
pub mod chain;
mod comparison;
pub mod denial_message;
pub mod diagnosis;
mod engine;
mod experiment;
pub mod faults;
pub mod paths;
mod permissions;
mod plan;
mod probe;
mod process_log;
mod rank;
mod refusal;
pub mod repair;
mod silence;
mod subject;
mod timeline;
mod traps;

pub use certificate::certify;
pub use comparison::{at_version, compare};
pub use diagnosis::Diagnosis;
pub use engine::{diagnose, diagnose_all};
pub use plan::apply_to_bundle;
pub use subject::{AbsentEndpoint, absent_endpoint};
