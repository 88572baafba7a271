//! AgentCore runtimes and their endpoints.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_GetAgentRuntime.html>

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::ids::{RuntimeId, SecurityGroupId, SubnetId};
use crate::open_enum;
use crate::time::Timestamp;

open_enum! {
    /// State of a runtime or an endpoint.
    RuntimeStatus {
        /// Being created.
        Creating = "CREATING",
        /// Creation failed.
        CreateFailed = "CREATE_FAILED",
        /// Being updated.
        Updating = "UPDATING",
        /// The update failed; an earlier version may still serve.
        UpdateFailed = "UPDATE_FAILED",
        /// V1: configuration accepted and network made. V2: a container also became healthy once.
        Ready = "READY",
        /// Being deleted.
        Deleting = "DELETING",
        /// Deletion failed.
        DeleteFailed = "DELETE_FAILED",
    }
}

open_enum! {
    /// Where a runtime's own traffic leaves.
    NetworkMode {
        /// Through the service's network.
        Public = "PUBLIC",
        /// Through interfaces in the customer's subnets.
        Vpc = "VPC",
    }
}

open_enum! {
    /// The protocol the container speaks.
    ServerProtocol {
        /// `GET /ping`, `POST /invocations`, port 8080.
        Http = "HTTP",
        /// `POST /mcp`, port 8000.
        Mcp = "MCP",
        /// JSON-RPC on `/`, port 9000.
        A2a = "A2A",
        /// AG-UI events on `/invocations`, port 8080.
        Agui = "AGUI",
    }
}

open_enum! {
    /// Generation of the runtime platform.
    PlatformVersion {
        /// Boots a container for each session.
        V1 = "V1",
        /// Restores a snapshot that was made at create or update.
        V2 = "V2",
    }
}

/// A runtime, as GetAgentRuntime answers (ListAgentRuntimes gives a part of it).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Runtime {
    /// Its ARN.
    pub agent_runtime_arn: Option<String>,
    /// Its name.
    pub agent_runtime_name: Option<String>,
    /// Its id: `<name>-<10 characters>`.
    pub agent_runtime_id: RuntimeId,
    /// The version described.
    pub agent_runtime_version: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub last_updated_at: Option<Timestamp>,
    /// The execution role.
    pub role_arn: Option<String>,
    /// Mode, subnets and groups; absent for capacity-provider runtimes.
    pub network_configuration: Option<NetworkConfiguration>,
    /// Its state.
    pub status: Option<RuntimeStatus>,
    /// The service's reason for a failed state.
    pub failure_reason: Option<String>,
    /// Container image or code zip.
    pub agent_runtime_artifact: Option<Artifact>,
    /// Protocol, port and path.
    pub protocol_configuration: Option<ProtocolConfiguration>,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// Request headers that are passed on; kept as received.
    pub request_header_configuration: Option<Value>,
    /// Names of the environment variables; values are masked before they reach a bundle.
    pub environment_variables: Option<BTreeMap<String, Value>>,
    /// JWT authorizer; kept as received.
    pub authorizer_configuration: Option<Value>,
    /// Metadata service settings.
    pub metadata_configuration: Option<MetadataConfiguration>,
    /// File systems to mount; kept as received.
    pub filesystem_configurations: Option<Vec<Value>>,
    /// Capacity provider, for the Instances compute type.
    pub capacity_provider_configuration: Option<Value>,
    /// Generation of the platform; absent in answers older than the member.
    pub platform_version: Option<PlatformVersion>,
    /// Session time-outs; kept as received.
    pub lifecycle_configuration: Option<Value>,
}

/// Network of a runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkConfiguration {
    /// PUBLIC or VPC.
    pub network_mode: Option<NetworkMode>,
    /// Subnets and groups of VPC mode.
    pub network_mode_config: Option<VpcConfig>,
}

/// Subnets and groups of a VPC-mode runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcConfig {
    /// The subnets; the service chooses one per session.
    pub subnets: Vec<SubnetId>,
    /// The groups of its interfaces.
    pub security_groups: Vec<SecurityGroupId>,
    /// Runtimes of before the change of 2026-05-05 only: whether the service's own S3 gateway carries image layers.
    pub require_service_s3_endpoint: Option<bool>,
}

