//! What a Python process would import, without running it.
//!
//! What it is: the interpreter of an image ([`Interpreter`]), the directories it searches ([`search_path`]), the distributions
//! installed there ([`Distribution`]), and the import check ([`check`]): the start module's imports are followed through own code and
//! installed packages as the interpreter would run them, statement by statement, and what cannot be imported is a finding.
//! What it is not: a type checker, and no interpreter: a condition, a call or a hook whose effect cannot be read off the
//! source makes a finding less sure, never surer.
//!
//! *Certain* means that the interpreter cannot get past that import: it stands at the top level of a module that is imported
//! from the start without a condition or a handler in between, and nothing in the image could provide what is missing. The
//! tests hold that against the real interpreter.
//!
//! Start with [`check`].

mod assign;
mod condition;
mod distribution;
mod export;
mod find;
mod graph;
mod handler;
mod interpreter;
mod literal;
mod module;
mod nesting;
mod report;
mod requirement;
mod scan;
mod search;
mod server;
mod source;
mod standard;
#[cfg(test)]
mod tests;
mod visit;

pub use distribution::{Distribution, distributions};
pub use graph::{Check, Outcome, Start, check};
pub use interpreter::{Interpreter, Version};
pub use requirement::newer_major_releases;
pub use search::{SearchPath, Surroundings, search_path};
pub use server::{ContainerMark, is_loopback, no_server, other_protocol, serving};
