//! `app.dependency_not_packaged`: a third-party package is not in the artifact.

use launchpath_image::import::{self, ImportFailure, Owner};
use launchpath_image::traceback::EXEC_ERROR;
use launchpath_model::command::quote;

use super::crash::{self, Death};
use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::experiment::Broken;
use crate::faults::{Check, Context, DIRECT, Fault, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.dependency_not_packaged",
    title: "A third-party dependency is absent from the artifact",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 3.0,
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
    let named = finding.detail_text("distribution").map(str::to_owned);
    let package = named
        .or_else(|| finding.detail_text("module").map(package_of))
        .unwrap_or_else(|| "the package".to_owned());
    let first = format!("# add {package} to what is installed into the artifact, for linux/arm64");
    Some(crash::rebuild(case, format!("Add {package} to the artifact and build it again"), vec![first]))
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let zip = case.combination.artifact == ArtifactKind::CodeZip;
    let mut owner = Owner::ThirdParty;
    let (text, package) = match &death.import {
        Some(ImportFailure::MissingModule { module, owner: whose }) => {
            owner = *whose;
            (
                format!("the artifact holds no module {module}, which the code imports at start"),
                package_of(module),
            )
        }
        Some(ImportFailure::MissingExtension { module }) => (
            format!(
                "the package is there without its compiled part {module}: it was built for another platform"
            ),
            package_of(module),
        ),
        Some(ImportFailure::MissingLibrary { file }) => {
            (format!("the image holds no library {file}, which a package loads at start"), file.clone())
        }
        _ if death.traceback.exception == EXEC_ERROR => (
            format!(
                "a script of the artifact names the interpreter of the machine that packed it ({})",
                death.traceback.message
            ),
            "scripts for the service's own interpreter".to_owned(),
        ),
        _ => (death.traceback.headline(), "the package".to_owned()),
    };
    let mut lines = vec![because(text, &death.evidence, DIRECT)];
    if zip && owner == Owner::ThirdParty {
        let text = "a code zip is run as it is: nothing installs its requirements";
        lines.push(because(text, &case.runtime_evidence(), 2.0));
    }
    let first = match &death.import {
        Some(ImportFailure::MissingLibrary { file }) => {
            format!("# in the Dockerfile: install the system package that holds {file}")
        }
        _ if death.traceback.exception == EXEC_ERROR => {
            "# install with pip install --target, not with a tool that writes its own interpreter into scripts"
                .to_owned()
        }
        _ if zip => format!(
            "pip install --target package --platform manylinux2014_aarch64 --only-binary=:all: {}",
            quote(&package)
        ),
        _ => format!("# add {package} to the requirements that the image installs, for linux/arm64"),
    };
    (lines, crash::rebuild(case, format!("Add {package} to the artifact and build it again"), vec![first]))
}

/// The distribution of a module, or of the package folder in the path of an extension.
fn package_of(module: &str) -> String {
    let (folder, file) = module.rsplit_once('/').unwrap_or(("", module));
    let inside = ["/site-packages/", "/dist-packages/", "/var/task/", "/app/"];
    let below =
        inside.iter().find_map(|start| Some(folder.split_once(start)?.1)).filter(|rest| !rest.is_empty());
    let top = match below {
        Some(rest) => rest.split('/').next(),
        None => file.split('.').next(),
    };
    let top = top.unwrap_or(module);
    import::distribution_of(top).unwrap_or(top).to_owned()
}
