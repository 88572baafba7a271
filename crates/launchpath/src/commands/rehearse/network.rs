//! `--network`: what the process reaches, and what of it the diagnosed VPC is proved to block.

use std::collections::BTreeSet;
use std::path::Path;

use launchpath_model::World;
use launchpath_model::aws::agentcore::{NetworkMode, Runtime, ServerProtocol};
use launchpath_model::ids::{SecurityGroupId, SubnetId};
use launchpath_net::dns::name_of_service;
use launchpath_net::{Destination, Engine, Flow, Source, Verdict};
use launchpath_rehearse::contract::Protocol;
use launchpath_rehearse::contract::judge::target;
use launchpath_rehearse::contract::terms::Network as Terms;
use launchpath_rehearse::sandbox::{Allowed, Network as Plan};
use launchpath_rehearse::subject::{Attempt, Reach};

use crate::disk;
use crate::failure::Failure;

/// Services of AWS that agents call, by the last part of their endpoint service names. What is not here is not answered by a
/// stand-in; whether the VPC lets it through is still told afterwards.
const SERVICES: &[&str] = &[
    "bedrock-runtime",
    "bedrock",
    "bedrock-agent-runtime",
    "bedrock-agent",
    "bedrock-agentcore",
    "bedrock-agentcore.gateway",
    "bedrock-agentcore-control",
    "sts",
    "secretsmanager",
    "ssm",
    "s3",
    "dynamodb",
    "kms",
    "logs",
    "monitoring",
    "xray",
    "sqs",
    "sns",
    "lambda",
    "events",
    "states",
    "ecr.api",
    "ecr.dkr",
];

/// What `--network` means.
pub(crate) struct Network {
    /// The word for the record.
    pub(crate) word: &'static str,
    /// For the sandbox.
    pub(crate) plan: Plan,
    vpc: Option<Vpc>,
}

/// The diagnosed runtime's way out.
struct Vpc {
    world: World,
    subnets: Vec<SubnetId>,
    groups: Vec<SecurityGroupId>,
}

/// What the evidence says about the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Configured {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) port: Option<u16>,
    pub(crate) path: Option<String>,
    pub(crate) is_code: bool,
    pub(crate) entry_point: Vec<String>,
    pub(crate) runtime: Option<String>,
}

impl Network {
    /// Reads the word of the command line.
    pub(crate) fn read(word: &str) -> Result<(Self, Configured), Failure> {
        let plain = |word, plan| Ok((Self { word, plan, vpc: None }, Configured::default()));
        match word {
            "none" => plain("none", Plan::Nothing),
            "host-blocked" => plain("host-blocked", Plan::HostBlocked),
            _ => match word.strip_prefix("bundle:") {
                Some(path) if !path.is_empty() => Self::of_bundle(Path::new(path)),
                _ => Err(Failure::usage(anyhow::anyhow!(
                    "--network: `{word}` is none of none, host-blocked and bundle:PATH"
                ))),
            },
        }
    }

    fn of_bundle(path: &Path) -> Result<(Self, Configured), Failure> {
        let world = disk::open(path)?;
        let missing = |what: &str| {
            Failure::usage(anyhow::anyhow!("--network: {}: {what}", path.display()))
                .advise("collect the runtime's evidence with `launchpath collect`, or use --network none")
        };
        let id = world.subject_id().ok_or_else(|| missing("the evidence names no runtime"))?;
        let runtime =
            world.runtimes.seen(&id).ok_or_else(|| missing("the evidence does not describe its runtime"))?;
        let configured = configured(&runtime.value);
        if runtime.value.network_mode() == Some(&NetworkMode::Public) {
            return Err(Failure::usage(anyhow::anyhow!(
                "--network: {}: its runtime is in network mode PUBLIC, so no VPC holds it to anything",
                path.display()
            ))
            .advise("use --network none"));
        }
        let config = runtime.value.vpc_config().filter(|config| !config.subnets.is_empty());
        let config = config.ok_or_else(|| missing("its runtime names no subnets"))?;
        let (subnets, groups) = (config.subnets.clone(), config.security_groups.clone());
        let vpc = Vpc { world, subnets, groups };
        let plan = Plan::Bundle(vpc.allowed());
        Ok((Self { word: "bundle", plan, vpc: Some(vpc) }, configured))
    }

