//! What holds for every bundle, whatever is in it.
//!
//! - Taking evidence away never makes a confirmed cause: what the rest confirms, the whole confirms too. Read the other way round:
//!   adding evidence never turns a confirmed cause into another.
//! - The order of what an answer lists, and of the calls, means nothing.
//! - Where the verdict is undecided, the report says what to look at next.
//! - What something shows is never given less than what is merely not excluded.
//!
//! Renaming ids is the redacted run; that a fix clears its cause is checked where repairs are applied.

use std::collections::BTreeSet;

use launchpath_diagnose::diagnose;
use launchpath_diagnose::diagnosis::{CauseStatus, Diagnosis, Verdict};
use launchpath_intake::open_bytes;
use serde_json::{Value, json};

fn diagnosis(bundle: &Value) -> Result<Diagnosis, String> {
    let world =
        open_bytes("bundle.json", bundle.to_string().as_bytes()).map_err(|error| error.to_string())?;
    Ok(diagnose(&world))
}

fn confirmed(diagnosis: &Diagnosis) -> BTreeSet<&str> {
    let all = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
    all.filter(|cause| cause.status == CauseStatus::Confirmed).map(|cause| cause.fault.as_str()).collect()
}

/// Causes that a trace refutes in the whole: the configuration looks like it, and the launch got past it all the same. Without the
/// trace they are what everything that is left says.
fn passed_all_the_same(diagnosis: &Diagnosis) -> BTreeSet<&str> {
    let refuted = diagnosis.ruled_out.iter().filter(|fault| fault.because.contains("was passed"));
    refuted.map(|fault| fault.fault.as_str()).collect()
}

/// What the rest confirms rightly, and only the withheld call shows to be over: the fault, the call, and why it is over.
const OVER: &[(&str, &str, &str)] = &[
    ("iam.caller_cannot_invoke", "InvokeAgentRuntime", "a later call was let in"),
    ("iam.runtime_api_denied", "GetRole", "what was refused is allowed by now"),
    ("iam.runtime_api_denied", "ListRolePolicies", "what was refused is allowed by now"),
    ("iam.runtime_api_denied", "GetRolePolicy", "what was refused is allowed by now"),
    ("iam.runtime_api_denied", "ListAttachedRolePolicies", "what was refused is allowed by now"),
    ("logs.role_cannot_write", "FilterLogEvents", "lines arrived, whatever the policies say"),
];

/// Withholds each call in turn: every second one is refused, the others were never made.
///
/// # Errors
/// What a part confirms and the whole does not.
pub(crate) fn withholding_creates_nothing(bundle: &Value) -> Result<(), String> {
    let whole = diagnosis(bundle)?;
    let (known, refuted) = (confirmed(&whole), passed_all_the_same(&whole));
    let number = bundle["calls"].as_array().map_or(0, Vec::len);
    for at in 0..number {
        let mut part = bundle.clone();
        let Some(calls) = part["calls"].as_array_mut() else { continue };
        let operation = calls[at]["operation"].as_str().unwrap_or_default().to_owned();
        let name = format!("{} {operation}", calls[at]["id"]);
        if at % 2 == 0 {
            calls.remove(at);
        } else if let Some(call) = calls[at].as_object_mut() {
            call.remove("response");
            call.remove("file");
            call.insert("outcome".into(), json!("denied"));
            call.insert(
                "error".into(),
                json!({ "code": "AccessDenied", "message": "refused in a test", "http": 403 }),
            );
        }
        let part = diagnosis(&part)?;
        let new: Vec<&str> =
            confirmed(&part).difference(&known).copied().filter(|code| !refuted.contains(code)).collect();
        let is_over = |code: &&str| OVER.iter().any(|(fault, call, _)| fault == code && *call == operation);
        let new: Vec<&str> = new.into_iter().filter(|code| !is_over(code)).collect();
        if !new.is_empty() {
            return Err(format!("without {name} it confirms {}, with it {known:?}", new.join(", ")));
        }
    }
    Ok(())
}

