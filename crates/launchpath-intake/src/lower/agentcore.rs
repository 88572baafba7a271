//! AgentCore: runtimes, their versions and endpoints, invocations.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_Operations.html>

use launchpath_model::aws::agentcore::{Runtime, RuntimeEndpoint};
use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::ids::RuntimeId;
use launchpath_model::world::{DEFAULT_ENDPOINT, Invocation};
use launchpath_model::{EvidenceId, Outcome, World};

use super::{Lowered, Recorded};
use crate::error::IntakeError;
use crate::json::Place;

/// The control plane.
pub(super) fn control(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "GetAgentRuntime" => get_runtime(world, call),
        "ListAgentRuntimes" => list_runtimes(world, call),
        "ListAgentRuntimeVersions" => list_versions(world, call),
        "GetAgentRuntimeEndpoint" => get_endpoint(world, call),
        "ListAgentRuntimeEndpoints" => list_endpoints(world, call),
        "CreateAgentRuntime" | "UpdateAgentRuntime" => Ok(asked_for(world, call)),
        _ => Ok(Lowered::UnknownOperation),
    }
}

/// A creation or update that somebody recorded himself: what CloudTrail would show of it, and no look-up of anything else.
fn asked_for(world: &mut World, call: &Recorded) -> Lowered {
    let evidence = &call.evidence;
    if !matches!(evidence.outcome, Outcome::Ok) && evidence.error.is_none() {
        return Lowered::NoKey("how the call failed");
    }
    let error = evidence.error.as_ref();
    let event = TrailEvent {
        event_time: evidence.at,
        event_source: Some("bedrock-agentcore.amazonaws.com".to_owned()),
        event_name: evidence.operation.clone(),
        aws_region: evidence.region.as_ref().map(ToString::to_string),
        request_parameters: evidence.request.clone(),
        response_elements: Some(call.response.clone()).filter(|response| !response.is_null()),
        error_code: error.map(|error| error.code.clone()),
        error_message: error.map(|error| error.message.clone()),
        ..TrailEvent::default()
    };
    world.trail.insert(format!("{}#{}", evidence.operation, evidence.id), event, evidence.id.clone());
    Lowered::Done
}

/// Keeps what was asked for where a creation was refused: nothing else describes such a runtime.
pub(super) fn refused(world: &mut World) {
    let refused: Vec<(Runtime, Vec<EvidenceId>)> = world
        .trail
        .iter()
        .filter(|(_, row)| row.value.event_name == "CreateAgentRuntime" && !row.value.succeeded())
        .filter_map(|(_, row)| {
            // A request that does not read as one describes nothing; the event itself is kept.
            let asked = Place::default().typed::<Runtime>(row.value.request_parameters.as_ref()?).ok()?;
            Some((asked, row.evidence.clone()))
        })
        .collect();
    for (mut runtime, evidence) in refused {
        let Some(name) = runtime.agent_runtime_name.clone() else { continue };
        runtime.agent_runtime_id = RuntimeId::from(name.as_str());
        for id in evidence {
            world.refused_runtimes.insert(name.clone(), runtime.clone(), id);
        }
    }
}

/// The data plane: invocations of every kind (the plain one, commands, WebSocket) show whether a container answered.
pub(super) fn data(world: &mut World, call: &Recorded) -> Lowered {
    let evidence = &call.evidence;
    if !evidence.operation.starts_with("InvokeAgentRuntime") {
        return Lowered::UnknownOperation;
    }
    let runtime = call.asked("agentRuntimeArn").or_else(|| call.asked("agentRuntimeId"));
    world.invocations.push(Invocation {
        evidence: evidence.id.clone(),
        at: evidence.at,
        runtime: runtime.map(str::to_owned),
        qualifier: call.asked("qualifier").unwrap_or(DEFAULT_ENDPOINT).to_owned(),
        session: call.asked("runtimeSessionId").map(str::to_owned),
        outcome: evidence.outcome,
        error: evidence.error.clone(),
        response: Some(call.response.clone()).filter(|response| !response.is_null()),
    });
    Lowered::Done
}

/// The id in an id or an ARN (`…:runtime/ID` or `…:runtime/ID/runtime-endpoint/NAME`).
fn runtime_id(text: &str) -> RuntimeId {
    let resource = text.split_once(":runtime/").map_or(text, |(_, rest)| rest);
    RuntimeId::from(resource.split('/').next().unwrap_or(resource))
}

