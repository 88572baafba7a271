//! The launch chain: the ordered stages from the artifact to the first answer, and the traces each leaves.
//!
//! A trace proves its stage and every stage before it on the path. A missing trace proves something only where it is
//! always left and could have been seen: each [`TraceRule`] says so. Start with [`stages`] and [`TraceRule`].
//!
//! Order and traces: `knowledge` of the service as of 2026-11; AWS:
//! <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-how-it-works.html>.

mod artifact;
mod container;
mod control_plane;
mod network;
mod progress;
mod session;

pub(crate) use artifact::short_digest;
pub(crate) use container::fatal_traceback;
pub use progress::{Failure, Progress, Sighting, Strength, Trace, assess};

use launchpath_model::service;

use crate::case::{ArtifactKind, Case, Combination, Mode, Platform};

/// One stage of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The image or zip exists where the runtime looks for it.
    ArtifactAvailable,
    /// The caller may create the runtime, pass the role, create service-linked roles.
    CallerAuthorization,
    /// The service checks fields, role, image metadata and architecture.
    RequestValidation,
    /// The service answered 202.
    Accepted,
    /// Subnets, groups and zones are checked.
    VpcValidation,
    /// A dry run of CreateNetworkInterface by the service-linked role.
    EniDryRun,
    /// The interfaces exist (made, or shared with another runtime of equal subnets and groups).
    NetworkAttach,
    /// Runtime and endpoint are READY.
    Ready,
    /// The data plane admits the request: authorization, quota, metadata-service rule.
    InvokeAdmission,
    /// A microVM is chosen and the execution role assumed for it.
    SessionPlacement,
    /// The image or zip arrives in the microVM.
    ArtifactFetch,
    /// A V2 session is restored from its snapshot.
    SessionRestore,
    /// File systems are mounted.
    FileSystemMount,
    /// The process runs.
    ProcessStart,
    /// What it prints reaches CloudWatch Logs.
    LogDelivery,
    /// The health probe is answered.
    Health,
    /// The restored V2 session answers the health probe.
    SessionHealth,
    /// The request is delivered to the process.
    Request,
    /// The answer comes back.
    Response,
    /// What comes after an answer: sessions end, interfaces go.
    Lifecycle,
}

impl Stage {
    /// Every stage, in V1 order.
    pub const ALL: &'static [Self] = &[
        Self::ArtifactAvailable,
        Self::CallerAuthorization,
        Self::RequestValidation,
        Self::Accepted,
        Self::VpcValidation,
        Self::EniDryRun,
        Self::NetworkAttach,
        Self::Ready,
        Self::InvokeAdmission,
        Self::SessionPlacement,
        Self::ArtifactFetch,
        Self::SessionRestore,
        Self::FileSystemMount,
        Self::ProcessStart,
        Self::LogDelivery,
        Self::Health,
        Self::SessionHealth,
        Self::Request,
        Self::Response,
        Self::Lifecycle,
    ];

    /// Its name in the public format.
    pub fn id(self) -> &'static str {
        match self {
            Self::ArtifactAvailable => "artifact_available",
            Self::CallerAuthorization => "caller_authorization",
            Self::RequestValidation => "request_validation",
            Self::Accepted => "accepted",
            Self::VpcValidation => "vpc_validation",
            Self::EniDryRun => "eni_dry_run",
            Self::NetworkAttach => "network_attach",
            Self::Ready => "ready",
            Self::InvokeAdmission => "invoke_admission",
            Self::SessionPlacement => "session_placement",
            Self::ArtifactFetch => "artifact_fetch",
            Self::SessionRestore => "session_restore",
            Self::FileSystemMount => "file_system_mount",
            Self::ProcessStart => "process_start",
            Self::LogDelivery => "log_delivery",
            Self::Health => "health",
            Self::SessionHealth => "session_health",
            Self::Request => "request",
            Self::Response => "response",
            Self::Lifecycle => "lifecycle",
        }
    }

    /// The stage of a name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|stage| stage.id() == id)
    }

    /// Its title, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::ArtifactAvailable => "Artifact available",
            Self::CallerAuthorization => "Caller authorization",
            Self::RequestValidation => "Request validation",
            Self::Accepted => "Accepted",
            Self::VpcValidation => "VPC validation",
            Self::EniDryRun => "Interface dry run",
            Self::NetworkAttach => "Network attach",
            Self::Ready => "READY",
            Self::InvokeAdmission => "Invocation admitted",
            Self::SessionPlacement => "Session placement",
            Self::ArtifactFetch => "Artifact fetch",
            Self::SessionRestore => "Session restore",
            Self::FileSystemMount => "File-system mount",
            Self::ProcessStart => "Process start",
            Self::LogDelivery => "Log delivery",
            Self::Health => "Health probe",
            Self::SessionHealth => "Health probe after restore",
            Self::Request => "Request delivery",
            Self::Response => "Response",
            Self::Lifecycle => "Lifecycle",
        }
    }

    /// Whether it lies beside the path to the answer: its failure blinds us, or comes afterwards, but does not stop the launch.
    pub fn is_side(self) -> bool {
        matches!(self, Self::LogDelivery | Self::Lifecycle)
    }

    /// What must hold for the stage to succeed.
    pub fn preconditions(self) -> &'static str {
        match self {
            Self::ArtifactAvailable => "the image tag or digest (or the zip) exists",
            Self::CallerAuthorization => {
                "the caller may create the runtime, pass the role and create the service-linked roles"
            }
            Self::RequestValidation => {
                "the role can be assumed, the image's metadata can be read and is linux/arm64"
            }
            Self::Accepted => "the request passed validation",
            Self::VpcValidation => "subnets and groups exist in one VPC, every subnet in a supported zone",
            Self::EniDryRun => {
                "the network service-linked role and its policy are intact, addresses and quota are left"
            }
            Self::NetworkAttach => "as for the dry run",
            Self::Ready => "every stage before",
            Self::InvokeAdmission => {
                "the caller may invoke runtime and endpoint, quotas hold, MMDSv2 is required"
            }
            Self::SessionPlacement => {
                "session quota and capacity are left, the execution role can be assumed"
            }
            Self::ArtifactFetch => "the runtime's interfaces reach ECR and S3, the role may pull",
            Self::SessionRestore => "the snapshot can be restored",
            Self::FileSystemMount => "DNS, TCP 2049 and the client rights for each file system",
            Self::ProcessStart => "the image's command runs with only the environment the service supplies",
            Self::LogDelivery => {
                "the runtime's interfaces reach CloudWatch Logs, the role may write, the process prints"
            }
            Self::Health | Self::SessionHealth => {
                "the process answers the probe on the protocol's port in time"
            }
            Self::Request => "path and content type are right",
            Self::Response => "the process answers in time with a success",
            Self::Lifecycle => "sessions end when they are idle, and interfaces go after the last runtime",
        }
    }
}

