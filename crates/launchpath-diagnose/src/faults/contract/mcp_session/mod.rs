//! `contract.mcp_session`: a stateful MCP server refuses the session ids that the service sends.

use launchpath_model::aws::agentcore::ServerProtocol;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.mcp_session",
    title: "The MCP server refuses the session that the service sends",
    stage: Stage::Response,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "FilterLogEvents", "InvokeAgentRuntime", "Rehearse"],
    check,
    doc: include_str!("doc.md"),
};

/// What MCP servers answer to a session they do not know; lower case. Source: the messages of the Python and TypeScript SDKs.
const REFUSALS: &[&str] =
    &["no valid session id provided", "missing session id", "session not found", "invalid session id"];

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.runtime().is_some() && case.combination.protocol != ServerProtocol::Mcp {
        return Check::NotApplicable("the protocol is not MCP");
    }
    if let Some(finding) = in_log(case) {
        return Check::found(Some(finding));
    }
    match trial::answer(context, FAULT.code, trial::runtime_subject(case), |case, _: &Broken| {
        Some(stateless(case))
    }) {
        Ok(check) => check,
        Err(open) => Check::Unknown(trial::unread_log(case).into_iter().chain(open).collect()),
    }
}

fn in_log(case: &Case) -> Option<Finding> {
    let said = process_log::lines(case).into_iter().rfind(|line| {
        let lower = line.message.to_lowercase();
        REFUSALS.iter().any(|refusal| lower.contains(refusal))
    });
    let path = case.runtime()?.path();
    let requests = process_log::requests(case);
    let refused =
        requests.iter().rfind(|r| r.method == "POST" && r.path == path && matches!(r.status, 400 | 404));
    // A refusal after a success on the same path: the route is there, what came with the request is refused.
    let served =
        requests.iter().any(|r| r.method == "POST" && r.path == path && (200..300).contains(&r.status));
    let (certainty, line, evidence) = match (said, refused) {
        (Some(line), _) => (Certainty::Proven, process_log::excerpt(&line.message), line.evidence.clone()),
        (None, Some(request)) if served => {
            (Certainty::Circumstantial, request.line.clone(), request.evidence.clone())
        }
        _ => return None,
    };
    let weight = if certainty == Certainty::Proven { DIRECT } else { 10.0 };
    let text = format!("the server refuses a request after its session began: {line}");
    let finding =
        Finding::new(certainty, trial::runtime_subject(case), vec![because(text, &[evidence], weight)])?;
    Some(finding.with_repair(stateless(case)))
}

fn stateless(case: &Case) -> Repair {
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        "Run the MCP server without sessions of its own (stateless HTTP)",
        Safety::Review,
        changes,
    );
    repair.steps = vec![
        "# for example: FastMCP(…, stateless_http=True), and mcp.run(transport=\"streamable-http\")"
            .to_owned(),
    ];
    repair.assumes = Some("no tool of the server keeps state in a session".to_owned());
    repair
}
