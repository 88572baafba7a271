//! The world block: edits of a base bundle, one per line.
//!
//! ```text
//! base: nat [on 2025-10-18]                                           the world to start from, moved to another day
//! ec2 DescribeSubnets /Subnets/1/AvailabilityZoneId = "use1-az6"     replaces a member (JSON pointer; - appends)
//! ec2 DescribeVpcEndpoints /VpcEndpoints/0 removed                    removes a member
//! ec2 DescribeNetworkAcls denied | not asked | not found | throttled  the call's fate
//! iam GetRole[agent-role] denied                                      the call whose request holds the text
//! invoke error RuntimeClientError 424 Runtime health check failed     adds an invocation that fails
//! invoke ok                                                           adds one that is answered
//! say engineer: No interface was created.                             adds a statement
//! log 2026-10-20T08:10:00Z Traceback (most recent call last):         adds a line to the runtime's log
//! add {"service": …}                                                  adds a call as it stands
//! collected_at = "2025-10-18T04:23:46Z"                               replaces a member of the bundle
//! ```

use launchpath_model::Timestamp;
use serde_json::{Value, json};

/// One edit.
pub(crate) struct Edit {
    line: String,
}

impl Edit {
    /// Takes a line; what it means is decided where it is applied.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        if line.split_whitespace().count() < 2 {
            return Err(format!("`{line}` is no edit"));
        }
        Ok(Self { line: line.to_owned() })
    }

    /// Applies it.
    pub(crate) fn apply(&self, bundle: &mut Value) -> Result<(), String> {
        self.try_apply(bundle).map_err(|error| format!("`{}`: {error}", self.line))
    }

    fn try_apply(&self, bundle: &mut Value) -> Result<(), String> {
        let line = self.line.as_str();
        if let Some(rest) = line.strip_prefix("invoke ") {
            return invoke(bundle, rest);
        }
        if let Some(rest) = line.strip_prefix("say ") {
            let (by, text) = rest.split_once(": ").ok_or("expected `say WHO: TEXT`")?;
            let at = bundle["collected_at"].clone();
            add(
                bundle,
                json!({ "service": "launchpath", "operation": "Statement", "request": { "by": by }, "at": at,
                "outcome": "ok", "response": { "text": text } }),
            );
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("log ") {
            let (at, text) = rest.split_once(' ').ok_or("expected `log TIME TEXT`")?;
            return log(bundle, at, text);
        }
        if let Some(rest) = line.strip_prefix("add ") {
            add(bundle, serde_json::from_str(rest).map_err(|error| error.to_string())?);
            return Ok(());
        }
        if let Some((member, value)) = line.split_once(" = ")
            && !member.contains(' ')
        {
            bundle[member] = serde_json::from_str(value).map_err(|error| error.to_string())?;
            return Ok(());
        }
        call_edit(bundle, line)
    }
}

fn call_edit(bundle: &mut Value, line: &str) -> Result<(), String> {
    let mut words = line.splitn(3, ' ');
    let (service, operation, rest) = (words.next(), words.next(), words.next().unwrap_or_default().trim());
    let operation = operation.ok_or("expected SERVICE OPERATION …")?;
    let (operation, holding) = match operation.split_once('[') {
        Some((operation, holding)) => (operation, holding.trim_end_matches(']')),
        None => (operation, ""),
    };
    let calls = bundle["calls"].as_array_mut().ok_or("the base has no calls")?;
    let wanted = |call: &Value| {
        call["service"].as_str() == service
            && call["operation"] == operation
            && (holding.is_empty() || call["request"].to_string().contains(holding))
    };
    if !calls.iter().any(wanted) {
        return Err("the base has no such call".to_owned());
    }
    if rest == "not asked" {
        calls.retain(|call| !wanted(call));
        return Ok(());
    }
    for call in calls.iter_mut().filter(|call| wanted(call)) {
        edit_call(call, rest)?;
    }
    Ok(())
}

fn edit_call(call: &mut Value, rest: &str) -> Result<(), String> {
    let fate = match rest {
        "denied" => Some(("denied", "AccessDeniedException", "not authorized", 403)),
        "not found" => Some(("not_found", "ResourceNotFoundException", "no such thing", 404)),
        "throttled" => Some(("throttled", "ThrottlingException", "slow down", 429)),
        "failed" => Some(("error", "InternalFailure", "it failed", 500)),
        _ => None,
    };
    if let Some((outcome, code, message, http)) = fate {
        call["outcome"] = json!(outcome);
        call["error"] = json!({ "code": code, "message": message, "http": http });
        call.as_object_mut().ok_or("a call is an object")?.remove("response");
        return Ok(());
    }
    if let Some(pointer) = rest.strip_suffix(" removed") {
        return remove(call, pointer.trim());
    }
    let (pointer, value) =
        rest.split_once(" = ").ok_or("expected a pointer and a value, `removed`, or a fate")?;
    let value: Value = serde_json::from_str(value).map_err(|error| format!("{error} in {value}"))?;
    let (parent, last) = split(pointer)?;
    let root = if pointer.starts_with("/request/") { &mut *call } else { &mut call["response"] };
    let parent = root.pointer_mut(&parent).ok_or_else(|| format!("{pointer} leads nowhere"))?;
    match parent {
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let index: usize = last.parse().map_err(|_| format!("{last} is no index"))?;
            *items.get_mut(index).ok_or_else(|| format!("{pointer} leads nowhere"))? = value;
        }
        other => other[last.as_str()] = value,
    }
    Ok(())
}

