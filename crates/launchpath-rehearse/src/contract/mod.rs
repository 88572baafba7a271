//! The service's contract, clause by clause: ports, paths, timing, status codes, for each protocol.
//!
//! Two halves that meet in [`Observations`]: [`hold`] runs the probes against a [`Subject`](crate::subject::Subject) and
//! notes what it sees; [`judge()`] is a pure function from what was seen to clauses. What the service asks, and how that is
//! known, stands in `data/contract.json` ([`facts`]).
//!
//! Start with `script.rs`, the order in which a process is probed, then `judge/mod.rs`.

pub mod clause;
mod crowd;
pub mod facts;
pub mod judge;
mod line;
pub mod mask;
pub mod observation;
mod output;
pub mod protocol;
mod script;
mod talk;
pub mod terms;
mod watch;
pub mod wire;

pub use clause::{Clause, Judged, Reason, State};
pub use judge::judge;
pub use mask::Mask;
pub use observation::Observations;
pub use protocol::Protocol;
pub use terms::Terms;
pub use watch::{Keep, Progress, hold};
