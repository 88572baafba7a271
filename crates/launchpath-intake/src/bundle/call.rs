//! One recorded call of a bundle.

use launchpath_model::evidence::{CallError, EvidenceId, Outcome};
use launchpath_model::ids::{AccountId, Region};
use launchpath_model::time::Timestamp;
use serde_json::{Map, Value};

use super::member::{Members, ordered};
use crate::error::IntakeError;
use crate::json::Place;

/// One recorded call: who was asked what, when, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its id, unique in the bundle, for example `c14`.
    pub id: EvidenceId,
    /// The AWS CLI's name of the service, or `launchpath`.
    pub service: String,
    /// The API operation, for example `DescribeSubnets`.
    pub operation: String,
    /// The Region asked; missing: the bundle's.
    pub region: Option<Region>,
    /// The account asked; missing: the bundle's.
    pub account: Option<AccountId>,
    /// The request in the AWS CLI's shape; `None` when nobody wrote it down.
    pub request: Option<Value>,
    /// When the answer came, to the millisecond.
    pub at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// The refusal or failure, when it was one.
    pub error: Option<CallError>,
    /// The answer in the AWS CLI's shape, when it is inline.
    pub response: Option<Value>,
    /// The document that holds the answer, relative to the bundle, when it is not inline.
    pub file: Option<String>,
    /// Members this version does not know.
    pub extra: Map<String, Value>,
    order: Vec<String>,
}

impl Call {
    /// A call with an empty request that was answered with nothing yet; set the public members for the rest.
    pub fn new(id: &str, service: &str, operation: &str) -> Self {
        Self {
            id: EvidenceId::from(id),
            service: service.to_owned(),
            operation: operation.to_owned(),
            region: None,
            account: None,
            request: Some(Value::Object(Map::new())),
            at: None,
            outcome: Outcome::Ok,
            error: None,
            response: None,
            file: None,
            extra: Map::new(),
            order: Vec::new(),
        }
    }

    pub(super) fn from_value(value: Value, place: &Place) -> Result<Self, IntakeError> {
        let mut members = Members::open(value, place)?;
        let id: EvidenceId = members.required("id", "\"c1\"")?;
        if id.as_str().is_empty() {
            return Err(place.member("id").error("an id, such as \"c1\"", "an empty text"));
        }
        let service: String = members.required("service", "\"ec2\"")?;
        let operation: String = members.required("operation", "\"DescribeSubnets\"")?;
        let outcome =
            members.required("outcome", "\"ok\", \"denied\", \"not_found\", \"error\" or \"throttled\"")?;
        let request = members.take("request");
        if let Some(request) = request.as_ref().filter(|request| !request.is_object()) {
            return Err(place
                .member("request")
                .error("an object in the AWS CLI's shape", crate::json::excerpt(request)));
        }
        let at: Option<Timestamp> = members.optional("at")?;
        let mut call = Self {
            id,
            service,
            operation,
            region: members.optional("region")?,
            account: members.optional("account")?,
            request,
            // Printed times have milliseconds at most; what is printed must read as the same call.
            at: at.map(|at| Timestamp::from_millis(at.as_millis()).unwrap_or(at)),
            outcome,
            error: members.optional("error")?,
            response: members.take("response"),
            file: members.optional("file")?,
            extra: Map::new(),
            order: Vec::new(),
        };
        if call.response.is_some() && call.file.is_some() {
            return Err(place.error("either `response` or `file`", "both"));
        }
        (call.order, call.extra) = members.finish();
        Ok(call)
    }

    pub(super) fn to_value(&self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        let text = |text: &str| Some(Value::String(text.to_owned()));
        put("id", text(self.id.as_str()));
        put("service", text(&self.service));
        put("operation", text(&self.operation));
        put("region", self.region.as_ref().and_then(|region| text(region.as_str())));
        put("account", self.account.as_ref().and_then(|account| text(account.as_str())));
        put("request", self.request.clone());
        put("at", self.at.and_then(|at| text(&at.to_string())));
        put("outcome", serde_json::to_value(self.outcome).ok());
        put("error", self.error.as_ref().and_then(|error| serde_json::to_value(error).ok()));
        put("response", self.response.clone());
        put("file", self.file.as_deref().and_then(text));
        members.extend(self.extra.clone());
        ordered(members, &self.order)
    }
}
