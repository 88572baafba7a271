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
//!
//! Spellings are taken as people have them at hand: layers under the names of the AWS API and in camel case, a request
//! without the `request` around it, a principal as a policy writes it (`{"AWS": "…"}`), context entries as
//! `SimulatePrincipalPolicy` takes them. A layer by a name that is not known is an error, never passed over: a boundary
//! that does not count because of its spelling would turn a denial into an allow.

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
    /// A layer by a name that means none.
    #[error("`policies.{name}` is no layer; layers are {}", LAYERS.map(|(name, _)| name).join(", "))]
    UnknownLayer {
        /// The name as written.
        name: String,
    },
    /// A layer that stands there under two names.
    #[error("`policies` has the layer `{0}` twice")]
    RepeatedLayer(&'static str),
    /// The principal cannot be told.
    #[error(transparent)]
    Principal(#[from] PrincipalError),
    /// The action is not one action.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// The members of `policies` and what else they are called, in lower case without `_` and `-`.
const LAYERS: [(&str, &[&str]); 9] = [
    ("identity", &["identitypolicies", "identitypolicy", "identitybasedpolicies", "policyinputlist"]),
    (
        "resource",
        &["resourcepolicy", "resourcepolicies", "resourcebasedpolicy", "bucketpolicy", "trustpolicy"],
    ),
    (
        "permission_boundary",
        &[
            "permissionsboundary",
            "permissionboundaries",
            "boundary",
            "boundaries",
            "permissionsboundarypolicyinputlist",
        ],
    ),
    ("session", &["sessionpolicy", "sessionpolicies"]),
    ("vpc_endpoint", &["vpcendpointpolicy", "vpcendpointpolicies", "endpoint", "endpointpolicy"]),
    ("scps", &["scp", "servicecontrolpolicies", "servicecontrolpolicy"]),
    ("rcps", &["rcp", "resourcecontrolpolicies", "resourcecontrolpolicy"]),
    ("management_account", &["managementaccountid"]),
    ("vpc_endpoint_kind", &["vpcendpointtype", "endpointkind", "endpointtype"]),
];

fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

/// The layers under their own names.
fn by_layer(policies: &Value) -> Result<Map<String, Value>, RecordError> {
    let mut layers = Map::new();
    let members = match policies {
        Value::Null => return Ok(layers),
        Value::Object(members) => members,
        _ => return Err(wrong("policies", "an object")),
    };
    for (name, value) in members {
        let plain = folded(name);
        let known = LAYERS.iter().find(|(own, others)| folded(own) == plain || others.contains(&&*plain));
        let Some((own, _)) = known else {
            return Err(RecordError::UnknownLayer { name: name.clone() });
        };
        if layers.insert((*own).to_owned(), value.clone()).is_some() {
            return Err(RecordError::RepeatedLayer(own));
        }
    }
    Ok(layers)
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
    // A record that is the request itself is as clear.
    let request = match record.get("request") {
        Some(request) => request,
        None if record.get("action").is_some() => record,
        None => return Err(RecordError::Missing("request")),
    };
    let request = read_request(request)?;
    let policies = by_layer(record.get("policies").unwrap_or(&Value::Null))?;
    let text = |name: &'static str| match policies.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong(name, "a string")),
    };
    let mut layers = Layers::none();
    layers.identity = layer(&policies, "identity")?;
    layers.resource = layer(&policies, "resource")?;
    layers.boundary = layer(&policies, "permission_boundary")?;
    layers.session = layer(&policies, "session")?;
    layers.endpoint = layer(&policies, "vpc_endpoint")?;
    layers.scps = guardrails(&policies, "scps")?;
    layers.rcps = guardrails(&policies, "rcps")?;
    layers.management_account = text("management_account")?.map(ToOwned::to_owned);
    layers.endpoint_kind = match text("vpc_endpoint_kind")?.map(str::to_ascii_lowercase).as_deref() {
        Some("gateway") => EndpointKind::Gateway,
        Some("interface") => EndpointKind::Interface,
        None | Some("unknown") => EndpointKind::Unknown,
        Some(_) => return Err(wrong("vpc_endpoint_kind", "`gateway` or `interface`")),
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
    // An action that knows no resources is on `*`, which a record may leave unsaid.
    let without_resource = request.get("wildcard_only_action") == Some(&Value::Bool(true));
    let resource = match text("resource") {
        Err(RecordError::Missing(_)) if without_resource => "*",
        resource => resource?,
    };
    let read = Request::new(principal, text("action")?, resource, context)?;
    Ok(match request.get("resource_account") {
        None | Some(Value::Null) => read,
        Some(Value::String(account)) => read.in_account(account),
        Some(Value::Number(account)) => read.in_account(&format!("{:0>12}", account.to_string())),
        Some(_) => return Err(wrong("resource_account", "a string")),
    })
}

fn principal(value: &Value) -> Result<Principal, RecordError> {
    match value {
        Value::Null => Err(RecordError::Missing("principal")),
        Value::String(text) => Ok(Principal::parse(text)?),
        Value::Object(members) => principal_of(members),
        _ => Err(wrong("principal", "a string or an object")),
    }
}

/// A principal as an object: `{"type", "id"}`, or one entry as a policy writes it.
fn principal_of(members: &Map<String, Value>) -> Result<Principal, RecordError> {
    let text = |names: &[&str]| {
        let mut all = members.iter();
        all.find(|(name, _)| names.contains(&&*folded(name))).and_then(|(_, value)| value.as_str())
    };
    if let Some(name) = text(&["aws"]) {
        return Ok(Principal::parse(name)?);
    }
    let name = text(&["id", "arn", "name", "value", "service", "federated", "principal"]);
    let kind = match text(&["type", "kind"]) {
        Some(kind) => folded(kind),
        None if text(&["service"]).is_some() => "service".to_owned(),
        None if text(&["federated"]).is_some() => "federated".to_owned(),
        None => String::new(),
    };
    match (kind.as_str(), name) {
        ("anonymous", _) => Ok(Principal::anonymous()),
        ("service" | "awsservice", Some(name)) => Ok(Principal::service(name)),
        ("federated" | "webidentity" | "saml" | "oidc", Some(name)) => Ok(Principal::federated(name)),
        (_, Some(name)) => {
            let mut principal = Principal::parse(name)?;
            if let Some(role) = text(&["rolearn"]) {
                principal = principal.with_role_arn(role);
            }
            if let Some(user) = text(&["parentuser", "parentuserarn"]) {
                principal = principal.with_parent_user(user);
            }
            if let Some(id) = text(&["canonicalid", "canonicaluserid"]) {
                principal = principal.with_canonical_id(id);
            }
            Ok(principal)
        }
        _ => Err(wrong("principal", "a name or an object with `type` and `id`")),
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
        Some(Value::Array(entries)) => &entries_by_key(entries)?,
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

/// AWS: `ContextEntries` of <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>
fn entries_by_key(entries: &[Value]) -> Result<Map<String, Value>, RecordError> {
    let mut members = Map::new();
    for entry in entries {
        let (Some(key), Some(values)) =
            (entry.get("ContextKeyName").and_then(Value::as_str), entry.get("ContextKeyValues"))
        else {
            return Err(wrong("context", "an object, or entries of ContextKeyName and ContextKeyValues"));
        };
        members.insert(key.to_owned(), values.clone());
    }
    Ok(members)
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

fn layer(policies: &Map<String, Value>, name: &str) -> Result<Layer, RecordError> {
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
            let member = |names: &[&str]| {
                let mut all = members.iter();
                all.find(|(name, _)| names.contains(&&*folded(name))).map(|(_, value)| value)
            };
            if let Some(document) = member(&["document", "policy", "policydocument"]) {
                let name = member(&["name", "policyname", "policyarn", "arn", "id"]).and_then(Value::as_str);
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

fn guardrails(policies: &Map<String, Value>, name: &str) -> Result<Guardrails, RecordError> {
    let Some(value) = policies.get(name) else {
        return Ok(Guardrails::NotApplicable);
    };
    if let Some(reason) = unknown(value) {
        return Ok(Guardrails::Unknown(reason));
    }
    let items = match value {
        Value::Null => return Ok(Guardrails::NotApplicable),
        Value::Array(items) if items.is_empty() => return Ok(Guardrails::NotApplicable),
        Value::Array(items) => items.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        _ => return Err(wrong(name, "a list of levels")),
    };
    // Documents without levels around them all hang on one level.
    let is_level =
        |item: &Value| item.is_array() || item.get("policies").is_some() || unknown(item).is_some();
    if !items.iter().any(is_level) {
        let policies = layer_of(value, name)?;
        return Ok(Guardrails::Known(vec![Level { name: name.to_owned(), policies }]));
    }
    let mut levels = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = format!("{name}[{index}]");
        let id = ["id", "name"].into_iter().find_map(|member| item.get(member)?.as_str()).unwrap_or(&place);
        let policies = if item.is_array() { Some(item) } else { item.get("policies") };
        let policies = match (unknown(item), policies) {
            (Some(reason), _) => Layer::Unknown(reason),
            (None, Some(policies)) => layer_of(policies, id)?,
            (None, None) => return Err(wrong(&place, "an object with `id` and `policies`")),
        };
        levels.push(Level { name: id.to_owned(), policies });
    }
    Ok(Guardrails::Known(levels))
}
