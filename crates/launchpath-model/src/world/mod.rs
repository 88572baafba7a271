//! The world: everything one input says about one runtime and what surrounds it, typed and three-valued.
//!
//! Filled by `launchpath-intake` from documents, judged by `launchpath-diagnose`, edited in memory only to prove a
//! fix. Start with [`World`]; its network half is [`Network`].

mod experiment;
mod fleet;
mod network;
mod observation;

pub use experiment::{
    Attempt, Clause, ClauseState, FindingCertainty, ImageFinding, ImageIdentity, Inspection, Rehearsal,
};
pub(crate) use fleet::Owners;
pub use network::Network;
pub use observation::{Build, Invocation, LogRecord, Statement};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::aws::agentcore::{Runtime, RuntimeEndpoint};
use crate::aws::image::{ImageConfig, ImageDetail, Manifest, Repository};
use crate::aws::log::{LogGroup, LogStream};
use crate::aws::metric::MetricSeries;
use crate::aws::role::{AttachedPolicy, ManagedPolicy, PolicyVersion, Role};
use crate::aws::trail::TrailEvent;
use crate::evidence::{Evidence, EvidenceId};
use crate::ids::{AccountId, Region, RuntimeId};
use crate::table::Table;
use crate::time::Timestamp;

/// The endpoint that is made with every runtime, and that a call means which names none.
pub const DEFAULT_ENDPOINT: &str = "DEFAULT";

/// Which runtime the input is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its id, name or ARN, as given.
    pub runtime: Option<String>,
    /// The endpoint; `DEFAULT` when not given.
    pub endpoint: Option<String>,
    /// A runtime to compare with: id, name or ARN.
    pub against: Option<String>,
}

/// Everything one input says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// When the evidence was collected: "now" for the diagnosis.
    pub collected_at: Option<Timestamp>,
    /// The account.
    pub account: Option<AccountId>,
    /// The Region.
    pub region: Option<Region>,
    /// The partition, for example `aws`.
    pub partition: Option<String>,
    /// Who collected.
    pub caller: Option<String>,
    /// The runtime asked about.
    pub subject: Subject,
    /// Every call, by id.
    pub evidence: Arc<BTreeMap<EvidenceId, Arc<Evidence>>>,

    /// Runtimes, as described in full (latest version).
    pub runtimes: Table<RuntimeId, Runtime>,
    /// Runtimes as ListAgentRuntimes names them.
    pub runtime_list: Table<RuntimeId, Runtime>,
    /// Older versions of runtimes, by id and version.
    pub runtime_versions: Table<(RuntimeId, String), Runtime>,
    /// Runtimes whose creation was refused, as asked for, by name: there is no other description of them.
    pub refused_runtimes: Table<String, Runtime>,
    /// Endpoints, by runtime and name.
    pub runtime_endpoints: Table<(RuntimeId, String), RuntimeEndpoint>,

    /// The network.
    pub network: Network,

    /// Image details, by repository and digest.
    pub images: Table<(String, String), ImageDetail>,
    /// Manifests and indexes, by repository and digest.
    pub manifests: Table<(String, String), Manifest>,
    /// Config blobs, by repository and digest.
    pub image_configs: Table<(String, String), ImageConfig>,
    /// Repositories.
    pub repositories: Table<String, Repository>,
    /// Repository policies, by repository; documents as received.
    pub repository_policies: Table<String, serde_json::Value>,
    /// Code zips, by bucket and key: size in bytes.
    pub code_objects: Table<(String, String), Option<i64>>,

    /// Roles, by name.
    pub roles: Table<String, Role>,
    /// Names of inline policies, by role.
    pub inline_policy_names: Table<String, Vec<String>>,
    /// Inline policy documents, by role and policy name.
    pub inline_policies: Table<(String, String), serde_json::Value>,
    /// Attached managed policies, by role.
    pub attached_policies: Table<String, Vec<AttachedPolicy>>,
    /// Managed policies, by ARN.
    pub managed_policies: Table<String, ManagedPolicy>,
    /// Managed policy documents, by ARN and version.
    pub policy_versions: Table<(String, String), PolicyVersion>,

    /// Log groups, by name.
    pub log_groups: Table<String, LogGroup>,
    /// Log streams, by group and name.
    pub log_streams: Table<(String, String), LogStream>,
    /// Log events, by group, in the order (time, stream, position).
    pub log_events: Table<String, Vec<LogRecord>>,
    /// CloudTrail events, by event id.
    pub trail: Table<String, TrailEvent>,
    /// Metric series, by resource ARN (empty when the query names none) and metric name.
    pub metrics: Table<(String, String), MetricSeries>,

    /// Invocations and their outcomes, in bundle order.
    pub invocations: Vec<Invocation>,
    /// What people said, in bundle order.
    pub statements: Vec<Statement>,
    /// Builds of the artifact, in bundle order.
    pub builds: Vec<Build>,
    /// Policies of KMS keys, by key id or ARN as asked for; documents as received.
    pub key_policies: Table<String, serde_json::Value>,
    /// Local experiments, in bundle order.
    pub rehearsals: Vec<Rehearsal>,
    /// Static inspections, in bundle order.
    pub inspections: Vec<Inspection>,
    /// Calls that were read but not understood: ids, with the reason.
    pub not_understood: BTreeMap<EvidenceId, String>,
}

impl World {
    /// The runtime asked about, when the input describes it: by id, ARN or name, or the only one there is.
    pub fn subject_id(&self) -> Option<RuntimeId> {
        let Some(wanted) = &self.subject.runtime else {
            let mut all = self.runtimes.iter().map(|(id, _)| id.clone());
            return all.next().filter(|_| self.runtimes.len() == 1);
        };
        let id = RuntimeId::from(wanted.as_str());
        if self.runtimes.seen(&id).is_some() {
            return Some(id);
        }
        let matches = |runtime: &Runtime| {
            runtime.agent_runtime_arn.as_deref() == Some(wanted)
                || runtime.agent_runtime_name.as_deref() == Some(wanted)
        };
        let described = self.runtimes.iter().find(|(_, row)| matches(&row.value));
        let listed = || self.runtime_list.iter().find(|(_, row)| matches(&row.value));
        if let Some((id, _)) = described.or_else(listed) {
            return Some(id.clone());
        }
        // An ARN of a runtime that could not be read still names its id.
        Some(RuntimeId::from(wanted.rsplit('/').next().unwrap_or(wanted)))
    }

    /// The endpoint asked about.
    pub fn endpoint(&self) -> &str {
        self.subject.endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT)
    }
}
