//! SARIF 2.1.0, for tools that gather findings: one result per fault, the catalogue as rules.
//!
//! A result's `kind` carries the three values: `fail` for a confirmed or likely cause, `review` for a suspect, `pass` for what is
//! ruled out, `open` for what the evidence does not decide, `informational` for a trap. A launch has no source files, so places are
//! the resources at fault, as logical locations; viewers that ask for a file show results without one.

use launchpath_diagnose::faults;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::clean;
use crate::diagnosis::{Cause, CauseStatus, Diagnosis};
use crate::{outline, wording};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What the fingerprint is made of; a change of that is a new name.
const FINGERPRINT: &str = "launchpathFault/v1";

/// The diagnosis as a SARIF log, ending in a line feed.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    let results = Results::of(diagnosis);
    let mut invocation = json!({ "executionSuccessful": true, "exitCode": diagnosis.exit_code() });
    if let Some(time) = diagnosis.reference_time {
        invocation["endTimeUtc"] = json!(time.to_string());
    }
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "launchpath",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": results.rules,
            } },
            "automationDetails": { "id": format!("launchpath/{}/", clean::line(outline::runtime_name(diagnosis))) },
            "invocations": [invocation],
            "results": results.results,
            "properties": {
                "verdict": diagnosis.verdict,
                "summary": text(&outline::headline(diagnosis)),
                "runtime": diagnosis.runtime,
            },
        }],
    });
    format!("{log:#}\n")
}

/// The results, and the rules they refer to by index.
struct Results<'a> {
    diagnosis: &'a Diagnosis,
    rules: Vec<Value>,
    results: Vec<Value>,
}

impl<'a> Results<'a> {
    fn of(diagnosis: &'a Diagnosis) -> Self {
        let mut all = Self { diagnosis, rules: Vec::new(), results: Vec::new() };
        for cause in diagnosis.causes.iter().chain(&diagnosis.also_blocking) {
            all.cause(cause);
        }
        for warning in &diagnosis.warnings {
            let said = format!("{}: {}", wording::capital(&warning.title), warning.text);
            let properties = json!({ "evidence": warning.evidence, "command": warning.command });
            all.add(&warning.code, &warning.title, "informational", &said, &[], &properties);
        }
        for fault in &diagnosis.unknown {
            // What is a suspect has its result already.
            if diagnosis.causes.iter().any(|cause| cause.fault == fault.fault) {
                continue;
            }
            let missing: Vec<String> = fault
                .missing
                .iter()
                .map(|missing| format!("{} ({})", missing.evidence, missing.reason))
                .collect();
            let said = format!("{}: not decided; missing: {}", fault.title, wording::list(&missing));
            all.add(&fault.fault, &fault.title, "open", &said, &[], &json!({ "missing": fault.missing }));
        }
        for fault in &diagnosis.ruled_out {
            let said = format!("{}: ruled out: {}", fault.title, fault.because);
            all.add(&fault.fault, &fault.title, "pass", &said, &[], &json!({ "evidence": fault.evidence }));
        }
        all
    }

    fn cause(&mut self, cause: &Cause) {
        let said =
            format!("{} ({}): {}", cause.title, wording::status(cause.status), outline::strongest(cause));
        let kind = if cause.status == CauseStatus::Possible { "review" } else { "fail" };
        let properties = json!({
            "status": cause.status,
            "probability": cause.probability,
            "primary": cause.primary,
            "stage": cause.stage,
            "because": cause.because,
            "fix": cause.fix,
        });
        self.add(&cause.fault, &cause.title, kind, &said, &cause.subjects, &properties);
    }

    fn add(
        &mut self,
        code: &str,
        title: &str,
        kind: &str,
        said: &str,
        subjects: &[String],
        properties: &Value,
    ) {
        let rule = self.rule(code, title);
        let mut places: Vec<&str> = subjects.iter().map(String::as_str).collect();
        if places.is_empty() {
            places.push(outline::runtime_name(self.diagnosis));
        }
        let places: Vec<Value> = places
            .iter()
            .map(|place| json!({ "logicalLocations": [{ "fullyQualifiedName": text(place), "kind": "resource" }] }))
            .collect();
        self.results.push(json!({
            "ruleId": clean::line(code),
            "ruleIndex": rule,
            "kind": kind,
            "level": if kind == "fail" { "error" } else { "none" },
            "message": { "text": text(said) },
            "locations": places,
            "partialFingerprints": { FINGERPRINT: self.fingerprint(code, subjects) },
            "properties": properties,
        }));
    }

    /// The same fault of the same resources of the same runtime, whenever it is found.
    fn fingerprint(&self, code: &str, subjects: &[String]) -> String {
        let mut subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        subjects.sort_unstable();
        let runtime = outline::runtime_name(self.diagnosis);
        let whole = json!([code, runtime, subjects]).to_string();
        Sha256::digest(whole).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The index of a rule, which is added when it is met first.
    fn rule(&mut self, code: &str, title: &str) -> usize {
        let code = clean::line(code);
        if let Some(known) = self.rules.iter().position(|rule| rule["id"] == code.as_str()) {
            return known;
        }
        let mut rule = Map::new();
        rule.insert("id".to_owned(), json!(code));
        rule.insert("shortDescription".to_owned(), json!({ "text": sentence(title) }));
        if let Some(fault) = faults::find(&code) {
            rule.insert("help".to_owned(), json!({ "text": plain(fault.doc), "markdown": fault.doc.trim() }));
            rule.insert("properties".to_owned(), json!({ "stage": fault.stage.id(), "since": fault.since }));
        }
        self.rules.push(Value::Object(rule));
        self.rules.len() - 1
    }
}

/// One line in which nothing is a link: a message of SARIF reads `[text](target)` as one.
fn text(text: &str) -> String {
    let line = clean::line(text).replace("](", "] (");
    if line.is_empty() { "–".to_owned() } else { line }
}

fn sentence(title: &str) -> String {
    text(&wording::sentence(title))
}

/// Our own Markdown as plain text: what it says, without its marks for code.
fn plain(markdown: &str) -> String {
    markdown.trim().replace('`', "")
}
