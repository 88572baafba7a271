//! What the question is about: whether the runtime has the endpoint that was named.
//!
//! Not whether a call names the wrong one: that is the fault `client.wrong_target`. A diagnosis of an endpoint that is not there
//! would speak of nothing, and of the wrong log group. Start with [`absent_endpoint`].

use launchpath_model::world::DEFAULT_ENDPOINT;
use launchpath_model::{EvidenceId, Known, World};

use crate::case::Case;
use crate::diagnosis::Warning;

/// An endpoint that the runtime proves not to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentEndpoint {
    /// The name that was given.
    pub wanted: String,
    /// The runtime's id.
    pub runtime: String,
    /// The names of the endpoints it has.
    pub there: Vec<String>,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
}

/// The endpoint asked about, when a complete look-up does not have it and no recorded call went there.
pub fn absent_endpoint(world: &World) -> Option<AbsentEndpoint> {
    let case = Case::new(world);
    let id = case.id.clone()?;
    let called = world.invocations.iter().any(|call| call.qualifier == case.endpoint);
    let Known::Absent(absence) = case.known_endpoint(&case.endpoint) else { return None };
    if called || case.endpoint == DEFAULT_ENDPOINT {
        return None;
    }
    let of_runtime = world.runtime_endpoints.iter().filter(|((runtime, _), _)| *runtime == id);
    Some(AbsentEndpoint {
        wanted: case.endpoint,
        runtime: id.to_string(),
        there: of_runtime.map(|((_, name), _)| name.clone()).collect(),
        evidence: absence.evidence().to_vec(),
    })
}

/// The remark that the endpoint asked about is not there, or that nothing shows whether it is.
pub(crate) fn warning(case: &Case) -> Option<Warning> {
    if case.endpoint == DEFAULT_ENDPOINT {
        return None;
    }
    let id = case.id.as_ref()?;
    if let Some(absent) = absent_endpoint(case.world) {
        let there = if absent.there.is_empty() { "none".to_owned() } else { absent.there.join(", ") };
        return Some(Warning {
            code: "endpoint.absent".to_owned(),
            title: format!("{id} has no endpoint {}", absent.wanted),
            text: format!(
                "its endpoints are {there}; what is said here of the endpoint and its log group is about nothing"
            ),
            evidence: absent.evidence,
            command: None,
        });
    }
    let Known::Unknown(gap) = case.known_endpoint(&case.endpoint) else { return None };
    // A call that was let in shows the endpoint, whoever did not list it.
    let answered = case.latest_invocation().is_some_and(|call| call.outcome == launchpath_model::Outcome::Ok);
    (!answered).then(|| Warning {
        code: "endpoint.unknown".to_owned(),
        title: format!("nothing shows that {id} has an endpoint {}", case.endpoint),
        text: format!("{}: {}", gap.what, gap.reason_text()),
        evidence: gap.evidence.clone(),
        command: gap.command.clone(),
    })
}

#[cfg(test)]
mod tests {
    use launchpath_intake::open_bytes;
    use serde_json::{Value, json};

    use super::{absent_endpoint, warning};
    use crate::case::Case;

    const ID: &str = "agent-abcdefghij";

    fn world(endpoint: &str, call: &Value) -> launchpath_model::World {
        let runtime = json!({ "id": "c1", "service": "bedrock-agentcore-control", "operation": "GetAgentRuntime",
            "request": { "agentRuntimeId": ID }, "outcome": "ok",
            "response": { "agentRuntimeId": ID, "agentRuntimeName": "agent", "status": "READY" } });
        let bundle = json!({ "format": "launchpath-bundle/1", "account": "123456789012", "region": "us-east-1",
            "subject": { "runtime": ID, "endpoint": endpoint }, "calls": [runtime, call] });
        open_bytes("bundle.json", bundle.to_string().as_bytes()).unwrap()
    }

    fn listed() -> Value {
        json!({ "id": "c2", "service": "bedrock-agentcore-control", "operation": "ListAgentRuntimeEndpoints",
            "request": { "agentRuntimeId": ID }, "outcome": "ok",
            "response": { "runtimeEndpoints": [{ "name": "DEFAULT", "status": "READY" }, { "name": "prod", "status": "READY" }] } })
    }

    #[test]
    fn an_endpoint_that_a_complete_list_lacks_is_absent() {
        let world = world("staging", &listed());
        let absent = absent_endpoint(&world).unwrap();
        assert_eq!(
            (absent.wanted.as_str(), absent.there.as_slice()),
            ("staging", &["DEFAULT".to_owned(), "prod".to_owned()][..])
        );
        assert_eq!(warning(&Case::new(&world)).unwrap().code, "endpoint.absent");
    }

    #[test]
    fn an_endpoint_that_is_there_and_the_default_need_no_remark() {
        for endpoint in ["prod", "DEFAULT"] {
            let world = world(endpoint, &listed());
            assert_eq!(absent_endpoint(&world), None, "{endpoint}");
            assert_eq!(warning(&Case::new(&world)), None, "{endpoint}");
        }
    }

    #[test]
    fn a_list_that_was_refused_leaves_it_open_and_says_so() {
        let mut call = listed();
        call["outcome"] = json!("denied");
        call["response"] = Value::Null;
        call["error"] = json!({ "code": "AccessDeniedException", "message": "no" });
        let world = world("staging", &call);
        assert_eq!(absent_endpoint(&world), None);
        let warning = warning(&Case::new(&world)).unwrap();
        assert_eq!(warning.code, "endpoint.unknown");
        assert!(warning.text.contains("ListAgentRuntimeEndpoints"), "{}", warning.text);
        assert!(warning.command.unwrap().contains("list-agent-runtime-endpoints"));
    }

    #[test]
    fn a_call_to_it_makes_it_a_matter_of_the_call() {
        let mut world = world("staging", &listed());
        let call = json!({ "id": "c9", "service": "bedrock-agentcore", "operation": "InvokeAgentRuntime",
            "request": { "agentRuntimeArn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-abcdefghij", "qualifier": "staging" },
            "outcome": "error", "error": { "code": "ResourceNotFoundException", "message": "no such endpoint", "http": 404 } });
        let bundle = json!({ "format": "launchpath-bundle/1", "calls": [call] });
        let other = open_bytes("bundle.json", bundle.to_string().as_bytes()).unwrap();
        world.invocations.extend(other.invocations);
        assert_eq!(absent_endpoint(&world), None);
    }
}
