//! The runtime: who asks, the runtime's configuration, versions and endpoints.

use serde_json::{Value, json};

use super::{Known, Planned, Step, text};

const CONTROL: &str = "bedrock-agentcore-control";

/// `by_name`: an id must be looked up before anything of the runtime can be asked.
pub(super) fn steps(by_name: bool) -> Vec<Step> {
    let id = || if by_name { vec!["runtimes"] } else { Vec::new() };
    vec![
        Step {
            name: "caller",
            needs: vec![],
            operations: &[("sts", "GetCallerIdentity")],
            when: "",
            asks: |_| vec![Planned::new("sts", "GetCallerIdentity", json!({}))],
        },
        Step {
            name: "runtimes",
            needs: vec![],
            operations: &[(CONTROL, "ListAgentRuntimes")],
            when: "",
            asks: |_| vec![Planned::new(CONTROL, "ListAgentRuntimes", json!({}))],
        },
        Step {
            name: "runtime",
            needs: id(),
            operations: &[(CONTROL, "GetAgentRuntime")],
            when: "",
            asks: |known| of_each(known, "GetAgentRuntime"),
        },
        Step {
            name: "endpoints",
            needs: id(),
            operations: &[(CONTROL, "ListAgentRuntimeEndpoints")],
            when: "",
            asks: |known| of_each(known, "ListAgentRuntimeEndpoints"),
        },
        Step {
            name: "versions",
            needs: id(),
            operations: &[(CONTROL, "ListAgentRuntimeVersions")],
            when: "",
            asks: |known| of_each(known, "ListAgentRuntimeVersions"),
        },
        Step {
            name: "live version",
            needs: vec!["runtime", "endpoints"],
            operations: &[(CONTROL, "GetAgentRuntime")],
            when: "the endpoint serves another version than the latest",
            asks: live_versions,
        },
    ]
}

fn of_each(known: &Known, operation: &'static str) -> Vec<Planned> {
    let ids = known.subjects().into_iter().map(|subject| subject.id);
    ids.map(|id| Planned::new(CONTROL, operation, json!({"agentRuntimeId": id}))).collect()
}

fn live_versions(known: &Known) -> Vec<Planned> {
    let mut asks = Vec::new();
    for subject in known.subjects() {
        let latest = subject.runtime.and_then(|runtime| text(runtime, "/agentRuntimeVersion"));
        let endpoints = known
            .answers(CONTROL, "ListAgentRuntimeEndpoints")
            .filter(|(record, _)| text(&record.request, "/agentRuntimeId") == Some(&subject.id))
            .filter_map(|(_, answer)| answer.get("runtimeEndpoints")?.as_array())
            .flatten();
        let live = endpoints
            .filter(|endpoint| text(endpoint, "/name") == Some(&known.endpoint))
            .find_map(|endpoint| endpoint.get("liveVersion").and_then(Value::as_str));
        if let Some(version) = live.filter(|version| latest.is_some_and(|latest| latest != *version)) {
            asks.push(Planned::new(
                CONTROL,
                "GetAgentRuntime",
                json!({"agentRuntimeId": subject.id, "agentRuntimeVersion": version}),
            ));
        }
    }
    asks
}
