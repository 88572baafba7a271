//! What local experiments say about a fault, as the answer of its check: shared by the faults of image, process and contract.

use launchpath_model::world::{Clause, ClauseState};
use launchpath_model::{Gap, GapReason, Known};
use serde_json::json;

use super::{Check, Context, Finding};
use crate::case::{Case, Platform};
use crate::chain::Stage;
use crate::experiment::{self, Broken, Shown, shown};
use crate::repair::Repair;

/// The answer of the experiments. `Err`: they decide nothing; what would.
pub(super) fn answer(
    context: &Context,
    code: &str,
    subjects: Vec<String>,
    repair: impl Fn(&Case, &Broken) -> Option<Repair>,
) -> Result<Check, Vec<Gap>> {
    let case = context.case;
    match shown(case, code) {
        Shown::Broken(broken) => {
            let finding = Finding::new(broken.certainty, subjects, broken.lines.clone());
            let finding = finding.map(|finding| match repair(case, &broken) {
                Some(repair) => finding.with_repair(repair),
                None => finding,
            });
            Ok(Check::found(finding))
        }
        Shown::Passed(passed) if passed.caveats.is_empty() => {
            Ok(Check::ruled_out(passed.text, passed.evidence))
        }
        Shown::Passed(passed) => Err(vec![Gap {
            what: "how the image behaves under the service's contract, as the service runs it".to_owned(),
            reason: GapReason::NotVisible {
                why: format!("{}, but {}", passed.text, passed.caveats.join("; ")),
            },
            evidence: passed.evidence,
            command: case.rehearse_command(),
        }]),
        Shown::Nothing => Err(vec![unrehearsed(case)]),
    }
}

/// Nobody ran the image, or the run says nothing of the fault: why not, and what would tell.
pub(super) fn unrehearsed(case: &Case) -> Gap {
    let what = "how the image starts under the service's contract".to_owned();
    let Some((rehearsal, _)) = experiment::rehearsals(case).into_iter().next() else {
        return Gap {
            what,
            reason: GapReason::NotAsked,
            evidence: Vec::new(),
            command: case.rehearse_command(),
        };
    };
    let quoted = |clause: &Clause| clause.text.clone().unwrap_or_else(|| clause.name.clone());
    let broken = rehearsal.clauses.iter().find(|clause| clause.state == ClauseState::Broken);
    let (why, command) = match (experiment::undecided(rehearsal), broken) {
        (Some(clause), _) => {
            let note = clause.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            let command = match experiment::cut_off(rehearsal) {
                Some(_) => case.rehearse_in_vpc_command(),
                None => case.rehearse_command(),
            };
            (format!("a rehearsal left «{}» undecided{note}", quoted(clause)), command)
        }
        (None, Some(clause)) => (
            format!("a rehearsal broke «{}», which says nothing of this fault", quoted(clause)),
            case.rehearse_command(),
        ),
        (None, None) if rehearsal.passed == Some(false) => {
            ("in the rehearsal the process did not get that far".to_owned(), case.rehearse_command())
        }
        (None, None) => ("a rehearsal does not show it either way".to_owned(), case.rehearse_command()),
    };
    let evidence = vec![rehearsal.evidence.clone()];
    Gap { what, reason: GapReason::NotVisible { why }, evidence, command }
}

/// The image's address, as the subject of a fault of the image.
pub(super) fn image_subject(case: &Case) -> Vec<String> {
    case.runtime().and_then(|r| r.container_uri()).map(str::to_owned).into_iter().collect()
}

/// The runtime's id, as the subject of a fault of its configuration or contract.
pub(super) fn runtime_subject(case: &Case) -> Vec<String> {
    case.id.iter().map(ToString::to_string).collect()
}

/// A call that the version which runs now has answered: what a later one meets is not its port, path or protocol.
pub(super) fn answered_before(case: &Case) -> Option<Check> {
    let since = case.changed_at()?;
    let call = case
        .invocations()
        .into_iter()
        .find(|call| call.was_answered() && call.at.is_some_and(|at| at >= since))?;
    let when = call.at.map(|at| format!(" at {at}")).unwrap_or_default();
    let text = format!("the same version answered an invocation{when}, over the same protocol");
    Some(Check::ruled_out(text, vec![call.evidence.clone()]))
}

/// What the log could have said, when it could not be read or is empty.
pub(super) fn unread_log(case: &Case) -> Option<Gap> {
    let group = case.log_group().unwrap_or_default();
    match case.log_lines() {
        Known::Unknown(gap) => Some(gap),
        Known::Absent(absence) => Some(Gap {
            what: format!("log lines of {group}"),
            reason: GapReason::NotVisible {
                why: "the log is empty, which proves nothing of the process".to_owned(),
            },
            evidence: absence.evidence().to_vec(),
            command: Some(case.command("logs", "FilterLogEvents", &json!({ "logGroupName": group }))),
        }),
        Known::Known(_) => None,
    }
}

/// The stage of a failing health probe: on V2 a READY runtime was healthy at its build, and what fails is the restored session.
pub(super) fn health_stage(case: &Case) -> Stage {
    if case.combination.platform == Platform::V2 && case.is_ready() {
        Stage::SessionHealth
    } else {
        Stage::Health
    }
}

/// Whether the launch breaks at the health probe, or may.
pub(super) fn fails_at_health(context: &Context) -> bool {
    context.progress.in_break(health_stage(context.case))
}
