//! What a launch needs from the network: names and ports by stage, from the table `data/needs.json`.
//!
//! Each row carries its source and how well it is known. It decides no reachability: [`crate::runtime_paths`] does.

use std::sync::LazyLock;

use launchpath_model::ids::{AccountId, Region};
use launchpath_model::{Gap, Known};
use serde::{Deserialize, Serialize};

use crate::question::{Destination, Flow};

/// The kind of artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artifact {
    /// A container image in ECR.
    Container,
    /// A zip in S3.
    Code,
}

/// The platform version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// The original one: the artifact is fetched when a session starts.
    V1,
    /// Snapshots: the artifact is fetched at create and update.
    V2,
}

/// What decides the needs of a launch.
#[derive(Clone, Debug)]
pub struct NeedsContext {
    /// The Region.
    pub region: Option<Region>,
    /// The account that holds the repository.
    pub registry_account: Option<AccountId>,
    /// False for PUBLIC mode: the customer's network carries nothing.
    pub in_vpc: bool,
    /// The platform version.
    pub platform: Platform,
    /// The artifact.
    pub artifact: Artifact,
    /// Whether AgentCore's own S3 gateway carries layers and code: for runtimes created before the change of 2026-05-05
    /// that did not opt out. Unknown while the roll-out is under way.
    pub managed_s3: Known<bool>,
    /// Whether the process exports traces.
    pub exports_traces: Known<bool>,
    /// Whether EFS or S3 Files are mounted.
    pub mounts_nfs: Known<bool>,
    /// Whether session storage is configured.
    pub session_storage: Known<bool>,
}

/// How well a need is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// AWS documents it.
    Documented,
    /// Written by AWS, outside of the product documentation.
    AwsAuthored,
    /// Seen in the field.
    Observed,
    /// Concluded.
    Inferred,
}

/// Whether the launch fails without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// The stage fails.
    Yes,
    /// The launch goes on; something is missing afterwards.
    No,
    /// It depends on what is not known.
    Unknown(Gap),
}

/// One thing a launch needs to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its id in the table.
    pub id: &'static str,
    /// The launch stage: `artifact_fetch`, `log_delivery`, `telemetry`, `mount`.
    pub stage: &'static str,
    /// The AWS service, as endpoint services call it.
    pub service: &'static str,
    /// The host name; empty when it is not a fixed one (mount targets).
    pub name: String,
    /// The TCP port.
    pub port: u16,
    /// What for.
    pub purpose: &'static str,
    /// Whether the launch fails without it.
    pub required: Required,
    /// How well that is known.
    pub level: Level,
    /// Where that stands.
    pub source: &'static str,
}

impl Need {
    /// The packets.
    pub fn flow(&self) -> Flow {
        Flow::tcp(self.port)
    }

    /// Where they go.
    pub fn destination(&self) -> Destination {
        Destination::Name(self.name.clone())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum When {
    Yes,
    No,
    UnlessManagedS3,
    IfExporting,
    IfMountingNfs,
    IfSessionStorage,
}

#[derive(Deserialize)]
struct NeedRow {
    id: String,
    stage: String,
    service: String,
    name: String,
    port: u16,
    artifact: String,
    required: When,
    purpose: String,
    evidence: Level,
    source: String,
}

#[expect(clippy::expect_used, reason = "the table is part of the program; a test reads it")]
static TABLE: LazyLock<Vec<NeedRow>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/needs.json")).expect("the table of needs"));

/// The needs of a launch, in the table's order. Empty in PUBLIC mode.
pub fn needs(context: &NeedsContext) -> Vec<Need> {
    if !context.in_vpc {
        return Vec::new();
    }
    let wanted = match context.artifact {
        Artifact::Container => "container",
        Artifact::Code => "code",
    };
    let rows = TABLE.iter().filter(|row| row.artifact == "any" || row.artifact == wanted);
    rows.filter_map(|row| {
        let required = required(row.required, context)?;
        Some(Need {
            id: &row.id,
            stage: &row.stage,
            service: &row.service,
            name: fill(&row.name, context),
            port: row.port,
            purpose: &row.purpose,
            required,
            level: row.evidence,
            source: &row.source,
        })
    })
    .collect()
}

fn fill(template: &str, context: &NeedsContext) -> String {
    let mut name = template.to_owned();
    if let Some(region) = &context.region {
        name = name.replace("{region}", region.as_str());
        if region.as_str().starts_with("cn-") {
            name = name.replace("amazonaws.com", "amazonaws.com.cn");
        }
    }
    // Any account's registry has the same address; the label only has to be one.
    let account = context.registry_account.as_ref().map_or("000000000000", |account| account.as_str());
    name.replace("{account}", account)
}

/// `None`: not a need of this launch.
fn required(when: When, context: &NeedsContext) -> Option<Required> {
    let if_true = |known: &Known<bool>, yes: bool| match known {
        Known::Known(fact) if fact.value == yes => Some(Required::Yes),
        Known::Known(_) | Known::Absent(_) => None,
        Known::Unknown(gap) => Some(Required::Unknown(gap.clone())),
    };
    match when {
        When::Yes => Some(Required::Yes),
        When::No => Some(Required::No),
        When::UnlessManagedS3 => match &context.managed_s3 {
            Known::Known(fact) if fact.value => None,
            Known::Known(_) | Known::Absent(_) => Some(Required::Yes),
            Known::Unknown(gap) => Some(Required::Unknown(gap.clone())),
        },
        When::IfExporting => match if_true(&context.exports_traces, true) {
            // Lost spans do not stop a launch.
            Some(Required::Yes) => Some(Required::No),
            other => other,
        },
        When::IfMountingNfs => if_true(&context.mounts_nfs, true),
        When::IfSessionStorage => if_true(&context.session_storage, true),
    }
}

#[cfg(test)]
mod tests {
    use launchpath_model::{Gap, Known};

    use super::{Artifact, NeedsContext, Platform, Required, needs};

    fn context(artifact: Artifact, managed_s3: Known<bool>) -> NeedsContext {
        NeedsContext {
            region: Some("us-east-1".into()),
            registry_account: Some("123456789012".into()),
            in_vpc: true,
            platform: Platform::V1,
            artifact,
            managed_s3,
            exports_traces: Known::seen(false, Vec::new()),
            mounts_nfs: Known::seen(false, Vec::new()),
            session_storage: Known::seen(false, Vec::new()),
        }
    }

    #[test]
    fn layers_come_through_the_vpc_since_the_change() {
        let ids = |managed: bool| -> Vec<&str> {
            needs(&context(Artifact::Container, Known::seen(managed, Vec::new())))
                .iter()
                .map(|need| need.id)
                .collect()
        };
        assert_eq!(ids(false), ["ecr_api", "ecr_dkr", "image_layers", "logs"]);
        assert_eq!(ids(true), ["ecr_api", "ecr_dkr", "logs"]);
    }

    #[test]
    fn an_unknown_gateway_makes_the_need_unknown() {
        let gap = Gap::not_asked("when the runtime was created", "aws …");
        let list = needs(&context(Artifact::Code, Known::Unknown(gap.clone())));
        assert_eq!(list[0].required, Required::Unknown(gap));
    }

    #[test]
    fn names_are_filled_in() {
        let list = needs(&context(Artifact::Container, Known::seen(false, Vec::new())));
        assert_eq!(list[1].name, "123456789012.dkr.ecr.us-east-1.amazonaws.com");
        assert_eq!(list[2].name, "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com");
    }
}
