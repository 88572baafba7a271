//! `app.missing_source_file`: a source or data file of the agent itself is not in the artifact.

use launchpath_image::import::{ImportFailure, Owner};
use launchpath_model::world::ImageFinding;

use super::crash::{self, Death, Start};
use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::experiment::{Broken, Origin, inspections};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.missing_source_file",
    title: "An own source or data file is absent from the artifact",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 5.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let start = crash::check(context, FAULT.code, explain, mend);
    let died = matches!(crash::start(context.case), Start::Died(_));
    // A process that runs did not need the file to start; a part of the agent may need it all the same.
    let runs = context.progress.trace_at_or_beyond(Stage::ProcessStart).is_some();
    match part_missing(context.case).filter(|_| runs && !died) {
        Some(finding) => Check::Found(vec![finding]),
        None => start,
    }
}

/// What a program prints of a part of itself that it goes on without; lower case.
const OFF: &[&str] = &[
    "disabled",
    "unavailable",
    "not available",
    "could not be loaded",
    "failed to load",
    "failed to import",
    "could not import",
];

/// A module that only a function imports is absent, the failed import is swallowed, and the log says that a part is off. It stops
/// no launch.
fn part_missing(case: &Case) -> Option<Finding> {
    let says_off = |text: &str| {
        let lower = text.to_lowercase();
        OFF.iter().any(|sign| lower.contains(sign))
    };
    let line = process_log::lines(case).into_iter().find(|line| says_off(&line.message))?;
    let (evidence, found) = inspections(case).into_iter().find_map(|(inspection, origin)| {
        let absent = |finding: &&ImageFinding| finding.kind == "missing_own_source";
        let found = inspection.findings.iter().find(absent).filter(|_| origin == Origin::ThisImage)?;
        Some((&inspection.evidence, found))
    })?;
    let text = found.text.trim().trim_end_matches('.');
    let off =
        format!("the log says that a part of the agent is off: {}", process_log::excerpt(&line.message));
    let lines = vec![
        because(format!("the inspection of this very image: {text}"), std::slice::from_ref(evidence), 8.0),
        because(off, std::slice::from_ref(&line.evidence), 3.0),
    ];
    let finding = Finding::new(Certainty::Circumstantial, trial::image_subject(case), lines)?;
    let what = found.detail_text("module").or_else(|| found.detail_text("path")).unwrap_or("the file");
    Some(finding.at(Stage::Lifecycle).with_repair(put_back(case, what)))
}

/// The repair for what an inspection found.
fn mend(case: &Case, broken: &Broken) -> Option<Repair> {
    let finding = broken.finding.as_ref()?;
    let what = ["module", "path"].iter().find_map(|name| finding.detail_text(name)).unwrap_or("the file");
    Some(put_back(case, what))
}

fn put_back(case: &Case, what: &str) -> Repair {
    let summary = format!("Stop the ignore rules or the build context from leaving out {what}; build again");
    let first =
        "# compare: .dockerignore, the COPY lines and the build context against the source tree".to_owned();
    crash::rebuild(case, summary, vec![first])
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let what = match &death.import {
        Some(
            ImportFailure::MissingSubmodule { module, owner }
            | ImportFailure::MissingModule { module, owner },
        ) => match owner {
            Owner::Unclear => format!("the module {module}"),
            _ => format!("the agent's own module {module}"),
        },
        Some(ImportFailure::MissingFile { path }) => format!("the file {path}"),
        _ => death.traceback.headline(),
    };
    let text = format!("the artifact lacks {what}, which the code needs at start");
    let mut lines = vec![because(text, &death.evidence, DIRECT)];
    if let Some(
        ImportFailure::MissingSubmodule { owner: Owner::Unclear, .. }
        | ImportFailure::MissingModule { owner: Owner::Unclear, .. },
    ) = &death.import
    {
        // Field reports with a name that no frequent package has were of own modules throughout.
        lines.push(because("no package in frequent use has that name", &death.evidence, 3.0));
    }
    (lines, put_back(case, &what))
}
