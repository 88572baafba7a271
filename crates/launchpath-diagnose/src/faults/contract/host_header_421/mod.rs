//! `contract.host_header_421`: a guard in the server refuses the host name that the service calls it by.

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.host_header_421",
    title: "A host guard in the server refuses the service's requests",
    stage: Stage::Health,
    since: "0.1.0",
    prior: 0.5,
    needs: &["GetAgentRuntime", "FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some(finding) = in_log(case) {
        return Check::found(Some(finding));
    }
    let open = match trial::answer(context, FAULT.code, trial::runtime_subject(case), |case, _: &Broken| {
        Some(allow(case))
    }) {
        Ok(check) => return check,
        Err(open) => open,
    };
    if let Some(answered) = trial::answered_before(case) {
        return answered;
    }
    Check::Unknown(trial::unread_log(case).into_iter().chain(open).collect())
}

/// A request answered with 421, or a line of the guard itself.
fn in_log(case: &Case) -> Option<Finding> {
    let refused = process_log::requests(case).into_iter().rfind(|request| request.status == 421);
    let guard = || {
        process_log::lines(case).into_iter().rfind(|line| {
            let lower = line.message.to_lowercase();
            lower.contains("invalid host header") || lower.contains("misdirected request")
        })
    };
    let (line, evidence, certainty) = if let Some(request) = refused {
        (request.line, request.evidence, Certainty::Proven)
    } else {
        let line = guard()?;
        (process_log::excerpt(&line.message), line.evidence.clone(), Certainty::Circumstantial)
    };
    let weight = if certainty == Certainty::Proven { DIRECT } else { 20.0 };
    let lines = vec![because(
        format!("the server refuses the host name it is called by: {line}"),
        &[evidence],
        weight,
    )];
    let finding = Finding::new(certainty, trial::runtime_subject(case), lines)?;
    Some(finding.at(trial::health_stage(case)).with_repair(allow(case)))
}

fn allow(case: &Case) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        "Let the server's host guard admit every host, or switch it off: the service is the only caller",
        Safety::Review,
        changes,
    );
    repair.steps = vec![
        "# for example: TransportSecuritySettings(enable_dns_rebinding_protection=False), or allowed_hosts=[\"*\"]".to_owned(),
    ];
    repair.assumes = Some("the server then answers its health probe".to_owned());
    repair
}