/// The stages of one combination, in order; side stages stand where they branch off.
pub fn stages(combination: &Combination) -> Vec<Stage> {
    let vpc = [Stage::VpcValidation, Stage::EniDryRun, Stage::NetworkAttach];
    let mut chain =
        vec![Stage::ArtifactAvailable, Stage::CallerAuthorization, Stage::RequestValidation, Stage::Accepted];
    if combination.mode != Some(Mode::Public) {
        chain.extend(vpc);
    }
    if combination.platform == Platform::V2 {
        chain.extend([Stage::ArtifactFetch, Stage::ProcessStart, Stage::Health, Stage::Ready]);
        chain.extend([Stage::InvokeAdmission, Stage::SessionPlacement, Stage::SessionRestore]);
    } else {
        chain.extend([Stage::Ready, Stage::InvokeAdmission, Stage::SessionPlacement, Stage::ArtifactFetch]);
    }
    if combination.mounts {
        chain.push(Stage::FileSystemMount);
    }
    if combination.platform == Platform::V2 {
        chain.extend([Stage::LogDelivery, Stage::SessionHealth]);
    } else {
        chain.extend([Stage::ProcessStart, Stage::LogDelivery, Stage::Health]);
    }
    chain.extend([Stage::Request, Stage::Response]);
    chain
}

/// Seconds a cold start may take.
pub fn start_limit_seconds(artifact: ArtifactKind) -> i64 {
    let name =
        if artifact == ArtifactKind::CodeZip { "zip_start_seconds" } else { "container_start_seconds" };
    service::limit(name).0
}

/// A kind of trace: which stage it proves, and what its absence is worth.
pub struct TraceRule {
    /// Its name, for example `eni_by_tag`.
    pub name: &'static str,
    /// The stage it proves.
    pub stage: Stage,
    /// Whether a launch that passes the stage always leaves it.
    pub always_left: bool,
    /// How late it shows up, in seconds.
    pub delay_seconds: i64,
    /// What can hide it although it was left.
    pub hidden_by: &'static str,
    /// Looks for it.
    pub look: fn(&Case) -> Sighting,
}

/// Every kind of trace, in stage order.
pub fn trace_rules() -> Vec<&'static TraceRule> {
    [artifact::RULES, control_plane::RULES, network::RULES, session::RULES, container::RULES].concat()
}
