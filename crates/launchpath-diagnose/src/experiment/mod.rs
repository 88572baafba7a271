//! Local experiments as evidence: which image a record speaks of, and what it shows about each fault.
//!
//! A rehearsal or an inspection is about an image that somebody had at hand. It is never a trace of the runtime's own launch: it
//! confirms a fault of the image, or speaks against one, and says no more of the service than that; what depends on a condition
//! that it did not share with the launch it confirms never ([`conditions`]). Start with [`shown`]; which broken clause and which
//! finding stands for which fault is one table, [`meaning`].

mod conditions;
mod identity;
mod meaning;
mod refused;
mod shown;

pub(crate) use conditions::{Condition, cut_off, differences, undecided, was_given};
pub(crate) use identity::{Origin, inspections, rehearsals};
pub(crate) use refused::names_a_program;
pub(crate) use shown::{Broken, Shown, shown, suspicion};
