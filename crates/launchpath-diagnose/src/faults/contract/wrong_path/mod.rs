//! `contract.wrong_path`: the server answers, but not on the path, or not with the success, that the service asks for.

use launchpath_model::aws::agentcore::ServerProtocol;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::experiment::Broken;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log::{self, Request};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "contract.wrong_path",
    title: "A path of the contract is missing or answers with an error",
    stage: Stage::Health,
    since: "0.1.0",
    prior: 1.0,
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
        Some(serve(case))
    }) {
        Ok(check) => return check,
        Err(open) => open,
    };
    if let Some(answered) = trial::answered_before(case) {
        return answered;
    }
    Check::Unknown(trial::unread_log(case).into_iter().chain(open).collect())
}

fn in_log(case: &Case) -> Option<Finding> {
    let runtime = case.runtime()?;
    let requests = process_log::requests(case);
    let ping = |request: &&Request| request.path.trim_end_matches('/') == "/ping" && request.method == "GET";
    // MCP has no such probe; 405 is the mark of another protocol, 421 of a guard that refuses the host.
    let probed = runtime.protocol() != ServerProtocol::Mcp;
    let refused_probe = requests
        .iter()
        .rfind(ping)
        .filter(|request| probed && request.status >= 300 && !matches!(request.status, 405 | 421));
    let path = runtime.path();
    let asked = |request: &&Request| request.path == path && request.method == "POST";
    // Where the path was served before, the route is there: what is refused then is what came with the request.
    let served = requests.iter().filter(asked).any(|request| (200..300).contains(&request.status));
    let refused_path = requests
        .iter()
        .rfind(asked)
        .filter(|request| !served && matches!(request.status, 301 | 302 | 307 | 308 | 404 | 405));
    let (request, what) = match (refused_probe, refused_path) {
        (Some(request), _) => (request, "health probe".to_owned()),
        (None, Some(request)) => (request, format!("request to {path}")),
        (None, None) => return None,
    };
    let text = format!("the server answers the {what} with {}: {}", request.status, request.line);
    let lines = vec![because(text, std::slice::from_ref(&request.evidence), DIRECT)];
    let stage = if refused_probe.is_some() { trial::health_stage(case) } else { Stage::Response };
    let finding = Finding::new(Certainty::Proven, trial::runtime_subject(case), lines)?;
    Some(finding.at(stage).with_repair(serve(case)))
}

fn serve(case: &Case) -> Repair {
    let path = case.runtime().map(launchpath_model::aws::agentcore::Runtime::path).unwrap_or_default();
    let changes = case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }).collect();
    let mut repair = Repair::new(
        format!(
            "Serve the paths of the contract without a redirect: GET /ping with 200 and JSON, POST {path}"
        ),
        Safety::Review,
        changes,
    );
    repair.steps = vec![format!(
        "# try it: curl -si http://127.0.0.1:PORT/ping and curl -si -X POST http://127.0.0.1:PORT{path}"
    )];
    repair.assumes = Some("the server then answers with a success".to_owned());
    repair
}
