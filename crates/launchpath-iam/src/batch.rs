//! Many questions as JSON records, one answer each: the shape of `launchpath can --requests`.
//!
//! Not the reading of files or streams: one record in, one answer out, and a record that cannot be read gives an
//! answer with `error`. Start at [`answer`].
//!
//! A record has `id`, `request` {`principal`, `action`, `resource`, `resource_account`, `context`} and `policies`
//! {`identity`, `resource`, `permission_boundary`, `session`, `vpc_endpoint`, `scps`, `rcps`}. The context is taken
//! as complete and a layer that is `null`, empty or left out as not there, unless the record says otherwise:
//!
//! - `request.context_unknown`: `true` or a reason for "other keys are not known", or a list of the keys that are not;
//! - `{"unknown": "reason"}` in place of a layer, a level or a policy that was not seen;
//! - `policies.management_account` and `policies.vpc_endpoint_kind` (`gateway`, `interface`).

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::compiled::CompiledPolicySet;
use crate::context::{Context, ContextValue};
use crate::document::Policy;
use crate::evaluate::Outcome;
use crate::layers::{EndpointKind, Guardrails, Layer, Layers, Level, NamedPolicy};
use crate::principal::{Principal, PrincipalError};
use crate::request::{Request, RequestError};

/// Why a record has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The line is not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A member is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member has another type than expected.
    #[error("`{at}` should be {expected}")]
    WrongType {
        /// Which member.
        at: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The principal cannot be told.
    #[error(transparent)]
    Principal(#[from] PrincipalError),
    /// The action is not one action.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// Answers one record: `{"id", "decision", "because": […]}`, with `remaining` where the decision is `Unknown`, or
/// `{"id", "error"}`.
pub fn answer(record: &Value) -> Value {
    let id = record.get("id").cloned().unwrap_or(Value::Null);
    match read(record) {
        Ok((request, layers)) => {
            let outcome = CompiledPolicySet::new(&layers).evaluate(&request);
            answered(id, &outcome)
        }
        Err(error) => json!({ "id": id, "error": error.to_string() }),
    }
}

/// Answers one line of a file of records.
pub fn answer_line(line: &str) -> Value {
    match serde_json::from_str(line) {
        Ok(record) => answer(&record),
        Err(error) => json!({ "id": null, "error": RecordError::Syntax(error.to_string()).to_string() }),
    }
}

fn answered(id: Value, outcome: &Outcome) -> Value {
    let because = outcome.because.iter().map(|reason| {
        let mut members = Map::new();
        members.insert("text".into(), reason.to_string().into());
        if let Ok(Value::Object(parts)) = serde_json::to_value(reason) {
            for (name, value) in parts {
                members.entry(name).or_insert(value);
            }
        }
        Value::Object(members)
    });
    let mut members = Map::new();
    members.insert("id".into(), id);
    members.insert("decision".into(), outcome.decision.as_str().into());
    members.insert("because".into(), because.collect());
    if let Some(text) = outcome.remaining_text() {
        members.insert("remaining".into(), text.into());
    }
    Value::Object(members)
}

/// Reads a record into a request and its layers.
pub fn read(record: &Value) -> Result<(Request, Layers), RecordError> {
    let request = record.get("request").ok_or(RecordError::Missing("request"))?;
    let none = Value::Null;
    let policies = record.get("policies").unwrap_or(&none);
    if !policies.is_object() && !policies.is_null() {
        return Err(wrong("policies", "an object"));
    }
    let request = read_request(request)?;
    let mut layers = Layers::none();
    layers.identity = layer(policies, "identity")?;
    layers.resource = layer(policies, "resource")?;
    layers.boundary = layer(policies, "permission_boundary")?;
    layers.session = layer(policies, "session")?;
    layers.endpoint = layer(policies, "vpc_endpoint")?;
    layers.scps = guardrails(policies, "scps")?;
    layers.rcps = guardrails(policies, "rcps")?;
    layers.management_account =
        policies.get("management_account").and_then(Value::as_str).map(ToOwned::to_owned);
    layers.endpoint_kind = match policies.get("vpc_endpoint_kind").and_then(Value::as_str) {
        Some("gateway") => EndpointKind::Gateway,
        Some("interface") => EndpointKind::Interface,
        _ => EndpointKind::Unknown,
    };
    Ok((request, layers))
}

fn wrong(at: &str, expected: &'static str) -> RecordError {
    RecordError::WrongType { at: at.to_owned(), expected }
}

fn read_request(request: &Value) -> Result<Request, RecordError> {
    let text = |name: &'static str| match request.get(name) {
        None | Some(Value::Null) => Err(RecordError::Missing(name)),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(wrong(name, "a string")),
    };
    let principal = principal(request.get("principal").unwrap_or(&Value::Null))?;
    let context = context(request)?;
    let read = Request::new(principal, text("action")?, text("resource")?, context)?;
    Ok(match request.get("resource_account") {
        None | Some(Value::Null) => read,
        Some(Value::String(account)) => read.in_account(account),
        Some(_) => return Err(wrong("resource_account", "a string")),
    })
}

fn principal(value: &Value) -> Result<Principal, RecordError> {
    match value {
        Value::Null => Err(RecordError::Missing("principal")),
        Value::String(text) => Ok(Principal::parse(text)?),
        Value::Object(members) => {
            let name = ["id", "arn", "name", "value", "service"];
            let name = name.into_iter().find_map(|name| members.get(name)?.as_str());
            let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
            match (kind.to_ascii_lowercase().as_str(), name) {
                ("anonymous", _) => Ok(Principal::anonymous()),
                ("service", Some(name)) => Ok(Principal::service(name)),
                ("federated", Some(name)) => Ok(Principal::federated(name)),
                (_, Some(name)) => {
                    let role = members.get("role_arn").and_then(Value::as_str);
                    let principal = Principal::parse(name)?;
                    Ok(role.map_or(principal.clone(), |role| principal.with_role_arn(role)))
                }
                _ => Err(wrong("principal", "a name or an object with `type` and `id`")),
            }
        }
        _ => Err(wrong("principal", "a string or an object")),
    }
}

fn context(request: &Value) -> Result<Context, RecordError> {
    let mut context = match request.get("context_unknown") {
        Some(Value::Bool(true)) => Context::partial("the record does not say"),
        Some(Value::String(reason)) => Context::partial(reason),
        _ => Context::complete(),
    };
    if let Some(Value::Array(keys)) = request.get("context_unknown") {
        for key in keys.iter().filter_map(Value::as_str) {
            context.set(key, ContextValue::NotKnown("the record does not say".into()));
        }
    }
    let members = match request.get("context") {
        None | Some(Value::Null) => return Ok(context),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(wrong("context", "an object")),
    };
    for (key, value) in members {
        let stated = match value {
            Value::Null => ContextValue::Absent,
            Value::Array(items) => {
                let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
                ContextValue::Values(texts.ok_or_else(|| wrong(key, "a list of scalars"))?)
            }
            Value::Object(unknown) => match unknown.get("unknown") {
                Some(reason) => ContextValue::NotKnown(scalar(reason).unwrap_or_default()),
                None => return Err(wrong(key, "a value or a list of values")),
            },
            value => ContextValue::Values(scalar(value).into_iter().collect()),
        };
        context.set(key, stated);
    }
    Ok(context)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unknown(value: &Value) -> Option<String> {
    let reason = value.as_object()?.get("unknown")?;
    Some(scalar(reason).unwrap_or_else(|| "not seen".into()))
}

fn layer(policies: &Value, name: &str) -> Result<Layer, RecordError> {
    policies.get(name).map_or(Ok(Layer::NotApplicable), |value| layer_of(value, name))
}

fn layer_of(value: &Value, name: &str) -> Result<Layer, RecordError> {
    if let Some(reason) = unknown(value) {
        return Ok(Layer::Unknown(reason));
    }
    match value {
        Value::Null => Ok(Layer::NotApplicable),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let policies = items.map(|(index, item)| policy(item, &format!("{name}[{index}]")));
            policies.collect::<Result<_, _>>().map(Layer::Known)
        }
        Value::Object(_) | Value::String(_) => Ok(Layer::Known(vec![policy(value, name)?])),
        _ => Err(wrong(name, "a policy or a list of policies")),
    }
}

/// A policy: the document itself, its text, or an object with `name` and `document`.
fn policy(value: &Value, place: &str) -> Result<NamedPolicy, RecordError> {
    let reading = match value {
        Value::String(text) => Policy::read(text),
        Value::Object(members) => {
            if let Some(reason) = unknown(value) {
                let name = members.get("name").and_then(Value::as_str).unwrap_or(place);
                return Ok(NamedPolicy::unknown(name, reason));
            }
            if let Some(document) = members.get("document").or_else(|| members.get("policy")) {
                let name = ["name", "id"].into_iter().find_map(|name| members.get(name)?.as_str());
                return policy(document, name.unwrap_or(place));
            }
            Policy::read_value(value)
        }
        _ => return Err(wrong(place, "a policy document")),
    };
    Ok(match reading.usable() {
        Ok(document) => NamedPolicy::known(place, document),
        Err(errors) => NamedPolicy::unknown(place, format!("AWS would refuse the document: {errors}")),
    })
}

fn guardrails(policies: &Value, name: &str) -> Result<Guardrails, RecordError> {
    let Some(value) = policies.get(name) else {
        return Ok(Guardrails::NotApplicable);
    };
    if let Some(reason) = unknown(value) {
        return Ok(Guardrails::Unknown(reason));
    }
    let items = match value {
        Value::Null => return Ok(Guardrails::NotApplicable),
        Value::Array(items) if items.is_empty() => return Ok(Guardrails::NotApplicable),
        Value::Array(items) => items,
        _ => return Err(wrong(name, "a list of levels")),
    };
    // Documents without levels around them all hang on one level.
    if items.iter().all(|item| item.get("policies").is_none() && unknown(item).is_none()) {
        let policies = layer_of(value, name)?;
        return Ok(Guardrails::Known(vec![Level { name: name.to_owned(), policies }]));
    }
    let mut levels = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = format!("{name}[{index}]");
        let id = ["id", "name"].into_iter().find_map(|member| item.get(member)?.as_str()).unwrap_or(&place);
        let policies = match (unknown(item), item.get("policies")) {
            (Some(reason), _) => Layer::Unknown(reason),
            (None, Some(policies)) => layer_of(policies, id)?,
            (None, None) => return Err(wrong(&place, "an object with `id` and `policies`")),
        };
        levels.push(Level { name: id.to_owned(), policies });
    }
    Ok(Guardrails::Known(levels))
}
