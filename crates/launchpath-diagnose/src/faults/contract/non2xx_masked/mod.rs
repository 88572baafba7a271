//! `contract.non2xx_masked`: the process answers with an error status, and the caller sees only the number.

use launchpath_model::service;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.non2xx_masked",
    title: "The process answers with an error status, and the caller sees only the number",
    stage: Stage::Response,
    since: "0.1.0",
    prior: 2.0,
    needs: &["InvokeAgentRuntime", "FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some((status, evidence)) = status(case) {
        let mut lines = vec![because(
            format!(
                "the process answered the request with {status}; the service passes on the number and drops the body"
            ),
            &evidence,
            DIRECT,
        )];
        let logged = process_log::requests(case).into_iter().rfind(|request| request.status == status);
        lines
            .extend(logged.map(|r| because(format!("the server logged it: {}", r.line), &[r.evidence], 2.0)));
        let finding = Finding::new(Certainty::Proven, trial::runtime_subject(case), lines);
        return Check::found(finding.map(|finding| finding.with_repair(envelope(case, status))));
    }
    match trial::answer(context, FAULT.code, trial::runtime_subject(case), |case, _: &Broken| {
        Some(envelope(case, 400))
    }) {
        Ok(check) => check,
        Err(open) => Check::Unknown(open),
    }
}

/// The status in the service's own error text. 502 also stands for no valid answer at all, and says nothing.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-troubleshooting.html>
fn status(case: &Case) -> Option<(u16, Vec<launchpath_model::EvidenceId>)> {
    let symptom = case.symptom().filter(|symptom| !symptom.reported)?;
    let known = service::recognise_error(&symptom.text).filter(|known| known.id == "answered_with_error")?;
    let lower = symptom.text.to_lowercase();
    let (_, rest) = lower.split_once(known.contains.first()?.as_str())?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let status: u16 = digits.parse().ok().filter(|status| (300..600).contains(status) && *status != 502)?;
    Some((status, symptom.evidence))
}

fn envelope(case: &Case, status: u16) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        format!("Mend what answers {status}; log the reason and answer errors in the body with status 200"),
        Safety::Review,
        changes,
    );
    let first = match status {
        422 | 400 => "# the payload has not the shape that the handler asks for",
        404 => "# the path is not registered",
        401 | 403 => "# the process itself refuses the caller: its own check, not IAM",
        _ => "# the handler raises: its traceback stands in the log",
    };
    repair.steps = vec![first.to_owned()];
    repair.assumes = Some("the handler then answers".to_owned());
    repair
}
