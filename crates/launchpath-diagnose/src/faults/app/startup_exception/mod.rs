//! `app.startup_exception`: the process raises at start for a reason other than a missing import.

use super::crash::{self, Death};
use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::faults::{Check, Context, DIRECT, Fault, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "app.startup_exception",
    title: "The process raises an exception at start",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    crash::check(context, FAULT.code, explain)
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let headline = death.traceback.headline();
    let mut lines =
        vec![because(format!("the process died at start of {headline}"), &death.evidence, DIRECT)];
    let variable = missing_variable(death);
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
    let summary = match &variable {
        Some(name) => {
            format!("Set the environment variable {name} on the runtime, or give it a default in the code")
        }
        None => format!("Mend what raises {headline}; build the image again"),
    };
    (lines, crash::rebuild(case, summary, Vec::new()))
}

/// The environment variable that `os.environ[…]` did not find: a KeyError with a name in capitals.
fn missing_variable(death: &Death) -> Option<String> {
    if death.traceback.exception != "KeyError" {
        return None;
    }
    let name = death.traceback.message.trim_matches(['\'', '"']);
    let is_variable =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    is_variable.then(|| name.to_owned())
}
