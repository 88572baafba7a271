//! `app.startup_exception`: the process raises at start for a reason other than a missing import.

use super::crash::{self, Death};
use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::experiment::Broken;
use crate::faults::{Check, Context, DIRECT, Fault, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.startup_exception",
    title: "The process raises an exception at start",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    crash::check(context, FAULT.code, explain, |case, broken| Some(mend(case, broken)))
}

/// The repair for a start that an experiment saw fail without a traceback.
fn mend(case: &Case, broken: &Broken) -> Repair {
    let what = broken
        .finding
        .as_ref()
        .map_or("the process's own output says why it ends", |finding| finding.text.as_str());
    let first = format!("# {}", what.lines().next().unwrap_or_default());
    crash::rebuild(
        case,
        "Mend the image's command, or what it needs to start; build again".to_owned(),
        vec![first],
    )
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let headline = death.traceback.headline();
    let mut lines =
        vec![because(format!("the process died at start of {headline}"), &death.evidence, DIRECT)];
    let variable = death.traceback.missing_variable();
    if let Some(name) = &variable {
        let configured =
            case.runtime().and_then(|r| r.environment_variables.as_ref()).map(|all| all.contains_key(name));
        let text = match configured {
            Some(true) => format!("the runtime does set {name}: its value is not what the code expects"),
            Some(false) => format!("the runtime does not set the environment variable {name}"),
            None => format!("the runtime's configuration shows no environment variables, {name} included"),
        };
        lines.push(because(text, &case.runtime_evidence(), 2.0));
    }
    // A message can be long; its kind is enough to find it again.
    let what = if headline.chars().count() <= 120 { &headline } else { &death.traceback.exception };
    let repair = match &variable {
        Some(name) => crash::restart(
            case,
            format!("Set the environment variable {name} on the runtime, or give it a default in the code"),
            vec![format!("# update-agent-runtime replaces every member: send the present ones and {name}")],
        ),
        None => crash::rebuild(
            case,
            format!("Mend what raises {}; build again", what.trim_end_matches('.')),
            Vec::new(),
        ),
    };
    (lines, repair)
}
