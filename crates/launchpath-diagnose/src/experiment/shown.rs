//! What the local experiments show about one fault.

use launchpath_model::EvidenceId;
use launchpath_model::world::{Clause, ClauseState, FindingCertainty, ImageFinding, Rehearsal};

use super::conditions::{cut_off, differences};
use super::identity::{Origin, inspections, rehearsals};
use super::meaning::{BREACHES, FINDINGS, HELD};
use super::refused;
use crate::case::Case;
use crate::chain::start_limit_seconds;
use crate::diagnosis::Because;
use crate::faults::{Certainty, DIRECT, because};

/// A broken clause or a finding that stands for the fault.
pub(crate) struct Broken {
    /// How surely.
    pub(crate) certainty: Certainty,
    /// Why, line by line.
    pub(crate) lines: Vec<Because>,
    /// The finding, when an inspection found it.
    pub(crate) finding: Option<ImageFinding>,
}

/// A rehearsal of the very image in which what the fault would break held.
pub(crate) struct Passed {
    /// The sentence.
    pub(crate) text: String,
    /// The calls.
    pub(crate) evidence: Vec<EvidenceId>,
    /// What was not like the service and may make the difference; none: the fault is not there.
    pub(crate) caveats: Vec<String>,
}

/// What the experiments show.
pub(crate) enum Shown {
    /// The fault.
    Broken(Broken),
    /// That it is not there, as far as the experiment was like the service.
    Passed(Passed),
    /// Nothing.
    Nothing,
}

/// What the experiments show about the fault `code`: what ran before what was only looked at.
pub(crate) fn shown(case: &Case, code: &str) -> Shown {
    let all = rehearsals(case);
    if let Some(broken) = all.iter().find_map(|(rehearsal, origin)| breach(case, rehearsal, *origin, code)) {
        return Shown::Broken(broken);
    }
    let passed = all
        .iter()
        .filter(|(_, origin)| *origin == Origin::ThisImage)
        .find_map(|(rehearsal, _)| held(case, rehearsal, code));
    if let Some(passed) = passed {
        return Shown::Passed(passed);
    }
    found(case, code).map_or(Shown::Nothing, Shown::Broken)
}

/// A line about a suspect: what a rehearsal that passed, or a finding that is only possible, says for or against it.
pub(crate) fn suspicion(case: &Case, code: &str) -> Option<Because> {
    match shown(case, code) {
        Shown::Passed(passed) => {
            let but = passed.caveats.join("; ");
            Some(because(format!("{}, but {but}", passed.text), &passed.evidence, 0.1))
        }
        Shown::Broken(_) => None,
        Shown::Nothing => {
            let possible = inspections(case).into_iter().find_map(|(inspection, _)| {
                let stands = |f: &&ImageFinding| {
                    FINDINGS.iter().any(|(kind, fault, _)| *kind == f.kind && *fault == code)
                };
                Some((inspection.findings.iter().find(stands)?, inspection.evidence.clone()))
            });
            if let Some((finding, evidence)) = possible {
                return Some(because(
                    format!("the inspection: {}", sentence(&finding.text)),
                    &[evidence],
                    3.0,
                ));
            }
            if code == "net.downstream_unreachable"
                && let Some((rehearsal, target)) =
                    rehearsals(case).into_iter().find_map(|(r, _)| Some((r, cut_off(r)?)))
            {
                let text = format!(
                    "in the rehearsal the process tried to reach {target}, which its network did not let it, and the rest stayed open"
                );
                return Some(because(text, std::slice::from_ref(&rehearsal.evidence), 20.0));
            }
            let offered = rehearsals(case).into_iter().find(|(r, origin)| {
                *origin == Origin::AsOffered
                    && r.passed == Some(true)
                    && HELD.iter().any(|held| held.fault == code)
            });
            let (rehearsal, _) = offered?;
            let text =
                "the rehearsed image passed; that it is the deployed one is the word of whoever offered it";
            Some(because(text, std::slice::from_ref(&rehearsal.evidence), 0.2))
        }
    }
}

/// The clause that a rehearsal broke, when it stands for the fault.
fn breach(case: &Case, rehearsal: &Rehearsal, origin: Origin, code: &str) -> Option<Broken> {
    rehearsal.clauses.iter().filter(|clause| clause.state == ClauseState::Broken).find_map(|clause| {
        let reason = match clause.reason.as_deref()? {
            // What ends of itself, and well, is no server; what fails is judged apart.
            "exited" if rehearsal.exit_code == Some(0) => "exited_cleanly",
            "signalled" if rehearsal.signal.is_some_and(|signal| CRASHES.contains(&signal)) => "crashed",
            "exited" if by_shell(rehearsal).is_some_and(|signal| CRASHES.contains(&signal)) => "crashed",
            "exec_format_error" => refused::reason(case, rehearsal, origin),
            reason => reason,
        };
        let row = BREACHES.iter().find(|row| row.clause == clause.name && row.reason == reason)?;
        let (_, certainty) = row.faults.iter().find(|(fault, _)| *fault == code)?;
        if !is_same_contract(case, rehearsal) && code.starts_with("contract.") {
            return None;
        }
        let evidence = vec![rehearsal.evidence.clone()];
        let mut unlike = differences(case, rehearsal, row.depends_on);
        unlike.extend(time(case, rehearsal, reason));
        // What another condition may have caused is not proved.
        let certainty = if unlike.is_empty() { *certainty } else { Certainty::Circumstantial };
        let mut lines = vec![because(sentence_of(clause, row.words, origin), &evidence, weight(certainty))];
        lines.extend(offered(origin, &evidence));
        lines.extend(unlike.into_iter().map(|how| because(format!("but {how}"), &evidence, 0.5)));
        Some(Broken { certainty, lines, finding: None })
    })
}

/// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV: what only the process itself brings about. Others may come from elsewhere.
const CRASHES: &[i64] = &[4, 5, 6, 7, 8, 11];

/// The signal for which a shell exits: it adds 128 to the number of what ended the program it ran.
fn by_shell(rehearsal: &Rehearsal) -> Option<i64> {
    rehearsal.exit_code?.checked_sub(128)
}

/// Why the time that a start took here may be another on the service's machines.
fn time(case: &Case, rehearsal: &Rehearsal, reason: &str) -> Option<String> {
    if !matches!(reason, "slow_start" | "nothing_listens" | "no_answer") {
        return None;
    }
    if rehearsal.emulated {
        return Some(
            "it ran on an emulated machine: what took too long here may be in time there".to_owned(),
        );
    }
    let listened =
        rehearsal.first_healthy_ms.or(rehearsal.first_listen_ms).filter(|_| reason == "slow_start")?;
    let limit = start_limit_seconds(case.combination.artifact) * 1000;
    (listened < limit + limit / 4).then(|| {
        "it was not much too late, and the service's machines may be faster than this one".to_owned()
    })
}

fn weight(certainty: Certainty) -> f64 {
    if certainty == Certainty::Proven { DIRECT } else { 20.0 }
}

fn sentence_of(clause: &Clause, words: &str, origin: Origin) -> String {
    let whose = match origin {
        Origin::ThisImage => "the rehearsal of this very image",
        Origin::AsOffered => "the rehearsal of the offered image",
    };
    let what = clause.text.as_deref().unwrap_or(&clause.name);
    let note = clause.note.as_deref().map(|note| format!(" ({})", sentence(note))).unwrap_or_default();
    format!("{whose} broke «{}»: {words}{note}", sentence(what))
}

fn offered(origin: Origin, evidence: &[EvidenceId]) -> Option<Because> {
    let text = "that it is the deployed image is the word of whoever offered it: the digests are not the same, or not known";
    (origin == Origin::AsOffered).then(|| because(text, evidence, 1.0))
}

/// Whether it was rehearsed under the runtime's protocol and port.
fn is_same_contract(case: &Case, rehearsal: &Rehearsal) -> bool {
    let protocol = rehearsal.protocol.as_deref();
    let same_protocol =
        protocol.is_none_or(|p| p.eq_ignore_ascii_case(&case.combination.protocol.to_string()));
    same_protocol
        && rehearsal.port.is_none_or(|port| case.runtime().is_none_or(|runtime| port == runtime.port()))
}

/// The clauses that speak against the fault, all held.
fn held(case: &Case, rehearsal: &Rehearsal, code: &str) -> Option<Passed> {
    let row = HELD.iter().find(|row| row.fault == code)?;
    if !is_same_contract(case, rehearsal) {
        return None;
    }
    // A record that lists no clauses: a pass says that it listened, was healthy and stayed so.
    let plain_pass = rehearsal.passed == Some(true) && rehearsal.clauses.is_empty();
    let state = |name: &str| rehearsal.clauses.iter().find(|c| c.name == name).map(|c| c.state);
    let holds = |name: &&&str| match state(name) {
        Some(ClauseState::Held) => true,
        // The protocol has no such clause: then its other clauses speak.
        Some(ClauseState::NotApplicable) => rehearsal.passed == Some(true),
        Some(_) => false,
        None => plain_pass && matches!(**name, "listens" | "healthy" | "answers"),
    };
    if !row.clauses.iter().all(|name| holds(&name)) {
        return None;
    }
    let caveats = differences(case, rehearsal, row.depends_on);
    let text = if rehearsal.passed == Some(true) {
        "a rehearsal of this very image passed".to_owned()
    } else {
        format!("in the rehearsal of this very image «{}» held", row.clauses.join("» and «"))
    };
    Some(Passed { text, evidence: vec![rehearsal.evidence.clone()], caveats })
}

/// A finding of an inspection that stands for the fault.
fn found(case: &Case, code: &str) -> Option<Broken> {
    inspections(case).into_iter().find_map(|(inspection, origin)| {
        // A program for another machine says more than the platform that the documents name.
        let (first, rest): (Vec<_>, Vec<_>) =
            inspection.findings.iter().partition(|finding| refused::is_of_a_program(finding));
        first.into_iter().chain(rest).find_map(|finding| {
            let (_, _, best) =
                FINDINGS.iter().find(|(kind, fault, _)| *kind == finding.kind && *fault == code)?;
            let certainty = match (finding.certainty, origin) {
                (FindingCertainty::Certain, Origin::ThisImage) => *best,
                (FindingCertainty::Certain, Origin::AsOffered) | (FindingCertainty::Likely, _) => {
                    Certainty::Circumstantial
                }
                (FindingCertainty::Possible, _) => return None,
            };
            let evidence = vec![inspection.evidence.clone()];
            let whose = match origin {
                Origin::ThisImage => "the inspection of this very image",
                Origin::AsOffered => "the inspection of the offered image",
            };
            let place = match (&finding.file, finding.line) {
                (Some(file), Some(line)) => format!(" ({file} line {line})"),
                (Some(file), None) => format!(" ({file})"),
                _ => String::new(),
            };
            let text = format!("{whose}: {}{place}", sentence(&finding.text));
            let mut lines = vec![because(text, &evidence, weight(certainty))];
            lines.extend(offered(origin, &evidence));
            Some(Broken { certainty, lines, finding: Some(finding.clone()) })
        })
    })
}

/// A sentence of a record without its full stop: it goes on in ours.
fn sentence(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}
