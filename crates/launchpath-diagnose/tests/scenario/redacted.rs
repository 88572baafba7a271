//! A redacted bundle must come to the same diagnosis: the same verdict, causes and chain, with other names.

use std::collections::BTreeSet;

use launchpath_diagnose::diagnose;
use launchpath_diagnose::diagnosis::{Cause, Diagnosis};
use launchpath_intake::open_bytes;
use launchpath_intake::redact::{Key, redacted};
use serde_json::Value;

/// What must not change: everything but names, as sorted lines.
fn shape(diagnosis: &Diagnosis) -> BTreeSet<String> {
    let cause = |list: &str, cause: &Cause| {
        let fix = cause.fix.as_ref().and_then(|fix| fix.verified.clone());
        let proof = fix.map(|verified| (verified.reaches, verified.next_blocker));
        format!(
            "{list}: {} {:?} {:.3} primary {} with {} subjects, fix {proof:?}",
            cause.fault,
            cause.status,
            cause.probability,
            cause.primary,
            cause.subjects.len()
        )
    };
    let mut lines = BTreeSet::from([format!("verdict {:?}", diagnosis.verdict)]);
    lines.extend(diagnosis.causes.iter().map(|one| cause("cause", one)));
    lines.extend(diagnosis.also_blocking.iter().map(|one| cause("also blocking", one)));
    lines.extend(diagnosis.chain.iter().map(|stage| format!("stage {} {:?}", stage.stage, stage.state)));
    lines.extend(diagnosis.ruled_out.iter().map(|fault| format!("ruled out {}", fault.fault)));
    lines.extend(diagnosis.unknown.iter().map(|fault| format!("unknown {}", fault.fault)));
    lines.extend(diagnosis.warnings.iter().map(|warning| format!("warning {}", warning.code)));
    lines
}

/// Redacts the bundle, diagnoses it and holds the answer against the one of the original.
pub(super) fn agrees(bundle: &Value, diagnosis: &Diagnosis) -> Result<(), String> {
    let hidden = redacted(bundle, &Key::of_bundle(bundle));
    let world =
        open_bytes("redacted.json", hidden.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let (before, after) = (shape(diagnosis), shape(&diagnose(&world)));
    if before == after {
        return Ok(());
    }
    let lost: Vec<&str> = before.difference(&after).map(String::as_str).collect();
    let new: Vec<&str> = after.difference(&before).map(String::as_str).collect();
    Err(format!("redacted, it changes\n  from {}\n  to   {}", lost.join("\n       "), new.join("\n       ")))
}
