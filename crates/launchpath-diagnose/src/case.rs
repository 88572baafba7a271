//! The case: one runtime in one world, with the look-ups every stage, fault and comparison shares.
//!
//! Nothing is decided here. Each look-up is three-valued and knows the command that would tell; start with [`Case`].

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use launchpath_model::aws::agentcore::{
    NetworkMode, PlatformVersion, Runtime, RuntimeEndpoint, RuntimeStatus, ServerProtocol, VpcConfig,
};
use launchpath_model::aws::image::{ImageDetail, ImageUri};
use launchpath_model::aws::role::Role;
use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::aws::vpc::Subnet;
use launchpath_model::ids::{RuntimeId, SubnetId, VpcId};
use launchpath_model::world::{Invocation, LogRecord};
use launchpath_model::{
    Arn, EvidenceId, Gap, Known, Outcome, Row, Selection, Target, Timestamp, World, command, service,
};
use serde_json::{Value, json};

use crate::experiment;
use crate::paths::{KnownPaths, Paths};
use crate::permissions::RolePolicies;

/// CloudTrail delivers management events within about 15 minutes.
///
/// AWS: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>
pub const TRAIL_LAG_SECONDS: i64 = 15 * 60;

/// Log lines of a new session may take ten minutes to show; field reports that read earlier saw nothing.
pub const LOG_LAG_SECONDS: i64 = 10 * 60;

/// Where the runtime's own traffic leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Through the service's network.
    Public,
    /// Through interfaces in the customer's subnets.
    Vpc,
}

/// Generation of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Boots for each session.
    V1,
    /// Restores a snapshot.
    V2,
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// A container image.
    Container,
    /// A code zip.
    CodeZip,
    /// Not known.
    Unknown,
}

/// What decides which stages there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// PUBLIC or VPC; `None` when not known or when a capacity provider decides.
    pub mode: Option<Mode>,
    /// V1 or V2.
    pub platform: Platform,
    /// Why the platform is taken for what it is, when the runtime does not say.
    pub platform_assumed: Option<&'static str>,
    /// Container or zip.
    pub artifact: ArtifactKind,
    /// The protocol.
    pub protocol: ServerProtocol,
    /// Whether file systems are mounted.
    pub mounts: bool,
    /// Whether a capacity provider runs it.
    pub capacity_provider: bool,
}

/// One runtime in one world.
pub struct Case<'a> {
    /// The world.
    pub world: &'a World,
    /// The runtime's id, when it can be told.
    pub id: Option<RuntimeId>,
    /// The endpoint asked about.
    pub endpoint: String,
    /// The combination.
    pub combination: Combination,
    shared: Option<&'a KnownPaths>,
    paths: OnceLock<Arc<Paths>>,
    image: OnceLock<Known<&'a ImageDetail>>,
    invocations: OnceLock<Vec<&'a Invocation>>,
    rehearsal: OnceLock<Option<String>>,
    role_policies: OnceLock<RolePolicies>,
    log_lines: OnceLock<Known<Vec<&'a LogRecord>>>,
}

impl<'a> Case<'a> {
    /// The case of the world's subject.
    pub fn new(world: &'a World) -> Self {
        Self::of(world, world.subject_id(), world.endpoint().to_owned())
    }

    /// The case of the world's subject, which shares what others have worked out of the same network.
    pub(crate) fn sharing(world: &'a World, shared: &'a KnownPaths) -> Self {
        Self { shared: Some(shared), ..Self::new(world) }
    }

    /// The case of another runtime of the same world.
    pub fn of(world: &'a World, id: Option<RuntimeId>, endpoint: String) -> Self {
        let runtime = id.as_ref().and_then(|id| described(world, id)).map(|row| &row.value);
        Self {
            world,
            combination: combination(runtime),
            id,
            endpoint,
            shared: None,
            paths: OnceLock::new(),
            image: OnceLock::new(),
            invocations: OnceLock::new(),
            rehearsal: OnceLock::new(),
            role_policies: OnceLock::new(),
            log_lines: OnceLock::new(),
        }
    }

