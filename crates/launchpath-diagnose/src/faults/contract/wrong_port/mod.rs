//! `contract.wrong_port`: nothing listens where the service calls: another port, or the loopback address only.

use launchpath_model::EvidenceId;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::image::config;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log::{self, Listener};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.wrong_port",
    title: "Nothing listens on the port that the service calls",
    stage: Stage::Health,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "GetImageConfig", "FilterLogEvents", "Rehearse", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(runtime) = case.runtime() else {
        return Check::unknown(trial::unrehearsed(case));
    };
    let port = runtime.port();
    if let Some(finding) = in_log(context, port) {
        return Check::found(Some(finding));
    }
    let open = match trial::answer(context, FAULT.code, trial::runtime_subject(case), mend) {
        Ok(check) => return check,
        Err(open) => open,
    };
    if let Some(answered) = trial::answered_before(case) {
        return answered;
    }
    if let Some(finding) = in_config(context, port) {
        return Check::found(Some(finding));
    }
    Check::Unknown(trial::unread_log(case).into_iter().chain(open).collect())
}

/// What the process says of where it listens: another port for sure, the loopback address perhaps.
fn in_log(context: &Context, port: u16) -> Option<Finding> {
    let all = process_log::listeners(context.case);
    // A process may have several: one on the right port is enough, whatever else there is.
    let last = all.last()?;
    let of_process: Vec<&Listener> = all.iter().filter(|listener| listener.stream == last.stream).collect();
    let right: Vec<&&Listener> = of_process.iter().filter(|listener| listener.port == port).collect();
    let fails = trial::fails_at_health(context);
    let (certainty, text, weight) = if right.is_empty() {
        let certainty = if fails { Certainty::Proven } else { Certainty::Circumstantial };
        (
            certainty,
            format!(
                "the process says that it listens on port {}, and the service calls port {port}",
                last.port
            ),
            DIRECT,
        )
    } else if fails && right.iter().all(|listener| listener.is_loopback()) {
        // Field reports warn of it; none proves that the probe cannot reach it.
        let text = format!("the process listens on the loopback address only, port {port}");
        (Certainty::Circumstantial, text, 10.0)
    } else {
        return None;
    };
    let evidence = [last.evidence.clone()];
    let lines = vec![because(format!("{text}: {}", last.line), &evidence, weight)];
    let finding = Finding::new(certainty, trial::runtime_subject(context.case), lines)?;
    Some(finding.with_repair(bind(context.case, port)))
}

/// A port that the image declares, or that its environment sets: a hint, and only while something fails at the probe.
fn in_config(context: &Context, port: u16) -> Option<Finding> {
    if !trial::fails_at_health(context) {
        return None;
    }
    let (text, evidence) = declared(context.case, port).or_else(|| set(context.case, port))?;
    let finding = Finding::new(
        Certainty::Circumstantial,
        trial::runtime_subject(context.case),
        vec![because(format!("{text}; the service calls port {port}"), &evidence, 4.0)],
    )?;
    Some(finding.with_repair(bind(context.case, port)))
}

fn declared(case: &Case, port: u16) -> Option<(String, Vec<EvidenceId>)> {
    let (config, evidence) = config::config(case)?;
    let declared = config.config.as_ref()?.exposed_ports.as_ref()?;
    let ports: Vec<u16> = declared.keys().filter_map(|key| key.split('/').next()?.parse().ok()).collect();
    // The default port of another protocol is `contract.protocol_mismatch`, unless the runtime names a port of its own.
    let named =
        case.runtime()?.protocol_configuration.as_ref().is_some_and(|protocol| protocol.port.is_some());
    let of_another_protocol = ports.iter().any(|port| matches!(port, 8000 | 8080 | 9000));
    if ports.is_empty() || ports.contains(&port) || (of_another_protocol && !named) {
        return None;
    }
    let list: Vec<String> = ports.iter().map(ToString::to_string).collect();
    Some((format!("the image declares port {}", list.join(", ")), evidence))
}

/// `PORT` in the image's own environment, which many servers follow.
fn set(case: &Case, port: u16) -> Option<(String, Vec<EvidenceId>)> {
    let (config, evidence) = config::config(case)?;
    let environment = config.config.as_ref()?.env.as_ref()?;
    let value = environment.iter().find_map(|entry| entry.strip_prefix("PORT="))?;
    let other: u16 = value.parse().ok().filter(|other| *other != port)?;
    Some((format!("the image sets PORT={other}, which many servers follow"), evidence))
}

fn mend(case: &Case, _: &Broken) -> Option<Repair> {
    Some(bind(case, case.runtime()?.port()))
}

fn bind(case: &Case, port: u16) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        format!("Make the server listen on 0.0.0.0:{port}; build again"),
        Safety::Review,
        changes,
    );
    repair.steps = vec![
        format!(
            "# for example: uvicorn.run(app, host=\"0.0.0.0\", port={port}); with the AgentCore SDK: ENV DOCKER_CONTAINER=1"
        ),
        "# or name the server's port on the runtime: --protocol-configuration serverProtocol=…,port=…"
            .to_owned(),
    ];
    repair.assumes = Some("the server then answers its health probe".to_owned());
    repair
}
