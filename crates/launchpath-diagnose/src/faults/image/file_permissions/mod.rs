//! `image.file_permissions`: the image's user may not read, run or write what the process needs.

use launchpath_image::traceback;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::experiment::Broken;
use crate::faults::app::crash::{self, Death};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.file_permissions",
    title: "The image's user may not read, run or write what the process needs",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    if let Some(finding) = refused_to_run(context.case) {
        return Check::found(Some(finding));
    }
    if let Some(finding) = survived(context.case) {
        return Check::found(Some(finding));
    }
    crash::check(context, FAULT.code, explain, |case, _: &Broken| Some(own(case)))
}

/// A line of the system: the program itself may not be run.
fn refused_to_run(case: &Case) -> Option<Finding> {
    let line = process_log::lines(case).into_iter().rfind(|line| {
        let lower = line.message.to_lowercase();
        lower.contains("permission denied")
            && (lower.trim_start().starts_with("exec ") || lower.contains("exec: "))
    })?;
    let text = format!("the program may not be run: {}", process_log::excerpt(&line.message));
    let lines = vec![because(text, std::slice::from_ref(&line.evidence), DIRECT)];
    Some(Finding::new(Certainty::Proven, trial::image_subject(case), lines)?.with_repair(own(case)))
}

/// A refused file before the server listened, caught: the agent runs with a part of itself missing. It stops no launch.
fn survived(case: &Case) -> Option<Finding> {
    let listens = process_log::listeners(case).into_iter().next_back()?;
    let lines: Vec<_> = process_log::lines(case)
        .into_iter()
        .filter(|line| line.stream == listens.stream && line.at <= listens.at)
        .collect();
    let text: Vec<&str> = lines.iter().map(|line| line.message.trim_end()).collect();
    let caught = traceback::find(&text.join("\n")).into_iter().find(crash::is_refused_file)?;
    let evidence = [listens.evidence];
    let text = format!(
        "a part of the agent was refused a file when it started, and the rest runs: {}",
        caught.headline()
    );
    let lines = vec![because(text, &evidence, 8.0)];
    let finding = Finding::new(Certainty::Circumstantial, trial::image_subject(case), lines)?;
    Some(finding.at(Stage::Lifecycle).with_repair(own(case)))
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let text = format!("the process was refused a file at start: {}", death.traceback.headline());
    (vec![because(text, &death.evidence, DIRECT)], own(case))
}

fn own(case: &Case) -> Repair {
    let first = vec![
        "# in the Dockerfile: COPY --chown=USER:USER … before USER, and chmod a+rX on what is copied"
            .to_owned(),
        "# what the process writes goes below a directory that its user owns, or to /tmp".to_owned(),
    ];
    crash::rebuild(
        case,
        "Give the image's user the files that it reads, runs and writes; build again".to_owned(),
        first,
    )
}
