//! The policies that take part in a decision, layer by layer, each known, unknown or not applicable.
//!
//! Not their evaluation: `evaluate.rs`. Whoever fills in layers must tell *there is none*
//! ([`Layer::NotApplicable`]) from *we have not seen it* ([`Layer::Unknown`]).

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::document::Policy;

/// A policy's document, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// The document.
    Known(Arc<Policy>),
    /// The policy is attached, but its document was not seen or cannot be read.
    Unknown(String),
}

/// A policy with the name people know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPolicy {
    /// Name or ARN.
    pub name: String,
    /// The document.
    pub document: Document,
}

impl NamedPolicy {
    /// A policy whose document is known.
    pub fn known(name: impl Into<String>, policy: impl Into<Arc<Policy>>) -> Self {
        Self { name: name.into(), document: Document::Known(policy.into()) }
    }

    /// A policy whose document is not known, and why.
    pub fn unknown(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), document: Document::Unknown(reason.into()) }
    }
}

/// The policies of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// Looked for, and there is none; or this layer has no part in the request.
    NotApplicable,
    /// All policies of the layer.
    Known(Vec<NamedPolicy>),
    /// Nobody looked, or could not; why.
    Unknown(String),
}

impl Layer {
    /// A layer of one known policy.
    pub fn one(name: impl Into<String>, policy: impl Into<Arc<Policy>>) -> Self {
        Self::Known(vec![NamedPolicy::known(name, policy)])
    }
}

/// One level of an organisation (root, organisational unit, account) and the policies attached to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Id or name, such as `r-ab12` or `ou-ab12-prod`.
    pub name: String,
    /// The attached policies.
    pub policies: Layer,
}

/// Service or resource control policies: every level must allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guardrails {
    /// The account is in no organisation, or the organisation does not use this kind.
    NotApplicable,
    /// The levels from the root down to the account.
    Known(Vec<Level>),
    /// Not seen, and why.
    Unknown(String),
}

/// What kind of VPC endpoint a request goes through; their policies read principals differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// A gateway endpoint (S3, DynamoDB).
    Gateway,
    /// An interface endpoint.
    Interface,
    /// Not known. Services that have no gateway endpoints are still decided.
    #[default]
    Unknown,
}

/// The kinds of layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// Policies attached to the user, its groups, or the role.
    Identity,
    /// The policy on the resource; for `sts:AssumeRole` the role's trust policy.
    Resource,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
    /// Service control policies.
    Scp,
    /// Resource control policies.
    Rcp,
    /// The policy of the VPC endpoint the request goes through.
    Endpoint,
}

impl LayerKind {
    /// The name of a policy of this layer, in AWS's words.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Scp => "service control policy",
            Self::Rcp => "resource control policy",
            Self::Endpoint => "VPC endpoint policy",
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

/// All layers of one decision.
///
/// Start from [`Layers::none`] when everything not named is known not to exist, from [`Layers::unknown`] when it was
/// just not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layers {
    /// Policies attached to the user, its groups, or the role.
    pub identity: Layer,
    /// The policy on the resource; for `sts:AssumeRole` the role's trust policy.
    pub resource: Layer,
    /// The permissions boundary of the user or role. No policy means no boundary.
    pub boundary: Layer,
    /// The session policies. No policy means an unrestricted session.
    pub session: Layer,
    /// Service control policies of the principal's account.
    pub scps: Guardrails,
    /// Resource control policies of the resource's account, `RCPFullAWSAccess` included.
    pub rcps: Guardrails,
    /// The policy of the VPC endpoint; not applicable when the request goes through none.
    pub endpoint: Layer,
    /// The kind of that endpoint.
    pub endpoint_kind: EndpointKind,
    /// The organisation's management account, when known: service control policies spare its principals, resource
    /// control policies its resources.
    pub management_account: Option<String>,
}

impl Layers {
    /// No policies anywhere.
    pub fn none() -> Self {
        Self {
            identity: Layer::NotApplicable,
            resource: Layer::NotApplicable,
            boundary: Layer::NotApplicable,
            session: Layer::NotApplicable,
            scps: Guardrails::NotApplicable,
            rcps: Guardrails::NotApplicable,
            endpoint: Layer::NotApplicable,
            endpoint_kind: EndpointKind::Unknown,
            management_account: None,
        }
    }

    /// No layer is known, for one reason.
    pub fn unknown(reason: &str) -> Self {
        let layer = || Layer::Unknown(reason.to_owned());
        Self {
            identity: layer(),
            resource: layer(),
            boundary: layer(),
            session: layer(),
            scps: Guardrails::Unknown(reason.to_owned()),
            rcps: Guardrails::Unknown(reason.to_owned()),
            endpoint: layer(),
            endpoint_kind: EndpointKind::Unknown,
            management_account: None,
        }
    }
}
