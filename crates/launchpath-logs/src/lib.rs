//! Log files of any size, read once with little memory.
//!
//! What it is: a scanner that is handed readers (CloudWatch exports, `aws logs tail`, `aws logs filter-log-events`, plain text) and
//! finds the signatures of failed starts ([`signature`]), puts tracebacks together line by line, and keeps what a diagnosis needs of
//! gigabytes: counts, first and last occurrences, the lines themselves ([`Report`]). What it is not: it judges no launch and opens
//! no file; the text is hostile and only cut.
//!
//! *How it is fast:* one automaton looks for all signatures in a buffer of many lines; lines without any are never looked at one by
//! one. *How it is bounded:* a buffer of fixed size, pieces for lines that never end, caps on everything that is kept.
//!
//! INVARIANT: the sizes in which a reader hands out its bytes change nothing in the report.
//!
//! Start with [`Scanner::read`].

mod assembly;
mod event;
mod gather;
mod line;
mod report;
mod scan;
pub mod signature;

pub use event::Event;
pub use report::{Found, Place, Report, TracebackGroup};
pub use scan::Scanner;
