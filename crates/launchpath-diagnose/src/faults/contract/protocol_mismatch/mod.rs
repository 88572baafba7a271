//! `contract.protocol_mismatch`: the runtime is configured for another protocol than the container speaks.

use launchpath_model::aws::agentcore::ServerProtocol;
use launchpath_model::{EvidenceId, Gap, GapReason};

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment;
use crate::experiment::Broken;
use crate::faults::image::config;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log::{self, Request};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.protocol_mismatch",
    title: "The configured protocol is not the one the container speaks",
    stage: Stage::Health,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "GetImageConfig", "FilterLogEvents", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(runtime) = case.runtime() else {
        return Check::unknown(case.undescribed("the runtime's protocol"));
    };
    let protocol = runtime.protocol();
    let subjects = vec![case.id.as_ref().map(ToString::to_string).unwrap_or_default()];
    if let Some((line, evidence)) = refused_probe(case) {
        let lines = vec![
            because(
                format!("the container answers the {protocol} health probe with 405: {line}"),
                &[evidence],
                DIRECT,
            ),
            because(format!("the runtime is configured for {protocol}"), &case.runtime_evidence(), 1.0),
        ];
        return Check::found(Finding::new(Certainty::Proven, subjects, lines));
    }
    if let Some((clause, evidence)) = clause_broken(case) {
        let line = because(format!("the rehearsal broke the clause «{clause}»"), &[evidence], DIRECT);
        return Check::found(Finding::new(Certainty::Proven, subjects, vec![line]));
    }
    let open = match trial::answer(context, FAULT.code, subjects.clone(), |case, _: &Broken| {
        Some(set_protocol(case))
    }) {
        Ok(check) => return check,
        Err(open) => open,
    };
    if let Some(answered) = trial::answered_before(case) {
        return answered;
    }
    // A declared port is a remark of whoever wrote the Dockerfile: it counts only while something fails at the probe.
    let fails = context.progress.in_break(FAULT.stage);
    if let Some((ports, evidence)) = declared_ports(case).filter(|_| fails) {
        let configured = runtime.port();
        let other = [(ServerProtocol::Mcp, 8000), (ServerProtocol::A2a, 9000), (ServerProtocol::Http, 8080)]
            .into_iter()
            .find(|(other, port)| *port != configured && ports.contains(port) && *other != protocol);
        if let Some((other, port)) = other.filter(|_| !ports.contains(&configured)) {
            let lines = vec![because(
                format!(
                    "the image declares port {port}, the default of {other}; the runtime is configured for {protocol} on {configured}"
                ),
                &evidence,
                8.0,
            )];
            return Check::found(Finding::new(Certainty::Circumstantial, subjects, lines));
        }
    }
    let mut gaps = vec![unspoken(case)];
    gaps.extend(open);
    Check::Unknown(gaps)
}

fn set_protocol(case: &Case) -> Repair {
    let mut repair = Repair::new(
        "Set the protocol that the container speaks on the runtime, or serve the configured one",
        Safety::Review,
        case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect(),
    );
    repair.steps = vec![
        "# update-agent-runtime replaces every member: send the present ones and --protocol-configuration serverProtocol=MCP (or HTTP, A2A, AGUI)"
            .to_owned(),
    ];
    repair.assumes = Some("the container speaks the protocol that is then configured".to_owned());
    repair
}

fn unspoken(case: &Case) -> Gap {
    let what = "which protocol the container speaks".to_owned();
    Gap { what, reason: GapReason::NotAsked, evidence: Vec::new(), command: case.rehearse_command() }
}

/// An access-log line of the current version that shows the probe refused with 405. MCP has no such probe.
fn refused_probe(case: &Case) -> Option<(String, EvidenceId)> {
    if case.combination.protocol == ServerProtocol::Mcp {
        return None;
    }
    let probe = |request: &Request| request.method == "GET" && request.path == "/ping";
    let last = process_log::requests(case).into_iter().rfind(probe)?;
    (last.status == 405).then_some((last.line, last.evidence))
}

fn clause_broken(case: &Case) -> Option<(String, EvidenceId)> {
    let offered = experiment::rehearsals(case).into_iter();
    offered.map(|(rehearsal, _)| rehearsal).filter(|r| r.clauses.is_empty()).find_map(|rehearsal| {
        let clause = rehearsal.broken_clause.clone()?;
        let lower = clause.to_lowercase();
        (lower.contains("protocol") || lower.contains("405")).then(|| (clause, rehearsal.evidence.clone()))
    })
}

fn declared_ports(case: &Case) -> Option<(Vec<u16>, Vec<EvidenceId>)> {
    let (config, evidence) = config::config(case)?;
    let declared = config.config.as_ref()?.exposed_ports.as_ref()?;
    let ports: Vec<u16> = declared.keys().filter_map(|key| key.split('/').next()?.parse().ok()).collect();
    (!ports.is_empty()).then_some((ports, evidence))
}