    /// The runtime, as described; where its creation was refused, as it was asked for.
    pub fn runtime(&self) -> Option<&'a Runtime> {
        described(self.world, self.id.as_ref()?).map(|row| &row.value)
    }

    /// The calls that describe the runtime.
    pub fn runtime_evidence(&self) -> Vec<EvidenceId> {
        let row = self.id.as_ref().and_then(|id| described(self.world, id));
        row.map(|row| row.evidence.clone()).unwrap_or_default()
    }

    /// The runtime, three-valued.
    pub fn known_runtime(&self) -> Known<&'a Runtime> {
        let id = self.id.clone().unwrap_or_default();
        self.world.runtimes.find(&id, || {
            self.target(format!("the description of runtime {id}"), self.describe_command())
                .with("agentRuntimeId", id.as_str())
        })
    }

    /// The command that describes the runtime, or lists those there are where nobody said which is meant.
    fn describe_command(&self) -> String {
        const SERVICE: &str = "bedrock-agentcore-control";
        match &self.id {
            Some(id) => self.command(SERVICE, "GetAgentRuntime", &json!({ "agentRuntimeId": id.as_str() })),
            None => self.command(SERVICE, "ListAgentRuntimes", &json!({})),
        }
    }

    /// What only the runtime's description names, and why that is not known.
    pub fn undescribed(&self, what: &str) -> Gap {
        match self.known_runtime() {
            Known::Unknown(gap) => Gap { what: what.to_owned(), ..gap },
            _ => Gap::not_asked(what, self.describe_command()),
        }
    }

    /// An endpoint of the runtime by its name, three-valued.
    pub fn known_endpoint(&self, name: &str) -> Known<&'a RuntimeEndpoint> {
        let id = self.id.clone().unwrap_or_default();
        let request = json!({ "agentRuntimeId": id.as_str() });
        let command = self.command("bedrock-agentcore-control", "ListAgentRuntimeEndpoints", &request);
        let target = self
            .target(format!("endpoint {name} of {id}"), command)
            .with("agentRuntimeId", id.as_str())
            .with("endpointName", name);
        self.world.runtime_endpoints.get(&(id, name.to_owned()), &target)
    }

    /// Subnets and groups, for VPC mode.
    pub fn vpc_config(&self) -> Option<&'a VpcConfig> {
        self.runtime()?.vpc_config().filter(|_| self.combination.mode == Some(Mode::Vpc))
    }

    /// The runtime's state.
    pub fn status(&self) -> Option<&'a RuntimeStatus> {
        self.runtime()?.status.as_ref()
    }

    /// Whether the runtime is READY (or serves an older version while an update is under way or failed).
    pub fn is_ready(&self) -> bool {
        self.status() == Some(&RuntimeStatus::Ready)
    }

    /// When the runtime was created.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.runtime()?.created_at
    }

    /// When the runtime was last changed.
    pub fn changed_at(&self) -> Option<Timestamp> {
        let runtime = self.runtime()?;
        runtime.last_updated_at.or(runtime.created_at)
    }

    /// When the current version was asked for. V2 builds, and V1 warms up, before the state changes (`lastUpdatedAt`): what a
    /// process of the version printed may be older than that change, never older than the request.
    pub fn version_since(&self) -> Option<Timestamp> {
        if self.runtime()?.agent_runtime_version.as_deref() == Some("1") {
            return self.created_at();
        }
        let changed = self.changed_at();
        let id = self.id.as_ref().map(RuntimeId::as_str);
        let update = |event: &TrailEvent| {
            event.succeeded() && event.request_text("agentRuntimeId") == id && event.event_time <= changed
        };
        let updates = self.trail("UpdateAgentRuntime", update).rows;
        updates.iter().filter_map(|row| row.value.event_time).max().or(changed)
    }

    /// A target in the world's Region and account.
    pub fn target(&self, what: impl Into<String>, command: impl Into<String>) -> Target {
        Target::new(what, command)
            .in_region(self.world.region.as_ref())
            .in_account(self.world.account.as_ref())
    }

    /// A target of a global service.
    fn global_target(&self, what: impl Into<String>, command: impl Into<String>) -> Target {
        Target::new(what, command).in_account(self.world.account.as_ref())
    }

    /// The AWS CLI command for a call in the world's Region.
    pub fn command(&self, service: &str, operation: &str, request: &Value) -> String {
        command::aws_cli(
            service,
            operation,
            self.world.region.as_ref().map(launchpath_model::ids::Region::as_str),
            request,
        )
    }

    /// A subnet.
    pub fn subnet(&self, id: &SubnetId) -> Known<&'a Subnet> {
        self.world.network.subnets.find(id, || {
            let command = self.command("ec2", "DescribeSubnets", &json!({ "SubnetIds": [id.as_str()] }));
            self.target(format!("subnet {id}"), command)
                .with("SubnetIds", id.as_str())
                .with("subnet-id", id.as_str())
        })
    }

    /// The VPC of the runtime's subnets, when one of them was seen.
    pub fn vpc_id(&self) -> Option<VpcId> {
        let subnets = &self.vpc_config()?.subnets;
        subnets.iter().find_map(|id| self.world.network.subnets.seen(id)).map(|row| row.value.vpc_id.clone())
    }

    /// A role by name.
    pub fn role(&self, name: &str) -> Known<&'a Role> {
        self.world.roles.find(&name.to_owned(), || {
            let command = self.command("iam", "GetRole", &json!({ "RoleName": name }));
            self.global_target(format!("role {name}"), command).with("RoleName", name)
        })
    }

    /// The execution role's name.
    pub fn execution_role_name(&self) -> Option<String> {
        let arn: Arn = self.runtime()?.role_arn.as_ref()?.parse().ok()?;
        Some(arn.resource_name().to_owned())
    }

    /// The execution role's policies, read once.
    pub(crate) fn execution_role_policies(&self) -> Option<(String, &RolePolicies)> {
        let name = self.execution_role_name()?;
        let policies = self.role_policies.get_or_init(|| RolePolicies::read(self, &name));
        Some((name, policies))
    }

    /// The image's address.
    pub fn image_uri(&self) -> Option<ImageUri> {
        self.runtime()?.container_uri()?.parse().ok()
    }

    /// The image's details, by the tag or digest the runtime names.
    pub fn image(&self) -> Known<&'a ImageDetail> {
        self.image.get_or_init(|| self.look_up_image()).clone()
    }

    fn look_up_image(&self) -> Known<&'a ImageDetail> {
        let Some(uri) = self.image_uri() else {
            return Known::Unknown(self.undescribed("the image's details"));
        };
        let ecr = uri.ecr();
        // Another registry may have a repository of that name.
        let selects = |(repository, digest): &(String, String), detail: &ImageDetail| {
            let owner = detail.registry_id.as_ref().zip(ecr.as_ref());
            repository == &uri.repository
                && owner.is_none_or(|(owner, ecr)| *owner == ecr.account)
                && match &uri.digest {
                    Some(wanted) => digest == wanted,
                    None => detail.image_tags.iter().flatten().any(|tag| Some(tag) == uri.tag.as_ref()),
                }
        };
        let in_region = |row: &Row<ImageDetail>| {
            let calls = row.evidence.iter().filter_map(|id| self.world.evidence.get(id));
            let mut asked = calls.filter_map(|call| call.region.as_ref()).peekable();
            let Some(ecr) = ecr.as_ref().filter(|_| asked.peek().is_some()) else { return true };
            asked.any(|region| region.as_str() == ecr.region)
        };
        let found = self.world.images.iter().find(|(key, row)| selects(key, &row.value) && in_region(row));
        if let Some((_, row)) = found {
            return Known::seen(&row.value, row.evidence.clone());
        }
        match self.world.images.select(&self.image_target(&uri), selects).complete {
            Ok(absence) => Known::Absent(absence),
            Err(gap) => Known::Unknown(gap),
        }
    }

    fn image_target(&self, uri: &ImageUri) -> Target {
        let selector = if uri.digest.is_some() { "imageDigest" } else { "imageTag" };
        let request = json!({ "repositoryName": uri.repository, "imageIds": [{ selector: uri.selector() }] });
        let ecr = uri.ecr();
        let region = ecr.as_ref().map(|ecr| launchpath_model::ids::Region::from(ecr.region.as_str()));
        let command =
            command::aws_cli("ecr", "DescribeImages", ecr.as_ref().map(|ecr| ecr.region.as_str()), &request);
        let mut target = Target::new(format!("image {}:{}", uri.repository, uri.selector()), command)
            .in_region(region.as_ref().or(self.world.region.as_ref()))
            .with("repositoryName", &uri.repository)
            .with("imageIds", uri.selector());
        if let Some(ecr) = ecr {
            let own = self.world.account.as_ref().is_some_and(|account| account.as_str() == ecr.account);
            target = target.with("registryId", &ecr.account);
            if !own {
                target = target.only_if_asked("registryId", "the default registry is the caller's own");
            }
        }
        target
    }

    /// The runtime's log group for the endpoint asked about.
    pub fn log_group(&self) -> Option<String> {
        Some(self.runtime()?.log_group(&self.endpoint))
    }

    /// The lines of the runtime's log group, three-valued: `Known` with lines, `Absent` when a valid query saw none.
    pub fn log_lines(&self) -> Known<Vec<&'a LogRecord>> {
        self.log_lines.get_or_init(|| self.look_up_log_lines()).clone()
    }

    fn look_up_log_lines(&self) -> Known<Vec<&'a LogRecord>> {
        let Some(group) = self.log_group() else {
            // Which of a runtime's versions printed a line, only its description tells.
            return Known::Unknown(self.undescribed("the runtime's log lines"));
        };
        if let Some(row) = self.world.log_events.seen(&group).filter(|row| !row.value.is_empty()) {
            return Known::seen(row.value.iter().collect(), row.evidence.clone());
        }
        let command = self.command("logs", "FilterLogEvents", &json!({ "logGroupName": group }));
        let mut target = self
            .target(format!("log lines of {group}"), command)
            .with("logGroupName", &group)
            .with("logGroupIdentifier", &group);
        if let Some(from) = self.latest_invocation().and_then(|call| call.at).or(self.changed_at()) {
            target = target.between(from, from, LOG_LAG_SECONDS);
        }
        let selection =
            self.world.log_events.select(&target, |name, lines| name == &group && !lines.is_empty());
        match selection.complete {
            Ok(absence) => Known::Absent(absence),
            Err(gap) => Known::Unknown(gap),
        }
    }

    /// Whether the lines that are known are a selection of a larger log: then the lack of a line shows nothing.
    pub fn log_is_selection(&self) -> bool {
        let group = self.log_group().unwrap_or_default();
        let Some(row) = self.world.log_events.seen(&group) else { return false };
        row.evidence.iter().filter_map(|id| self.world.evidence.get(id)).any(|call| {
            call.operation == "ReadLogs"
                && call.request_member("selection").and_then(Value::as_bool) != Some(false)
        })
    }

    /// Trail events of a name, newest knowledge first, and whether they are all there are since creation.
    pub fn trail(&self, name: &str, condition: impl Fn(&TrailEvent) -> bool) -> Selection<'a, TrailEvent> {
        let command = self.command(
            "cloudtrail",
            "LookupEvents",
            &json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": name }] }),
        );
        let mut target = self.target(format!("{name} events"), command).with("EventName", name);
        if let (Some(from), Some(to)) = (self.created_at(), self.world.collected_at) {
            // What matters happens within minutes of the last change.
            let until = self.changed_at().unwrap_or(from).plus_seconds(60);
            target = target.between(from, until.min(to), TRAIL_LAG_SECONDS);
        }
        self.world.trail.select(&target, |_, event| event.event_name == name && condition(event))
    }

    /// Invocations of this runtime and endpoint, oldest first.
    pub fn invocations(&self) -> Vec<&'a Invocation> {
        self.own_invocations().to_vec()
    }

    fn own_invocations(&self) -> &[&'a Invocation] {
        self.invocations.get_or_init(|| {
            let mut calls: Vec<&Invocation> =
                self.world.invocations.iter().filter(|call| self.is_about(call)).collect();
            calls.sort_by_key(|call| (call.at, call.evidence.clone()));
            calls
        })
    }

    fn is_about(&self, call: &Invocation) -> bool {
        let Some(id) = &self.id else { return true };
        let arn = self.runtime().and_then(|runtime| runtime.agent_runtime_arn.as_deref());
        let same_runtime = call.runtime.as_deref().is_none_or(|named| {
            Some(named) == arn || named == id.as_str() || named.rsplit('/').next() == Some(id.as_str())
        });
        same_runtime && call.qualifier == self.endpoint
    }

    /// The latest invocation.
    pub fn latest_invocation(&self) -> Option<&'a Invocation> {
        self.own_invocations().last().copied()
    }

    /// Installed distributions of the image, as rehearsals and inspections of it list them.
    pub fn distributions(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for (inspection, _) in experiment::inspections(self) {
            all.extend(inspection.distributions.clone());
        }
        for (rehearsal, _) in experiment::rehearsals(self) {
            all.extend(rehearsal.distributions.clone());
        }
        all
    }

    /// The image by digest where it is known, so that a moved tag cannot mislead.
    pub fn pinned_image(&self) -> Option<String> {
        let uri = self.image_uri()?;
        let digest = self.image().value().map(|image| image.image_digest.clone()).or(uri.digest.clone());
        Some(match digest {
            Some(digest) => format!("{}/{}@{digest}", uri.registry, uri.repository),
            None => format!("{}/{}:{}", uri.registry, uri.repository, uri.selector()),
        })
    }

    /// The command that runs the image here under the service's contract; `None` when the input names no image.
    pub fn rehearse_command(&self) -> Option<String> {
        self.rehearsal.get_or_init(|| self.command_to_rehearse()).clone()
    }

    fn command_to_rehearse(&self) -> Option<String> {
        let image = self.pinned_image()?;
        let runtime = self.runtime()?;
        let protocol = match runtime.protocol() {
            ServerProtocol::Http => String::new(),
            other => format!(" --protocol {other}"),
        };
        let port = runtime.port();
        let port =
            if port == runtime.protocol().default_port() { String::new() } else { format!(" --port {port}") };
        Some(format!("launchpath rehearse {}{protocol}{port}", command::quote(&image)))
    }

    /// The same, in a network that lets through what the diagnosed VPC does.
    pub fn rehearse_in_vpc_command(&self) -> Option<String> {
        self.rehearse_command().map(|command| format!("{command} --network bundle:CASE"))
    }

    /// Network paths of the launch, computed once.
    pub fn paths(&self) -> &Paths {
        self.paths.get_or_init(|| match self.shared {
            Some(shared) => shared.paths(self),
            None => Arc::new(Paths::of(self)),
        })
    }

    /// The errors the user met: of the latest invocation, or as a person reported them.
    pub fn symptom(&self) -> Option<Symptom> {
        if let Some(call) = self.latest_invocation() {
            if call.outcome == Outcome::Ok {
                return None;
            }
            let error = call.error.clone().unwrap_or_default();
            return Some(Symptom {
                text: format!("{}: {}", error.code, error.message),
                at: call.at,
                evidence: vec![call.evidence.clone()],
                reported: false,
            });
        }
        let said = self.world.statements.iter().find(|statement| {
            statement.is_error_seen || service::recognise_error(&statement.text).is_some()
        })?;
        Some(Symptom {
            text: said.text.clone(),
            at: None,
            evidence: vec![said.evidence.clone()],
            reported: true,
        })
    }
}

