//! The runtime as the service describes it, the request that made it, and the calls of it.

use serde_json::{Value, json};

use super::{CALLED, Calls, Times, UPDATED, clock};
use crate::deployment::{Artifact, Deployment};
use crate::service::{Ending, Launch};

const CONTROL: &str = "bedrock-agentcore-control";

pub(super) fn runtime(d: &Deployment, launch: &Launch, times: &Times, calls: &mut Calls) {
    if let Ending::Refused { code, message } = &launch.ending {
        refused(d, code, message, times, calls);
        return;
    }
    let asked = json!({ "agentRuntimeId": d.id() });
    let (status, reason) = match (&launch.ending, d.story.state) {
        (Ending::CreateFailed { reason }, _) => ("CREATE_FAILED", Some(reason)),
        (_, Some(state)) => (state, None),
        _ => ("READY", None),
    };
    let version = if d.story.updated { "2" } else { "1" };
    let changed = if d.story.updated { UPDATED } else { times.ready };
    let mut description = request(d);
    merge(
        &mut description,
        &json!({
            "agentRuntimeArn": d.arn(), "agentRuntimeId": d.id(), "agentRuntimeVersion": version, "status": status,
            "createdAt": times.created, "lastUpdatedAt": changed, "platformVersion": if d.v2 { "V2" } else { "V1" },
            "metadataConfiguration": { "requireMMDSV2": d.mmdsv2 },
            "lifecycleConfiguration": { "idleRuntimeSessionTimeout": 900, "maxLifetime": 28800 },
        }),
    );
    if let Some(reason) = reason {
        description["failureReason"] = json!(reason);
    }
    calls.ok(CONTROL, "GetAgentRuntime", asked.clone(), description.clone());
    if d.story.updated {
        let mut former = description;
        former["agentRuntimeVersion"] = json!("1");
        former["lastUpdatedAt"] = json!(times.ready);
        merge(&mut former, d.story.former.as_ref().unwrap_or(&Value::Null));
        let asked = json!({ "agentRuntimeId": d.id(), "agentRuntimeVersion": "1" });
        calls.ok(CONTROL, "GetAgentRuntime", asked, former);
    }
    let mut endpoint = json!({
        "name": "DEFAULT", "id": "DEFAULT", "agentRuntimeArn": d.arn(), "status": status,
        "agentRuntimeEndpointArn": format!("{}/runtime-endpoint/DEFAULT", d.arn()),
        "createdAt": times.created, "lastUpdatedAt": changed,
    });
    if status == "READY" {
        endpoint["liveVersion"] = json!(version);
    }
    calls.ok(CONTROL, "ListAgentRuntimeEndpoints", asked, json!({ "runtimeEndpoints": [endpoint] }));
    invocations(d, launch, times, calls);
}

/// A refused creation: there is a request, and no runtime.
fn refused(d: &Deployment, code: &str, message: &str, times: &Times, calls: &mut Calls) {
    let http = match code {
        "AccessDeniedException" => 403,
        "ConflictException" => 409,
        _ => 400,
    };
    calls.push(
        CONTROL,
        "CreateAgentRuntime",
        request(d),
        json!({
            "outcome": if http == 403 { "denied" } else { "error" }, "at": times.called,
            "error": { "code": code, "message": message, "http": http },
        }),
    );
    let there = d.story.name_taken.then(|| {
        json!({
            "agentRuntimeName": d.name, "agentRuntimeId": d.id(), "agentRuntimeArn": d.arn(), "agentRuntimeVersion": "1",
            "status": "READY", "lastUpdatedAt": "2026-10-01T08:00:00Z",
        })
    });
    let there: Vec<Value> = there.into_iter().collect();
    calls.ok(CONTROL, "ListAgentRuntimes", json!({}), json!({ "agentRuntimes": there }));
}

fn invocations(d: &Deployment, launch: &Launch, times: &Times, calls: &mut Calls) {
    let mut invoked =
        json!({ "agentRuntimeArn": d.arn(), "qualifier": d.story.qualifier.unwrap_or("DEFAULT") });
    let answer = |session: &str| json!({ "statusCode": 200, "contentType": "application/json", "runtimeSessionId": session });
    for (number, earlier) in d.story.earlier.iter().enumerate() {
        let at = clock(CALLED - 60 * earlier.minutes_before);
        let other = format!("earlier-{number}-{}", "0".repeat(30));
        let session = d.story.session.as_ref().filter(|_| earlier.same_session).unwrap_or(&other);
        invoked["runtimeSessionId"] = json!(session);
        let rest = if earlier.answered {
            json!({ "outcome": "ok", "at": at, "response": answer(session) })
        } else {
            let message = "Runtime health check failed or timed out";
            json!({ "outcome": "error", "at": at, "error": { "code": "RuntimeClientError", "message": message, "http": 424 } })
        };
        calls.push("bedrock-agentcore", "InvokeAgentRuntime", invoked.clone(), rest);
    }
    match &d.story.session {
        Some(session) => invoked["runtimeSessionId"] = json!(session),
        None => {
            invoked.as_object_mut().map(|members| members.remove("runtimeSessionId"));
        }
    }
    let rest = match &launch.ending {
        Ending::CallFailed { code, message, http } => json!({
            "outcome": if *http == 403 { "denied" } else { "error" }, "at": times.called,
            "error": { "code": code, "message": message, "http": http },
        }),
        Ending::Answered => {
            json!({ "outcome": "ok", "at": times.called, "response": answer(&"s".repeat(33)) })
        }
        _ => return,
    };
    calls.push("bedrock-agentcore", "InvokeAgentRuntime", invoked, rest);
}

/// The request that made the runtime.
pub(super) fn request(d: &Deployment) -> Value {
    let mut request = json!({
        "agentRuntimeName": d.name,
        "roleArn": d.role_arn(),
        "agentRuntimeArtifact": match d.artifact {
            Artifact::Container => json!({ "containerConfiguration": { "containerUri": d.image() } }),
            Artifact::CodeZip => json!({ "codeConfiguration": {
                "code": { "s3": { "bucket": d.bucket(), "prefix": "agent.zip" } }, "runtime": "PYTHON_3_12", "entryPoint": ["main.py"],
            } }),
        },
        "protocolConfiguration": { "serverProtocol": d.protocol },
        "networkConfiguration": { "networkMode": "PUBLIC" },
        "environmentVariables": { "MODEL_ID": "***" },
    });
    if d.topology.in_vpc() {
        let subnets: Vec<&str> = d.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
        request["networkConfiguration"] = if d.story.network_left_out {
            json!({ "networkMode": "VPC" })
        } else {
            json!({
                "networkMode": "VPC", "networkModeConfig": { "subnets": subnets, "securityGroups": [d.runtime_group] },
            })
        };
    }
    for (member, value) in [
        ("authorizerConfiguration", &d.story.authorizer),
        ("filesystemConfigurations", &d.story.file_systems),
    ] {
        if let Some(value) = value {
            request[member] = value.clone();
        }
    }
    request
}

/// Puts members over others.
fn merge(into: &mut Value, members: &Value) {
    for (name, value) in members.as_object().into_iter().flatten() {
        into[name] = value.clone();
    }
}
