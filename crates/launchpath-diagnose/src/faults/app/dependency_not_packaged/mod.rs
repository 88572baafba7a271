//! `app.dependency_not_packaged`: a third-party package is not in the artifact.

use launchpath_image::import::{self, ImportFailure};
use launchpath_model::command::quote;

use super::crash::{self, Death};
use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::faults::{Check, Context, DIRECT, Fault, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.dependency_not_packaged",
    title: "A third-party dependency is absent from the artifact",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    crash::check(context, FAULT.code, explain)
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let module = match &death.import {
        Some(ImportFailure::MissingModule { module, .. }) => module.clone(),
        _ => death.traceback.headline(),
    };
    let package = import::distribution_of(&module).unwrap_or(&module).to_owned();
    let mut lines = vec![because(
        format!("the artifact holds no module {module}, which the code imports at start"),
        &death.evidence,
        DIRECT,
    )];
    let zip = case.combination.artifact == ArtifactKind::CodeZip;
    if zip {
        let text = "a code zip is run as it is: nothing installs its requirements";
        lines.push(because(text, &case.runtime_evidence(), 2.0));
    }
    let summary = format!("Add {package} to the artifact and build it again");
    let first = if zip {
        vec![format!(
            "pip install --target package --platform manylinux2014_aarch64 --only-binary=:all: {}",
            quote(&package)
        )]
    } else {
        vec![format!("# add {package} to the requirements that the image installs")]
    };
    (lines, crash::rebuild(case, summary, first))
}
