//! JUnit XML, for CI servers: one test case per fault that applies.
//!
//! A confirmed or likely fault is a failure, one that the evidence does not decide is *skipped* (never passed), one that is ruled
//! out is a pass. The cases are the stages' faults of this launch; the runtime is the suite.

use std::collections::BTreeSet;

use crate::clean;
use crate::diagnosis::{Cause, CauseStatus, Diagnosis};
use crate::markup::Markup;
use crate::{outline, wording};

/// One test case.
struct Case<'a> {
    fault: &'a str,
    title: &'a str,
    end: End<'a>,
}

/// How it ended.
enum End<'a> {
    Failed(&'a Cause),
    Skipped(String),
    Passed(&'a str),
}

/// The diagnosis as JUnit XML, ending in a line feed.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    let cases = cases(diagnosis);
    let count = |is: fn(&End<'_>) -> bool| cases.iter().filter(|case| is(&case.end)).count().to_string();
    let tests = cases.len().to_string();
    let failures = count(|end| matches!(end, End::Failed(_)));
    let skipped = count(|end| matches!(end, End::Skipped(_)));
    let name = outline::runtime_name(diagnosis);
    let counts = [
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", "0"),
        ("skipped", skipped.as_str()),
        ("time", "0"),
    ];
    let mut suites = vec![("name", "launchpath")];
    suites.extend(counts);
    let mut suite = vec![("name", name)];
    suite.extend(counts);
    let time = diagnosis.reference_time.map(|time| time.to_string());
    suite.extend(time.as_deref().map(|time| ("timestamp", time)));
    let mut xml = Markup::default();
    xml.element("testsuites", &suites, |xml| {
        xml.element("testsuite", &suite, |xml| {
            xml.element("properties", &[], |xml| {
                property(xml, "verdict", diagnosis.verdict.as_str());
                property(xml, "summary", &outline::headline(diagnosis));
                for (name, value) in [("arn", &diagnosis.runtime.arn), ("region", &diagnosis.runtime.region)]
                {
                    if let Some(value) = value {
                        property(xml, name, value);
                    }
                }
            });
            for case in &cases {
                write(xml, diagnosis, case);
            }
        });
    });
    xml.into_xml()
}

fn property(xml: &mut Markup, name: &str, value: &str) {
    xml.void("property", &[("name", name), ("value", value)]);
}

/// Each fault once: what is found before what is open before what is ruled out.
fn cases(diagnosis: &Diagnosis) -> Vec<Case<'_>> {
    let found = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
    let (suspects, found): (Vec<&Cause>, Vec<&Cause>) =
        found.partition(|cause| cause.status == CauseStatus::Possible);
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut seen = BTreeSet::new();
    for cause in found {
        if seen.insert((&cause.fault, Some(&cause.subjects))) {
            cases.push(Case { fault: &cause.fault, title: &cause.title, end: End::Failed(cause) });
        }
    }
    let failed: BTreeSet<&str> = cases.iter().map(|case| case.fault).collect();
    let mut open = BTreeSet::new();
    for fault in &diagnosis.unknown {
        let missing: Vec<String> = fault
            .missing
            .iter()
            .map(|missing| {
                let command =
                    missing.command.as_ref().map_or_else(String::new, |command| format!("; {command}"));
                format!("{}: {}{command}", missing.evidence, missing.reason)
            })
            .collect();
        if !failed.contains(fault.fault.as_str()) && open.insert(fault.fault.as_str()) {
            cases.push(Case {
                fault: &fault.fault,
                title: &fault.title,
                end: End::Skipped(missing.join(" | ")),
            });
        }
    }
    for suspect in suspects {
        if !failed.contains(suspect.fault.as_str()) && open.insert(suspect.fault.as_str()) {
            let why = format!("a suspect, {}", wording::percent(suspect.probability));
            cases.push(Case { fault: &suspect.fault, title: &suspect.title, end: End::Skipped(why) });
        }
    }
    for fault in &diagnosis.ruled_out {
        if !failed.contains(fault.fault.as_str()) && open.insert(fault.fault.as_str()) {
            cases.push(Case { fault: &fault.fault, title: &fault.title, end: End::Passed(&fault.because) });
        }
    }
    cases
}

fn write(xml: &mut Markup, diagnosis: &Diagnosis, case: &Case<'_>) {
    let area = case.fault.split('.').next().unwrap_or_default();
    let name = format!("{}: {}", case.fault, case.title);
    let class = format!("launchpath.{area}");
    xml.element("testcase", &[("name", &name), ("classname", &class), ("time", "0")], |xml| {
        match &case.end {
            End::Failed(cause) => {
                let message = cause.because.first().map_or(&cause.title, |because| &because.text);
                let message = wording::shortened(&clean::line(message), 500);
                let attributes = [("message", message.as_str()), ("type", wording::status(cause.status))];
                xml.element("failure", &attributes, |xml| xml.lines(&story(diagnosis, cause)));
            }
            End::Skipped(why) => xml.void("skipped", &[("message", why)]),
            End::Passed(because) => xml.leaf("system-out", &[], because),
        }
    });
}

/// What a reader of the failure needs: subjects, reasons, the fix.
fn story(diagnosis: &Diagnosis, cause: &Cause) -> String {
    let mut lines = vec![format!("stage: {}", outline::stage_title(diagnosis, &cause.stage))];
    if !cause.subjects.is_empty() {
        lines.push(format!("at fault: {}", cause.subjects.join(", ")));
    }
    for because in &cause.because {
        let ids: Vec<&str> = because.evidence.iter().map(launchpath_model::EvidenceId::as_str).collect();
        let ids = if ids.is_empty() { String::new() } else { format!(" [{}]", ids.join(" ")) };
        lines.push(format!("{} {}{ids}", wording::weight(because.weight), because.text));
    }
    if let Some(fix) = &cause.fix {
        lines.push(format!("fix: {}", fix.summary));
        lines.extend(fix.aws_cli.iter().cloned());
    }
    lines.join("\n")
}
