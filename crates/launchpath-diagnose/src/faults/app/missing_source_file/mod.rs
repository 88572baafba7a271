//! `app.missing_source_file`: a source or data file of the agent itself is not in the artifact.

use launchpath_image::import::{ImportFailure, Owner};

use super::crash::{self, Death};
use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::experiment::Broken;
use crate::faults::{Check, Context, DIRECT, Fault, because};
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
    crash::check(context, FAULT.code, explain, mend)
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
