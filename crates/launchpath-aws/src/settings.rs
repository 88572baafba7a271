//! What a collection is told: how to reach AWS, which runtime, and why it could not begin.

use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;

/// How to reach AWS. The defaults are the AWS CLI's habits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The profile of the shared configuration files (`--profile`).
    pub profile: Option<String>,
    /// The Region (`--region`); else `AWS_REGION`, the profile's, or the runtime ARN's.
    pub region: Option<String>,
    /// Replaces the address of every service (`--endpoint-url`); else `AWS_ENDPOINT_URL` and its
    /// per-service forms.
    pub endpoint_url: Option<String>,
    /// Credentials from elsewhere, instead of those the AWS CLI would find.
    pub credentials: Option<SharedCredentialsProvider>,
    /// How long one request may take, its retries included.
    pub call_timeout: Duration,
    /// When the collection stops and the bundle is written from what came. A test invocation does
    /// not count.
    pub deadline: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: None,
            region: None,
            endpoint_url: None,
            credentials: None,
            call_timeout: Duration::from_secs(20),
            deadline: Duration::from_secs(90),
        }
    }
}

/// What to collect.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The runtime: id, name or ARN.
    pub runtime: String,
    /// The endpoint; `DEFAULT` when empty.
    pub endpoint: String,
    /// A second runtime to compare with: id, name or ARN.
    pub against: Option<String>,
    /// The payload of one test invocation. `None`: no invocation is made.
    pub invoke: Option<Vec<u8>>,
    /// The error that the user saw, in their words.
    pub saw: Option<String>,
}

impl Request {
    /// The endpoint that is looked at.
    pub fn endpoint(&self) -> &str {
        if self.endpoint.is_empty() { "DEFAULT" } else { &self.endpoint }
    }
}

/// Why a collection could not begin. Once it began, refusals are evidence.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// No provider is configured at all.
    #[error("no AWS credentials were found: set AWS_PROFILE, run `aws sso login` or see `aws configure`")]
    NoCredentials,
    /// A provider was found, or all were tried, and none gave credentials; or the environment
    /// (`AWS_CA_BUNDLE`) does not even let one be asked.
    #[error(
        "AWS credentials could not be loaded (set AWS_PROFILE, run `aws sso login` or see `aws configure`)"
    )]
    Credentials(#[source] CredentialsError),
    /// The credentials never expire.
    #[error(
        "the AWS credentials found are long-lived keys, which are not handed to a process: use a role (AWS_PROFILE with role_arn, `aws sso login`)"
    )]
    LongLived,
    /// No Region was named anywhere.
    #[error("no AWS Region: give --region, set AWS_REGION or name the runtime by its ARN")]
    NoRegion,
    /// The Region of the flag is not the ARN's.
    #[error("--region says {flag} but the runtime's ARN says {arn}")]
    RegionConflict {
        /// The flag's Region.
        flag: String,
        /// The ARN's Region.
        arn: String,
    },
    /// The endpoint URL is not one.
    #[error("the endpoint URL {0:?} does not begin with http:// or https:// and a host")]
    EndpointUrl(String),
    /// The runtime's name cannot be one.
    #[error("{0:?} is not a runtime id, name or ARN")]
    Runtime(String),
}