    /// Names that the stand-in answers.
    pub(crate) fn stand_ins(&self) -> Vec<String> {
        match &self.plan {
            Plan::Bundle(allowed) => {
                let open = allowed.iter().filter(|allowed| !allowed.ports.is_empty());
                open.map(|allowed| allowed.name.clone()).collect()
            }
            Plan::Nothing | Plan::HostBlocked => Vec::new(),
        }
    }

    /// What judging may hold against the process, of what it tried.
    pub(crate) fn terms(&self, attempts: Option<&[Attempt]>) -> Terms {
        let Some(vpc) = &self.vpc else { return Terms::Cut };
        let engine = Engine::new(&vpc.world.network);
        let attempts = attempts.unwrap_or_default();
        let blocked: BTreeSet<String> =
            attempts.iter().filter(|attempt| vpc.blocks(&engine, attempt)).map(target).collect();
        Terms::AsDiagnosed { blocked }
    }
}

impl Vpc {
    fn allowed(&self) -> Vec<Allowed> {
        let region = self.world.network.region.as_ref().or(self.world.region.as_ref());
        let Some(region) = region.map(launchpath_model::ids::Region::as_str) else { return Vec::new() };
        let engine = Engine::new(&self.world.network);
        let mut allowed = Vec::new();
        for service in SERVICES {
            let name = name_of_service(service, region);
            // The service chooses the subnet: what one of them blocks is not let through. Public names resolve all the same,
            // and what is sent to them is lost.
            let open = self.verdicts(&engine, &Destination::service(service), 443).all(|v| v == Verdict::All);
            let ports = if open { vec![443] } else { Vec::new() };
            if matches!(*service, "s3" | "ecr.dkr" | "bedrock-agentcore.gateway") {
                let name = format!("*.{name}");
                allowed.push(Allowed { name, addresses: Vec::new(), ports: ports.clone() });
            }
            allowed.push(Allowed { name, addresses: Vec::new(), ports });
        }
        allowed
    }

    fn verdicts(&self, engine: &Engine<'_>, to: &Destination, port: u16) -> impl Iterator<Item = Verdict> {
        let answers: Vec<Verdict> = self
            .subnets
            .iter()
            .map(|subnet| {
                let source = Source::runtime(subnet.clone(), self.groups.clone());
                engine.reach(&source, to, &Flow::tcp(port)).verdict
            })
            .collect();
        answers.into_iter()
    }

    /// Whether every subnet is proved to block it. A look-up says no port: HTTPS is what agents look names up for.
    fn blocks(&self, engine: &Engine<'_>, attempt: &Attempt) -> bool {
        let (to, port) = match &attempt.what {
            Reach::Name(name) => (Destination::Name(name.clone()), 443),
            Reach::Address { to, name: Some(name), .. } => (Destination::Name(name.clone()), to.port()),
            Reach::Address { to, name: None, .. } => (Destination::Address(to.ip()), to.port()),
        };
        self.verdicts(engine, &to, port).all(|verdict| verdict == Verdict::None)
    }
}

fn configured(runtime: &Runtime) -> Configured {
    let protocol = match runtime.protocol() {
        ServerProtocol::Http => Some(Protocol::Http),
        ServerProtocol::Mcp => Some(Protocol::Mcp),
        ServerProtocol::A2a => Some(Protocol::A2a),
        ServerProtocol::Agui => Some(Protocol::Agui),
        ServerProtocol::Other(_) => None,
    };
    let configuration = runtime.protocol_configuration.as_ref();
    Configured {
        protocol,
        port: configuration.and_then(|configuration| configuration.port),
        path: configuration.and_then(|configuration| configuration.path.clone()),
        is_code: runtime.code().is_some(),
        entry_point: runtime.code().and_then(|code| code.entry_point.clone()).unwrap_or_default(),
        runtime: runtime.code().and_then(|code| code.runtime.clone()),
    }
}
