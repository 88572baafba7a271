//! The policy document as typed values, and printing it back to JSON.
//!
//! Not a checker: a [`Policy`] can hold what AWS would refuse ([`Policy::check`](crate::Policy::check) tells).
//! Start at [`Policy`].

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::condition::ConditionOperator;
use crate::location::Location;

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2008-10-17`, also what a document without `Version` is in. Has no policy variables.
    V2008,
    /// `2012-10-17`, with policy variables.
    V2012,
}

impl Version {
    /// As written in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever grants.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        })
    }
}

/// `Action` or `NotAction`, `Resource` or `NotResource`: patterns as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patterns {
    /// The element itself: any pattern may match.
    Any(Vec<String>),
    /// The `Not` form: no pattern may match.
    NoneOf(Vec<String>),
}

impl Patterns {
    /// The patterns as written.
    pub fn items(&self) -> &[String] {
        match self {
            Self::Any(items) | Self::NoneOf(items) => items,
        }
    }

    /// Whether this is the `Not` form.
    pub fn is_negated(&self) -> bool {
        matches!(self, Self::NoneOf(_))
    }
}

/// One principal as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalSpec {
    /// `"Principal": "*"`.
    Everyone,
    /// `AWS`: an account id or ARN, a user, role, session or federated-user ARN, a unique id, or `*`.
    Aws(String),
    /// `Service`: a service principal such as `bedrock-agentcore.amazonaws.com`.
    Service(String),
    /// `Federated`: a SAML or OIDC provider.
    Federated(String),
    /// `CanonicalUser`: an S3 canonical user id.
    CanonicalUser(String),
}

impl PrincipalSpec {
    /// The member name in `Principal`, `None` for the bare star, and the value.
    pub fn parts(&self) -> (Option<&'static str>, &str) {
        match self {
            Self::Everyone => (None, "*"),
            Self::Aws(value) => (Some("AWS"), value),
            Self::Service(value) => (Some("Service"), value),
            Self::Federated(value) => (Some("Federated"), value),
            Self::CanonicalUser(value) => (Some("CanonicalUser"), value),
        }
    }
}

impl fmt::Display for PrincipalSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (None, value) => f.write_str(value),
            (Some(kind), value) => write!(f, "{kind} {value}"),
        }
    }
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// `Principal`: any of these.
    Any(Vec<PrincipalSpec>),
    /// `NotPrincipal`: none of these.
    NoneOf(Vec<PrincipalSpec>),
}

impl Principals {
    /// The principals as named.
    pub fn items(&self) -> &[PrincipalSpec] {
        match self {
            Self::Any(items) | Self::NoneOf(items) => items,
        }
    }
}

/// One condition: an operator, a context key, and the values the policy wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: ConditionOperator,
    /// The context key as written; its case does not matter.
    pub key: String,
    /// The wanted values; booleans and numbers as their JSON text.
    pub values: Vec<String>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; identity policies have none.
    pub principal: Option<Principals>,
    /// `Action` or `NotAction`.
    pub action: Patterns,
    /// `Resource` or `NotResource`; trust policies and some resource policies have none.
    pub resource: Option<Patterns>,
    /// All conditions, sorted by operator and key; each must hold.
    pub conditions: Vec<Condition>,
    /// Where it stands in its document.
    pub at: Location,
}

/// A policy document.
///
/// Parse one with [`Policy::parse`] or [`Policy::from_value`], print it with [`Policy::to_value`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `Version` as stated.
    pub version: Option<Version>,
    /// `Id`.
    pub id: Option<String>,
    /// The statements in document order.
    pub statements: Vec<Statement>,
}

impl Policy {
    /// The language version in force: a document that states none is in that of 2008.
    ///
    /// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>
    pub fn language(&self) -> Version {
        self.version.unwrap_or(Version::V2008)
    }

    /// The document as JSON; parsing it again gives an equal policy.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        if let Some(version) = self.version {
            members.insert("Version".into(), version.as_str().into());
        }
        if let Some(id) = &self.id {
            members.insert("Id".into(), id.as_str().into());
        }
        members.insert("Statement".into(), self.statements.iter().map(Statement::to_value).collect());
        Value::Object(members)
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(serde::de::Error::custom)
    }
}

impl Statement {
    /// The statement as JSON.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        if let Some(sid) = &self.sid {
            members.insert("Sid".into(), sid.as_str().into());
        }
        members.insert("Effect".into(), self.effect.to_string().into());
        if let Some(principal) = &self.principal {
            let name = match principal {
                Principals::Any(_) => "Principal",
                Principals::NoneOf(_) => "NotPrincipal",
            };
            members.insert(name.into(), principals_to_value(principal.items()));
        }
        let name = if self.action.is_negated() { "NotAction" } else { "Action" };
        members.insert(name.into(), one_or_many(self.action.items()));
        if let Some(resource) = &self.resource {
            let name = if resource.is_negated() { "NotResource" } else { "Resource" };
            members.insert(name.into(), one_or_many(resource.items()));
        }
        if !self.conditions.is_empty() {
            members.insert("Condition".into(), conditions_to_value(&self.conditions));
        }
        Value::Object(members)
    }
}

fn one_or_many(items: &[String]) -> Value {
    match items {
        [item] => item.as_str().into(),
        items => items.iter().map(String::as_str).collect(),
    }
}

fn principals_to_value(items: &[PrincipalSpec]) -> Value {
    let mut members: Map<String, Value> = Map::new();
    for item in items {
        let (Some(kind), value) = item.parts() else {
            return "*".into();
        };
        let list = members.entry(kind).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value.into());
        }
    }
    Value::Object(members)
}

fn conditions_to_value(conditions: &[Condition]) -> Value {
    let mut operators: Map<String, Value> = Map::new();
    for condition in conditions {
        let keys = operators.entry(condition.operator.to_string()).or_insert_with(|| Map::new().into());
        if let Value::Object(keys) = keys {
            keys.insert(condition.key.clone(), one_or_many(&condition.values));
        }
    }
    Value::Object(operators)
}
