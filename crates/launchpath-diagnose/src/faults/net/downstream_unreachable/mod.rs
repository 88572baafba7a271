//! `net.downstream_unreachable`: the process runs and cannot reach a host it needs at start or for a request.

use launchpath_model::EvidenceId;

use crate::case::Case;
use crate::chain::{Stage, fatal_traceback};
use crate::diagnosis::{Because, Safety};
use crate::experiment::Broken;
use crate::faults::app::crash::{self, Death};
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::paths::named::{InTheWay, in_the_way};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.downstream_unreachable",
    title: "A service that the process needs cannot be reached",
    // That a process started or listens does not say that a request gets what it needs: only an answer does.
    stage: Stage::Response,
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

/// A host that the process could not reach.
pub(in crate::faults) struct Unreached {
    /// What it printed.
    pub(in crate::faults) line: String,
    /// The calls that brought it.
    pub(in crate::faults) evidence: Vec<EvidenceId>,
    /// Whether it died of that.
    pub(in crate::faults) died: bool,
    /// What stands in the way in the runtime's own VPC, where that is certain.
    pub(in crate::faults) in_the_way: Option<InTheWay>,
}

impl Unreached {
    /// The fault of the network that keeps the process from the host.
    pub(in crate::faults) fn code(&self) -> Option<&'static str> {
        self.in_the_way.as_ref().map(|way| way.code)
    }

    /// A process that goes on may have waited for something else.
    pub(in crate::faults) fn certainty(&self) -> Certainty {
        if self.died { Certainty::Proven } else { Certainty::Circumstantial }
    }
}

/// The host that the process of the runtime died of, or last said it could not reach.
pub(in crate::faults) fn unreached(case: &Case) -> Option<Unreached> {
    let death = fatal_traceback(case).filter(|crash| says_unreachable(&crash.traceback.headline()));
    let (line, evidence, died) = if let Some(crash) = death {
        (crash.traceback.headline(), crash.evidence, true)
    } else {
        let line = process_log::lines(case).into_iter().rfind(|line| says_unreachable(&line.message))?;
        (line.message.clone(), line.evidence.clone(), false)
    };
    let in_the_way = in_the_way(case, &line);
    Some(Unreached { line, evidence: vec![evidence], died, in_the_way })
}

fn check(context: &Context) -> Check {
    let case = context.case;
    let unreached = unreached(case);
    // One broken element is one fault, and that of the network says more. A death is shown whatever is known of the network.
    let endpoint_missing =
        |unreached: &&Unreached| !unreached.died && unreached.code() == Some("net.missing_vpc_endpoint");
    if let Some(Unreached { evidence, in_the_way: Some(way), .. }) =
        unreached.as_ref().filter(endpoint_missing)
    {
        let because = format!("what stands in the way is net.missing_vpc_endpoint: {}", way.text);
        return Check::ruled_out(because, [evidence.as_slice(), &way.evidence].concat());
    }
    let died = crash::check(context, FAULT.code, explain, |_, _: &Broken| None);
    if let Check::Found(findings) = died {
        return Check::Found(findings.into_iter().map(|finding| finding.at(Stage::ProcessStart)).collect());
    }
    if let Some(unreached) = unreached.filter(|unreached| !unreached.died) {
        let text = format!("the process could not reach a host: {}", process_log::excerpt(&unreached.line));
        let mut lines = vec![because(text, &unreached.evidence, 8.0)];
        if let Some(way) = &unreached.in_the_way {
            lines.push(because(&way.text, &way.evidence, 5.0));
        }
        let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(case), lines);
        let stage = context.progress.first_failed().unwrap_or(Stage::Response);
        return Check::found(finding.map(|finding| finding.at(stage).with_repair(open(case))));
    }
    // A death of another kind says nothing about what a request needs.
    let gaps = match trial::answer(context, FAULT.code, Vec::new(), |_, _: &Broken| None) {
        Ok(Check::RuledOut(proof)) => return Check::RuledOut(proof),
        Ok(_) => vec![trial::unrehearsed(case)],
        Err(gaps) => gaps,
    };
    Check::Unknown(trial::unread_log(case).into_iter().chain(gaps).collect())
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