fn remove(call: &mut Value, pointer: &str) -> Result<(), String> {
    let (parent, last) = split(pointer)?;
    let parent = call["response"].pointer_mut(&parent).ok_or_else(|| format!("{pointer} leads nowhere"))?;
    let gone = match parent {
        Value::Array(items) => {
            let index: usize = last.parse().map_err(|_| format!("{last} is no index"))?;
            (index < items.len()).then(|| items.remove(index))
        }
        Value::Object(members) => members.remove(&last),
        _ => None,
    };
    gone.map(|_| ()).ok_or_else(|| format!("{pointer} leads nowhere"))
}

fn split(pointer: &str) -> Result<(String, String), String> {
    let (parent, last) = pointer.rsplit_once('/').ok_or_else(|| format!("{pointer} is no JSON pointer"))?;
    Ok((parent.to_owned(), last.replace("~1", "/").replace("~0", "~")))
}

fn runtime(bundle: &Value) -> Result<Value, String> {
    let calls = bundle["calls"].as_array().ok_or("the base has no calls")?;
    let id = &bundle["subject"]["runtime"];
    let described = calls
        .iter()
        .find(|call| call["operation"] == "GetAgentRuntime" && call["request"]["agentRuntimeId"] == *id);
    described.map(|call| call["response"].clone()).ok_or_else(|| "the base describes no runtime".to_owned())
}

fn add(bundle: &mut Value, mut call: Value) {
    let Some(calls) = bundle["calls"].as_array_mut() else { return };
    if call.get("id").is_none() {
        // Calls may have been taken out before: the count alone is no fresh number.
        let number = |call: &Value| call["id"].as_str()?.strip_prefix('c')?.parse::<usize>().ok();
        let last = calls.iter().filter_map(number).max().unwrap_or(calls.len());
        call["id"] = json!(format!("c{}", last + 1));
    }
    calls.push(call);
}

fn invoke(bundle: &mut Value, rest: &str) -> Result<(), String> {
    let arn = runtime(bundle)?["agentRuntimeArn"].clone();
    let at = bundle["collected_at"].clone();
    let mut call = json!({ "service": "bedrock-agentcore", "operation": "InvokeAgentRuntime", "at": at,
        "request": { "agentRuntimeArn": arn, "qualifier": "DEFAULT" } });
    if rest == "ok" {
        call["outcome"] = json!("ok");
        call["response"] = json!({ "statusCode": 200 });
    } else {
        let mut words = rest
            .strip_prefix("error ")
            .ok_or("expected `invoke ok` or `invoke error CODE HTTP TEXT`")?
            .splitn(3, ' ');
        let (code, http, text) = (words.next(), words.next(), words.next());
        let http: u16 = http.and_then(|h| h.parse().ok()).ok_or("expected an HTTP status")?;
        call["outcome"] = json!("error");
        call["error"] = json!({ "code": code, "http": http, "message": text.unwrap_or_default() });
    }
    add(bundle, call);
    Ok(())
}

fn log(bundle: &mut Value, at: &str, text: &str) -> Result<(), String> {
    let id = runtime(bundle)?["agentRuntimeId"].as_str().unwrap_or_default().to_owned();
    let group = format!("/aws/bedrock-agentcore/runtimes/{id}-DEFAULT");
    let collected = bundle["collected_at"].clone();
    // CloudWatch Logs answers in milliseconds.
    let at: Timestamp = at.parse().map_err(|_| format!("{at} is no time"))?;
    let stream = format!("{}/[runtime-logs]1", at.date().replace('-', "/"));
    let event = json!({ "logStreamName": stream, "timestamp": at.as_millis(), "message": text });
    let calls = bundle["calls"].as_array_mut().ok_or("the base has no calls")?;
    let known = calls.iter_mut().find(|call| {
        call["operation"] == "FilterLogEvents" && call["request"]["logGroupName"] == group.as_str()
    });
    match known {
        Some(call) => {
            call["outcome"] = json!("ok");
            if let Some(members) = call.as_object_mut() {
                members.remove("error");
            }
            if call.get("response").is_none_or(Value::is_null) {
                call["response"] = json!({ "events": [], "searchedLogStreams": [] });
            }
            let events = call["response"]["events"].as_array_mut().ok_or("the log call has no events")?;
            events.push(event);
        }
        None => add(
            bundle,
            json!({ "service": "logs", "operation": "FilterLogEvents", "at": collected,
            "request": { "logGroupName": group }, "outcome": "ok", "response": { "events": [event], "searchedLogStreams": [] } }),
        ),
    }
    Ok(())
}
