//! `logs.app_silent`: the process runs and prints nothing that the service forwards.

use launchpath_model::{EvidenceId, Gap, GapReason, Known};
use serde_json::json;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Because;
use crate::experiment;
use crate::faults::image::config;
use crate::faults::logs::{kms_unusable, role_cannot_write};
use crate::faults::{Certainty, Check, Context, Fault, Finding, because};
use crate::paths::Paths;
use crate::process_log;
use crate::silence::{self, Shape};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "logs.app_silent",
    title: "The process prints nothing that the service forwards",
    stage: Stage::LogDelivery,
    since: "0.1.0",
    prior: 2.0,
    needs: &[
        "GetAgentRuntime",
        "FilterLogEvents",
        "DescribeLogGroups",
        "DescribeLogStreams",
        "InvokeAgentRuntime",
        "BatchGetImage",
        "GetImageConfig",
        "InspectImage",
    ],
    check,
    doc: include_str!("doc.md"),
};

/// Faults of the way to CloudWatch Logs.
const WAYS: &[&str] = &[
    "net.missing_vpc_endpoint",
    "net.no_egress_route",
    "net.public_subnet_no_nat",
    "net.endpoint_sg_blocks",
    "net.runtime_sg_egress_blocks",
    "net.nacl",
];

/// Main stages that show that a process ran.
const RAN: &[Stage] = &[Stage::Health, Stage::SessionHealth, Stage::Request, Stage::Response];

fn check(context: &Context) -> Check {
    let case = context.case;
    let silent = match case.log_lines() {
        Known::Known(fact) => {
            return match process_log::lines(case).last() {
                Some(line) => {
                    Check::ruled_out("the log group holds lines of the process", vec![line.evidence.clone()])
                }
                None => Check::unknown(older(case, fact.evidence)),
            };
        }
        Known::Unknown(gap) => return Check::unknown(gap),
        Known::Absent(absence) => absence.evidence().to_vec(),
    };
    let ran = RAN.iter().find_map(|stage| context.progress.traces.get(stage)?.first());
    let Some(ran) = ran else {
        return Check::unknown(Gap {
            what: "whether the process ran at all".to_owned(),
            reason: GapReason::NotVisible {
                why: "an empty log alone does not tell a silent process from none".to_owned(),
            },
            evidence: silent,
            command: None,
        });
    };
    if let Some(open) = lost_on_the_way(context) {
        return open;
    }
    let mut lines = vec![
        because(format!("the process ran ({}) and the log group holds no line", ran.text), &silent, 4.0),
        because(
            "a process that runs and whose lines do not arrive is silent, or may not write, or cannot reach CloudWatch Logs",
            &ran.evidence,
            1.0,
        ),
    ];
    if let Some((shape, evidence)) = silence::shape(case) {
        if let Shape::LinesElsewhere(..) = shape {
            return Check::unknown(unread(case, &shape, evidence));
        }
        lines.push(because(shape.text(&case.log_group().unwrap_or_default()), &evidence, 1.0));
    }
    lines.extend(buffered(case));
    lines.extend(quiet_server(case));
    Check::found(Finding::new(
        Certainty::Circumstantial,
        case.id.iter().map(ToString::to_string).collect(),
        lines,
    ))
}

/// Lines of an older version say nothing of the present one.
fn older(case: &Case, evidence: Vec<EvidenceId>) -> Gap {
    let group = case.log_group().unwrap_or_default();
    Gap {
        what: format!("lines of the present version in {group}"),
        reason: GapReason::NotVisible { why: "what was read is older than the present version".to_owned() },
        evidence,
        command: Some(case.command("logs", "FilterLogEvents", &json!({ "logGroupName": group }))),
    }
}

/// The lines are there, and nobody read them.
fn unread(case: &Case, shape: &Shape, evidence: Vec<EvidenceId>) -> Gap {
    let group = case.log_group().unwrap_or_default();
    Gap {
        what: format!("log lines of {group}"),
        reason: GapReason::NotVisible { why: shape.text(&group) },
        evidence,
        command: Some(case.command("logs", "FilterLogEvents", &json!({ "logGroupName": group }))),
    }
}

/// AgentCore's own server logs warnings only, and no requests, unless it is made with `debug=True`.
///
/// <https://github.com/aws/bedrock-agentcore-sdk-python>, `runtime/app.py`
fn quiet_server(case: &Case) -> Option<Because> {
    let installed = case.distributions();
    let version = installed.get("bedrock-agentcore")?;
    let evidence: Vec<EvidenceId> = experiment::inspections(case)
        .into_iter()
        .map(|(inspection, _)| inspection.evidence.clone())
        .collect();
    let text = format!(
        "the image holds bedrock-agentcore {version}, whose server logs at the level of warnings unless it is made with debug=True"
    );
    (!evidence.is_empty()).then(|| because(text, &evidence, 2.0))
}

/// A role that may not write, a key that CloudWatch Logs may not use, or a blocked way to it leaves the log empty whatever is
/// printed; where that is so, or not known, the silence is not the process's for sure.
fn lost_on_the_way(context: &Context) -> Option<Check> {
    let ways = WAYS.iter().map(|code| Paths::check(context, code));
    let mut open = Vec::new();
    // A group seldom has a key of its own: only one that is seen raises the question.
    let key = has_key(context.case).then(|| kms_unusable::check(context));
    for check in std::iter::once(role_cannot_write::check(context)).chain(key).chain(ways) {
        match check {
            Check::Found(findings) => {
                let Some(found) = findings.into_iter().find(|found| found.stage.is_none_or(Stage::is_side))
                else {
                    continue;
                };
                let why = found.because.first().map(|line| line.text.clone()).unwrap_or_default();
                return Some(Check::unknown(Gap {
                    what: "whether the process prints anything".to_owned(),
                    reason: GapReason::NotVisible { why: format!("nothing it prints could arrive: {why}") },
                    evidence: found.evidence(),
                    command: None,
                }));
            }
            Check::Unknown(gaps) => open.extend(gaps),
            Check::RuledOut(_) | Check::NotApplicable(_) => {}
        }
    }
    open.dedup();
    (!open.is_empty()).then_some(Check::Unknown(open))
}

fn has_key(case: &Case) -> bool {
    let group = case.log_group().unwrap_or_default();
    case.world.log_groups.seen(&group).is_some_and(|row| row.value.kms_key_id.is_some())
}

/// Python keeps what it prints in a buffer when nobody watches, unless the image says otherwise.
fn buffered(case: &Case) -> Option<Because> {
    let (config, evidence) = config::config(case)?;
    let process = config.config.as_ref()?;
    let command = process.entrypoint.iter().chain(&process.cmd).flatten();
    let python =
        command.clone().any(|word| word.rsplit('/').next().is_some_and(|name| name.starts_with("python")));
    let unbuffered = process.env.iter().flatten().any(|entry| entry.starts_with("PYTHONUNBUFFERED="))
        || command.clone().any(|word| word == "-u");
    (python && !unbuffered).then(|| {
        because("the image starts Python without PYTHONUNBUFFERED: lines stay in its buffer", &evidence, 2.0)
    })
}