/// What a runtime runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Artifact {
    /// A container image.
    pub container_configuration: Option<ContainerConfiguration>,
    /// A code zip.
    pub code_configuration: Option<CodeConfiguration>,
}

/// A container image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerConfiguration {
    /// Its address, with tag or digest.
    pub container_uri: Option<String>,
}

/// A code zip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CodeConfiguration {
    /// Where it lies.
    pub code: Option<Code>,
    /// Managed language runtime, for example `PYTHON_3_12`.
    pub runtime: Option<String>,
    /// One or two words that start it.
    pub entry_point: Option<Vec<String>>,
}

/// Where a code zip lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Code {
    /// In S3.
    pub s3: Option<S3Location>,
}

/// An S3 object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct S3Location {
    /// The bucket.
    pub bucket: Option<String>,
    /// The key.
    pub prefix: Option<String>,
    /// The object version.
    pub version_id: Option<String>,
}

/// Protocol of a runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProtocolConfiguration {
    /// Absent: HTTP.
    pub server_protocol: Option<ServerProtocol>,
    /// Absent: the protocol's default.
    pub port: Option<u16>,
    /// Absent: the protocol's default.
    pub path: Option<String>,
}

/// Metadata service settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetadataConfiguration {
    /// Enforced at invocation since 2026-06-30.
    #[serde(rename = "requireMMDSV2")]
    pub require_mmdsv2: Option<bool>,
}

/// A runtime endpoint: a named pointer to a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuntimeEndpoint {
    /// `DEFAULT` or a name.
    pub name: String,
    /// The version that serves.
    pub live_version: Option<String>,
    /// The version being rolled out; unequal to the live one means the update is not applied.
    pub target_version: Option<String>,
    /// Its ARN.
    pub agent_runtime_endpoint_arn: Option<String>,
    /// Its runtime.
    pub agent_runtime_arn: Option<String>,
    /// Its state.
    pub status: Option<RuntimeStatus>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

impl ServerProtocol {
    /// The port that a container of this protocol listens on unless the runtime names another.
    ///
    /// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-service-contract.html>
    pub fn default_port(&self) -> u16 {
        match self {
            Self::Mcp => 8000,
            Self::A2a => 9000,
            _ => 8080,
        }
    }

    /// The path of its requests unless the runtime names another.
    ///
    /// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-service-contract.html>
    pub fn default_path(&self) -> &'static str {
        match self {
            Self::Mcp => "/mcp",
            Self::A2a => "/",
            _ => "/invocations",
        }
    }
}

impl Runtime {
    /// The port on which the service calls the container.
    pub fn port(&self) -> u16 {
        let configured = self.protocol_configuration.as_ref().and_then(|protocol| protocol.port);
        configured.unwrap_or_else(|| self.protocol().default_port())
    }

    /// The path of the service's requests.
    pub fn path(&self) -> String {
        let configured = self.protocol_configuration.as_ref().and_then(|protocol| protocol.path.clone());
        configured.unwrap_or_else(|| self.protocol().default_path().to_owned())
    }

    /// PUBLIC or VPC; `None` when the document does not say (or the compute is a capacity provider).
    pub fn network_mode(&self) -> Option<&NetworkMode> {
        self.network_configuration.as_ref()?.network_mode.as_ref()
    }

    /// Subnets and groups, for VPC mode.
    pub fn vpc_config(&self) -> Option<&VpcConfig> {
        self.network_configuration.as_ref()?.network_mode_config.as_ref()
    }

    /// The container image's address.
    pub fn container_uri(&self) -> Option<&str> {
        self.agent_runtime_artifact.as_ref()?.container_configuration.as_ref()?.container_uri.as_deref()
    }

    /// The code zip.
    pub fn code(&self) -> Option<&CodeConfiguration> {
        self.agent_runtime_artifact.as_ref()?.code_configuration.as_ref()
    }

    /// The protocol: HTTP when the runtime is described and names none.
    pub fn protocol(&self) -> ServerProtocol {
        let configured = self.protocol_configuration.as_ref().and_then(|p| p.server_protocol.clone());
        configured.unwrap_or(ServerProtocol::Http)
    }

    /// The log group of one of its endpoints.
    ///
    /// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-troubleshooting.html>
    pub fn log_group(&self, endpoint: &str) -> String {
        format!("/aws/bedrock-agentcore/runtimes/{}-{endpoint}", self.agent_runtime_id)
    }
}
