//! CloudTrail events.
//!
//! AWS: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use serde::Deserialize;
use serde_json::Value;

use crate::time::Timestamp;

/// A management event: the record inside `CloudTrailEvent`, or a row that carries none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrailEvent {
    /// Its id.
    #[serde(rename = "eventID")]
    pub event_id: Option<String>,
    /// When it happened.
    pub event_time: Option<Timestamp>,
    /// For example `ec2.amazonaws.com`.
    pub event_source: Option<String>,
    /// For example `CreateNetworkInterface`.
    pub event_name: String,
    /// The Region.
    pub aws_region: Option<String>,
    /// Who called.
    pub user_identity: UserIdentity,
    /// The request.
    pub request_parameters: Option<Value>,
    /// The answer.
    pub response_elements: Option<Value>,
    /// Set when the call failed; `Client.DryRunOperation` means that a dry run *passed*.
    pub error_code: Option<String>,
    /// The error's text.
    pub error_message: Option<String>,
    /// The caller's address.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: Option<String>,
    /// The VPC endpoint the call came through.
    pub vpc_endpoint_id: Option<String>,
}

/// Who called.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserIdentity {
    /// `AssumedRole`, `IAMUser`, `AWSService`, …
    pub r#type: Option<String>,
    /// The caller's ARN.
    pub arn: Option<String>,
    /// The service that called on behalf of the account.
    pub invoked_by: Option<String>,
    /// Session details.
    pub session_context: Option<Value>,
}

/// The error code of a dry run that passed.
pub const DRY_RUN_PASSED: &str = "Client.DryRunOperation";

impl TrailEvent {
    /// A text member of the request.
    pub fn request_text(&self, name: &str) -> Option<&str> {
        self.request_parameters.as_ref()?.get(name)?.as_str()
    }

    /// Whether the caller is the AgentCore network service-linked role.
    pub fn by_network_role(&self) -> bool {
        let arn = self.user_identity.arn.as_deref().unwrap_or_default();
        let invoked_by = self.user_identity.invoked_by.as_deref().unwrap_or_default();
        arn.split('/').any(|part| part == "AWSServiceRoleForBedrockAgentCoreNetwork")
            || invoked_by == "network.bedrock-agentcore.amazonaws.com"
    }

    /// Whether the call succeeded (a passed dry run is not a success of the call itself).
    pub fn succeeded(&self) -> bool {
        self.error_code.is_none()
    }

    /// Whether it is a dry run that passed. EC2 writes the code with and without the `Client.` prefix.
    pub fn dry_run_passed(&self) -> bool {
        matches!(self.error_code.as_deref(), Some(DRY_RUN_PASSED | "DryRunOperation"))
    }
}
