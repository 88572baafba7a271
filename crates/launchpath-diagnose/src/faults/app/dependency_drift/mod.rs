//! `app.dependency_drift`: a package is installed and no longer has what the code imports.

use launchpath_image::import::{self, ImportFailure};
use launchpath_model::command::quote;

use super::crash::{self, Death};
use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::experiment::Broken;
use crate::faults::{Check, Context, DIRECT, Fault, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.dependency_drift",
    title: "A dependency changed under an unpinned requirement",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 5.0,
    needs: &["GetAgentRuntime", "DescribeImages", "FilterLogEvents", "Rehearse", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    crash::check(context, FAULT.code, explain, mend)
}

/// The repair for what an inspection found.
fn mend(case: &Case, broken: &Broken) -> Option<Repair> {
    let finding = broken.finding.as_ref()?;
    let module = finding.detail_text("module").unwrap_or_default();
    let top = module.split('.').next().unwrap_or_default();
    let package = finding.detail_text("distribution").or_else(|| import::distribution_of(top)).unwrap_or(top);
    let gone = match finding.detail_text("name") {
        Some(name) => format!("name {name} in {module}"),
        None => format!("module {module}"),
    };
    Some(repair(case, package, &gone, import::moved(module)))
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let (module, gone) = match &death.import {
        Some(ImportFailure::MissingSubmodule { module, .. }) => (module.clone(), format!("module {module}")),
        Some(ImportFailure::MissingName { name, module, .. }) => {
            (module.clone(), format!("name {name} in {module}"))
        }
        Some(ImportFailure::UnexpectedArgument { function, argument }) => {
            return changed_call(case, death, function, argument);
        }
        _ => (String::new(), death.traceback.headline()),
    };
    let top = module.split('.').next().unwrap_or_default();
    let distributions = case.distributions();
    let installed = import::version_of(top, &distributions);
    let moved = import::moved(&module);
    let package = installed.map(|(name, _)| name).or_else(|| import::distribution_of(top)).unwrap_or(top);
    let versioned = installed.map_or(package.to_owned(), |(name, version)| format!("{name} {version}"));
    let mut lines = vec![because(
        format!("the image's {versioned} has no {gone}, which the code imports at start"),
        &death.evidence,
        DIRECT,
    )];
    if let Some(frame) = death.traceback.frames.last() {
        lines.push(because(
            format!("the import is at {} line {}", frame.file, frame.line),
            &death.evidence,
            1.0,
        ));
    }
    if let Some(moved) = moved {
        let date = moved.released.get(..10).unwrap_or(&moved.released);
        let to = moved.moved_to.as_ref().map(|to| format!("; its content is in {to}")).unwrap_or_default();
        let text = format!(
            "{} {} of {date} dropped {}{to} ({})",
            moved.distribution, moved.gone_in, moved.module, moved.source
        );
        lines.push(because(text, &death.evidence, 2.0));
    }
    (lines, repair(case, package, &gone, moved))
}

/// A call that passes what the function no longer takes: it may as well be a slip of the code itself.
fn changed_call(case: &Case, death: &Death, function: &str, argument: &str) -> (Vec<Because>, Repair) {
    let text = format!("{function} takes no argument {argument}, which the code passes at start");
    let summary =
        format!("Pin the package of {function} to the last release that takes {argument}; rebuild the image");
    let lines = vec![because(text, &death.evidence, DIRECT)];
    (lines, crash::rebuild(case, summary, Vec::new()))
}

fn repair(case: &Case, package: &str, gone: &str, moved: Option<&import::MovedModule>) -> Repair {
    match moved {
        Some(moved) => {
            let instead =
                moved.moved_to.as_ref().map(|to| format!(", or import from {to}")).unwrap_or_default();
            let summary = format!("Pin {}{instead}; rebuild the image", moved.pin);
            let mut first = vec![format!("# in the requirements: {}", moved.pin)];
            if let Some(to) = &moved.moved_to {
                first.push(format!(
                    "# or in the code: sed -i 's/from {}/from {to}/' $(grep -rl {} --include='*.py' .)",
                    moved.module,
                    quote(&moved.module)
                ));
            }
            crash::rebuild(case, summary, first)
        }
        None => crash::rebuild(
            case,
            format!(
                "Pin {package} to the last release that has {gone}, or import what replaced it; rebuild the image"
            ),
            vec![format!("# find the release: pip index versions {}", quote(package))],
        ),
    }
}
