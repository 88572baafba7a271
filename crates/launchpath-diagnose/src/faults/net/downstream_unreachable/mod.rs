//! `net.downstream_unreachable`: the process runs and cannot reach a host it needs at start or for a request.

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::{Because, Safety};
use crate::experiment::Broken;
use crate::faults::app::crash::{self, Death};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.downstream_unreachable",
    title: "A service that the process needs cannot be reached",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 2.0,
    needs: &["FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

/// What clients print when a host does not answer or its name does not resolve; lower case.
const UNREACHABLE: &[&str] = &[
    "connect timeout on endpoint url",
    "could not connect to the endpoint url",
    "connecttimeout",
    "connection timed out",
    "connection refused",
    "connect econnrefused",
    "connect etimedout",
    "getaddrinfo enotfound",
    "name or service not known",
    "temporary failure in name resolution",
    "no route to host",
    "network is unreachable",
];

/// Whether a text says that a host could not be reached. The metadata service is the service's own.
pub(in crate::faults) fn says_unreachable(text: &str) -> bool {
    let lower = text.to_lowercase();
    UNREACHABLE.iter().any(|sign| lower.contains(sign)) && !lower.contains("169.254.169.254")
}

fn check(context: &Context) -> Check {
    let case = context.case;
    let died = crash::check(context, FAULT.code, explain, |_, _: &Broken| None);
    if let Check::Found(_) = died {
        return died;
    }
    let line = process_log::lines(case).into_iter().rfind(|line| says_unreachable(&line.message));
    match line {
        Some(line) => {
            let text = format!("the process could not reach a host: {}", process_log::excerpt(&line.message));
            let lines = vec![because(text, std::slice::from_ref(&line.evidence), 8.0)];
            let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(case), lines);
            let stage = context.progress.first_failed().unwrap_or(Stage::Response);
            Check::found(finding.map(|finding| finding.at(stage).with_repair(open(case))))
        }
        // A death of another kind says nothing about what a request needs.
        None => {
            Check::Unknown(trial::unread_log(case).into_iter().chain([trial::unrehearsed(case)]).collect())
        }
    }
}

fn explain(case: &Case, death: &Death) -> (Vec<Because>, Repair) {
    let text = format!("the process died of a host that it could not reach: {}", death.traceback.headline());
    (vec![because(text, &death.evidence, DIRECT)], open(case))
}

fn open(case: &Case) -> Repair {
    let summary =
        "Open the way to the host that the log names, or connect when it is needed and not at start";
    let mut repair = crash::restart(case, summary.to_owned(), Vec::new());
    repair.safety = Safety::Review;
    repair.steps.insert(
        0,
        "# is it a matter of the VPC: launchpath reach RUNTIME HOST:PORT --bundle CASE".to_owned(),
    );
    repair
}