/// The row's own id, or what its ARN or the request say.
fn named(mut runtime: Runtime, call: &Recorded) -> Option<Runtime> {
    if runtime.agent_runtime_id.as_str().is_empty() {
        let source = runtime.agent_runtime_arn.as_deref().or_else(|| call.asked("agentRuntimeId"))?;
        runtime.agent_runtime_id = runtime_id(source);
    }
    Some(runtime)
}

fn get_runtime(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let version = call.asked("agentRuntimeVersion");
    let Some(runtime) = call.whole::<Runtime>()? else {
        match version {
            Some(_) => world.runtime_versions.record(call.read_without("agentRuntimeId")),
            None => world.runtimes.record(call.read_without("agentRuntimeId")),
        }
        return Ok(Lowered::Done);
    };
    let Some(runtime) = named(runtime, call) else {
        return Ok(Lowered::NoKey("which runtime it describes"));
    };
    let id = runtime.agent_runtime_id.clone();
    let evidence = call.evidence.id.clone();
    if let Some(version) = version {
        world.runtime_versions.record(call.read(1));
        world.runtime_versions.insert((id, version.to_owned()), runtime, evidence);
    } else {
        world.runtimes.record(call.read(1));
        world.runtimes.insert(id, runtime, evidence);
    }
    Ok(Lowered::Done)
}

fn list_runtimes(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    super::fill(&mut world.runtime_list, call, "agentRuntimes", "agentRuntimeId", |row: &Runtime| {
        row.agent_runtime_id.clone()
    })
}

/// The list gives a part of each version: it never replaces a version that is described in full.
fn list_versions(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut world.runtime_versions;
    let Some(rows) = call.rows::<Runtime>("agentRuntimes", "agentRuntimeVersion")? else {
        table.record(call.read_without("agentRuntimes"));
        return Ok(Lowered::Done);
    };
    table.record(call.read(rows.len()));
    for row in rows {
        let Some(row) = named(row, call) else {
            return Ok(Lowered::NoKey("which runtime the versions belong to"));
        };
        let version = row.agent_runtime_version.clone().unwrap_or_default();
        let key = (row.agent_runtime_id.clone(), version);
        let known = table.seen(&key).map(|known| known.value.clone());
        let described = known.filter(|known| known.agent_runtime_artifact.is_some());
        table.insert(key, described.unwrap_or(row), call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

fn get_endpoint(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(endpoint) = call.whole::<RuntimeEndpoint>()? else {
        world.runtime_endpoints.record(call.read_without("name"));
        return Ok(Lowered::Done);
    };
    world.runtime_endpoints.record(call.read(1));
    Ok(insert_endpoint(world, call, endpoint))
}

fn list_endpoints(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.rows::<RuntimeEndpoint>("runtimeEndpoints", "name")? else {
        world.runtime_endpoints.record(call.read_without("runtimeEndpoints"));
        return Ok(Lowered::Done);
    };
    world.runtime_endpoints.record(call.read(rows.len()));
    for row in rows {
        let lowered = insert_endpoint(world, call, row);
        if lowered != Lowered::Done {
            return Ok(lowered);
        }
    }
    Ok(Lowered::Done)
}

fn insert_endpoint(world: &mut World, call: &Recorded, mut endpoint: RuntimeEndpoint) -> Lowered {
    if endpoint.name.is_empty() {
        let from_arn = endpoint.agent_runtime_endpoint_arn.as_deref().and_then(|arn| arn.rsplit('/').next());
        let Some(name) = call.asked("endpointName").or(from_arn).map(str::to_owned) else {
            return Lowered::NoKey("the endpoint's name");
        };
        endpoint.name = name;
    }
    let source = endpoint
        .agent_runtime_arn
        .as_deref()
        .or(endpoint.agent_runtime_endpoint_arn.as_deref())
        .or_else(|| call.asked("agentRuntimeId"));
    let Some(id) = source.map(runtime_id) else {
        return Lowered::NoKey("which runtime the endpoint belongs to");
    };
    world.runtime_endpoints.insert((id, endpoint.name.clone()), endpoint, call.evidence.id.clone());
    Lowered::Done
}

#[cfg(test)]
mod tests {
    use super::runtime_id;

    #[test]
    fn the_id_is_found_in_every_arn() {
        for text in [
            "agent-AbCdEf1234",
            "arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/agent-AbCdEf1234",
            "arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/agent-AbCdEf1234/runtime-endpoint/DEFAULT",
        ] {
            assert_eq!(runtime_id(text).as_str(), "agent-AbCdEf1234");
        }
    }
}