/// What the user met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// The error, code and text.
    pub text: String,
    /// When.
    pub at: Option<Timestamp>,
    /// The call or statement.
    pub evidence: Vec<EvidenceId>,
    /// True when only a person says so.
    pub reported: bool,
}

/// The description of a runtime, else what was asked for when its creation was refused: by name, or by name and suffix.
fn described<'a>(world: &'a World, id: &RuntimeId) -> Option<&'a Row<Runtime>> {
    let asked_for = |name: &str| world.refused_runtimes.seen(&name.to_owned());
    let id_as_name = id.as_str();
    world
        .runtimes
        .seen(id)
        .or_else(|| asked_for(id_as_name))
        .or_else(|| asked_for(id_as_name.rsplit_once('-')?.0))
}

fn combination(runtime: Option<&Runtime>) -> Combination {
    let mode = match runtime.and_then(Runtime::network_mode) {
        Some(NetworkMode::Public) => Some(Mode::Public),
        Some(NetworkMode::Vpc) => Some(Mode::Vpc),
        Some(NetworkMode::Other(_)) | None => None,
    };
    let (platform, platform_assumed) = platform(runtime);
    let artifact = match runtime {
        Some(runtime) if runtime.container_uri().is_some() => ArtifactKind::Container,
        Some(runtime) if runtime.code().is_some() => ArtifactKind::CodeZip,
        _ => ArtifactKind::Unknown,
    };
    Combination {
        mode,
        platform,
        platform_assumed,
        artifact,
        protocol: runtime.map_or(ServerProtocol::Http, Runtime::protocol),
        mounts: runtime
            .and_then(|r| r.filesystem_configurations.as_ref())
            .is_some_and(|list| !list.is_empty()),
        capacity_provider: runtime.is_some_and(|r| r.capacity_provider_configuration.is_some()),
    }
}

fn platform(runtime: Option<&Runtime>) -> (Platform, Option<&'static str>) {
    match runtime.and_then(|runtime| runtime.platform_version.as_ref()) {
        Some(PlatformVersion::V2) => (Platform::V2, None),
        Some(PlatformVersion::V1) => (Platform::V1, None),
        Some(PlatformVersion::Other(_)) => {
            (Platform::V1, Some("the platform version is not one this program knows"))
        }
        None => {
            let changed = runtime.and_then(|r| r.last_updated_at.or(r.created_at));
            let (available, _) = service::date("platform_v2_available");
            if changed.is_some_and(|when| when < available) {
                (Platform::V1, None)
            } else {
                (Platform::V1, Some("GetAgentRuntime answered without platformVersion"))
            }
        }
    }
}
