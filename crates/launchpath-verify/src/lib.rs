//! Checks the certificate of a verdict against the bundle it is about.
//!
//! What it is: a second, small reading of the evidence. It re-checks digests, that every citation says what is claimed, that a
//! packet meets every element of its way as claimed, that policy statements match, that the stages and the verdict follow from
//! what was shown. What it is not: a diagnosis. It finds no cause, and it shares no code with the engine, the network walk or
//! the policy evaluation, so that a bug there cannot vouch for itself. What it cannot re-check it says.
//!
//! Start with [`check`], then `docs/certificate.md`.

mod bundle;
mod cause;
mod chain;
mod claim;
mod network;
mod permission;
mod process;
mod report;
mod stage;
mod subject;

use std::fmt;

use serde_json::Value;

pub use report::{Counts, Item, Outcome, Report, Standing};

use bundle::Bundle;
use report::Notes;
use subject::Subject;

/// The format that is read.
pub const FORMAT: &str = "launchpath-certificate/1";

/// The document is no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotACertificate {
    /// Where in it.
    pub at: String,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for NotACertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "the document" } else { &self.at };
        write!(f, "{at}: expected {}", self.expected)
    }
}

impl std::error::Error for NotACertificate {}

/// Checks a certificate against a bundle, the bundle's JSON with every answer inside.
///
/// # Errors
/// The document is no certificate of a known version: nothing was checked.
pub fn check(certificate: &Value, bundle: &Value) -> Result<Report, NotACertificate> {
    shape(certificate)?;
    let bundle = Bundle::new(bundle);
    let mut notes = Notes::default();
    bundle.check_digests(certificate, &mut notes);
    let subject = Subject::new(certificate, &bundle);
    subject.check(&mut notes);
    let paths = network::check(certificate, &bundle, &subject, &mut notes);
    let permissions = permission::check(certificate, &bundle, &subject, &mut notes);
    let shown =
        Shown { certificate, bundle: &bundle, subject: &subject, paths: &paths, permissions: &permissions };
    let causes = cause::check(&shown, &mut notes);
    stage::check(&shown, &causes, &mut notes);
    claim::check_exclusions(&shown, &mut notes);
    chain::check(certificate, &causes, &mut notes);
    Ok(notes.report(certificate))
}

/// What causes, stages and exclusions are held against.
struct Shown<'a> {
    certificate: &'a Value,
    bundle: &'a Bundle<'a>,
    subject: &'a Subject<'a>,
    paths: &'a [network::Way],
    permissions: &'a [permission::Permission],
}

/// The members that everything else relies on.
fn shape(certificate: &Value) -> Result<(), NotACertificate> {
    let wrong = |at: &str, expected| Err(NotACertificate { at: at.to_owned(), expected });
    if certificate["format"].as_str() != Some(FORMAT) {
        return wrong("/format", "\"launchpath-certificate/1\"");
    }
    for list in
        ["chain", "causes", "also_blocking", "ruled_out", "unknown", "warnings", "paths", "permissions"]
    {
        if !certificate[list].is_array() {
            return wrong(&format!("/{list}"), "a list");
        }
    }
    for object in ["bundle", "runtime", "calls"] {
        if !certificate[object].is_object() {
            return wrong(&format!("/{object}"), "an object");
        }
    }
    if certificate["verdict"].as_str().is_none() {
        return wrong("/verdict", "a verdict");
    }
    Ok(())
}

/// A member that is a text; empty when there is none.
fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// A member that is a list; empty when there is none.
fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().map_or(&[], Vec::as_slice)
}
