//! Local experiments as evidence: which image a record speaks of, and what it shows about each fault.
//!
//! A rehearsal or an inspection is about an image that somebody had at hand. It is never a trace of the runtime's own launch: it
//! confirms a fault of the image, or speaks against one, and says no more of the service than that. Start with [`shown`]; which
//! broken clause and which finding stands for which fault is one table, [`meaning`].

mod identity;
mod meaning;
mod shown;

pub(crate) use identity::{Origin, inspections, rehearsals};
pub(crate) use shown::{Broken, Shown, shown, suspicion};
