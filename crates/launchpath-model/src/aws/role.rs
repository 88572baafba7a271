//! IAM roles and their policies. Documents are kept as received; `launchpath-iam` reads them.
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>

use serde::Deserialize;
use serde_json::Value;

use crate::time::Timestamp;

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Role {
    /// Its name.
    pub role_name: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// When it was created.
    pub create_date: Option<Timestamp>,
    /// The trust policy, as an object or as URL-encoded text.
    pub assume_role_policy_document: Option<Value>,
    /// The permissions boundary.
    pub permissions_boundary: Option<PermissionsBoundary>,
    /// When it was last used.
    pub role_last_used: Option<RoleLastUsed>,
}

/// The boundary of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PermissionsBoundary {
    /// The boundary policy's ARN.
    pub permissions_boundary_arn: Option<String>,
}

/// When a role was last used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RoleLastUsed {
    /// The time.
    pub last_used_date: Option<Timestamp>,
    /// The Region.
    pub region: Option<String>,
}

/// A managed policy attached to a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AttachedPolicy {
    /// Its name.
    pub policy_name: String,
    /// Its ARN.
    pub policy_arn: String,
}

/// A managed policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ManagedPolicy {
    /// Its ARN.
    pub arn: String,
    /// The version in force.
    pub default_version_id: Option<String>,
}

/// One version of a managed policy.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PolicyVersion {
    /// The document.
    pub document: Option<Value>,
    /// Its version id.
    pub version_id: Option<String>,
    /// Whether it is in force.
    pub is_default_version: Option<bool>,
}