/// Turns every list of things round, and the calls of different questions.
///
/// # Errors
/// What changes.
pub(crate) fn order_means_nothing(bundle: &Value) -> Result<(), String> {
    let mut turned = bundle.clone();
    for call in turned["calls"].as_array_mut().into_iter().flatten() {
        let listing = call["operation"]
            .as_str()
            .is_some_and(|name| name.starts_with("Describe") || name.starts_with("List"));
        if listing {
            turn(&mut call["response"]);
        }
    }
    let (before, after) = (shape(&diagnosis(bundle)?), shape(&diagnosis(&turned)?));
    if before == after {
        return Ok(());
    }
    let lost: Vec<&str> = before.difference(&after).map(String::as_str).collect();
    let new: Vec<&str> = after.difference(&before).map(String::as_str).collect();
    Err(format!(
        "turned round, it changes\n  from {}\n  to   {}",
        lost.join("\n       "),
        new.join("\n       ")
    ))
}

/// Reverses every list of objects.
fn turn(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(turn);
            if items.iter().all(Value::is_object) {
                items.reverse();
            }
        }
        Value::Object(members) => members.values_mut().for_each(turn),
        _ => {}
    }
}

fn shape(diagnosis: &Diagnosis) -> BTreeSet<String> {
    let mut lines = BTreeSet::from([format!("verdict {:?}", diagnosis.verdict)]);
    for cause in diagnosis.causes.iter().chain(&diagnosis.also_blocking) {
        let mut subjects = cause.subjects.clone();
        subjects.sort();
        lines.insert(format!(
            "{} {:?} {:.3} {} {subjects:?}",
            cause.fault, cause.status, cause.probability, cause.primary
        ));
    }
    lines.extend(diagnosis.ruled_out.iter().map(|fault| format!("ruled out {}", fault.fault)));
    lines.extend(diagnosis.unknown.iter().map(|fault| format!("unknown {}", fault.fault)));
    lines.extend(diagnosis.warnings.iter().map(|warning| format!("warning {}", warning.code)));
    lines
}

/// Where nothing is decided, something is named that would tell more, as a command; with several suspects, one that parts them.
///
/// # Errors
/// What is missing.
pub(crate) fn undecided_says_what_next(diagnosis: &Diagnosis) -> Result<(), String> {
    if diagnosis.verdict != Verdict::Undecided {
        return Ok(());
    }
    if diagnosis.next_probes.is_empty() {
        return Err(format!("undecided, and nothing to look at next ({} suspects)", diagnosis.causes.len()));
    }
    if let Some(probe) = diagnosis.next_probes.iter().find(|probe| probe.command.trim().is_empty()) {
        return Err(format!("a probe without a command: {}", probe.what));
    }
    let suspects: BTreeSet<&str> = diagnosis.causes.iter().map(|cause| cause.fault.as_str()).collect();
    // Some against the others, or each by itself.
    let parts = |splits: &[String]| splits.iter().any(|split| suspects.contains(split.as_str()));
    if suspects.len() > 1 && !diagnosis.next_probes.iter().any(|probe| parts(&probe.splits)) {
        return Err(format!("no probe parts {suspects:?}"));
    }
    Ok(())
}

/// The figures say what the order says: a likely cause has no less than any possible one.
///
/// # Errors
/// The two that contradict.
pub(crate) fn likely_weighs_no_less(diagnosis: &Diagnosis) -> Result<(), String> {
    let all = || diagnosis.causes.iter().chain(&diagnosis.also_blocking);
    let suspects = || diagnosis.causes.iter().filter(|cause| cause.status == CauseStatus::Possible);
    for likely in all().filter(|cause| cause.status == CauseStatus::Likely) {
        if let Some(heavier) = suspects().find(|suspect| suspect.probability > likely.probability) {
            return Err(format!(
                "{} is likely with {}, and {} possible with {}",
                likely.fault, likely.probability, heavier.fault, heavier.probability
            ));
        }
    }
    Ok(())
}
