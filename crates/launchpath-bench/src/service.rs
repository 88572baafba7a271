//! The simulated service: walks a launch as AgentCore Runtime does and says how it ends and what it leaves behind.
//!
//! Written from what is documented and observed of the service (launch sequence, error texts, traces), apart from the code
//! that diagnoses. It decides reachability by its own few rules over the deployment, not by the packet engine.

use crate::deployment::{Artifact, Deployment, Exit, Peer, Topology};
use crate::process::{Does, Process};
use crate::random::Random;

/// How a launch ended, and its traces.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) ending: Ending,
    /// The interfaces were made.
    pub(crate) interfaces: bool,
    /// A dry run was refused with this code and message.
    pub(crate) dry_run_refused: Option<(&'static str, String)>,
    /// A version was built: the execution role was assumed for the build.
    pub(crate) built: bool,
    /// A session was placed: the execution role was assumed for it.
    pub(crate) placed: bool,
    /// Lines in the runtime's log; `None` where nothing arrived.
    pub(crate) log: Option<Vec<(i64, String)>>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// The creation was refused: there is no runtime.
    Refused { code: &'static str, message: String },
    /// The runtime's state is `CREATE_FAILED`.
    CreateFailed { reason: String },
    /// READY, and the call failed.
    CallFailed { code: &'static str, message: String, http: u16 },
    /// Something else is going on, and nobody called.
    InState,
    /// READY, and the call was answered.
    Answered,
    /// READY, and nobody called.
    NotCalled,
}

/// When the broken thing came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// It was there when the runtime was made.
    AtCreation,
    /// It came later.
    Later,
}

const HEALTH: &str = "Runtime health check failed or timed out. Please make sure that health check is implemented according to the requirements here";
const EXITED: &str =
    "An error occurred when starting the runtime. Please check your CloudWatch logs for more information.";
const OPAQUE: &str = "An internal error occurred while processing your request. Please try again.";

/// The limit of a code zip is 30 seconds, of a container 120.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/bedrock-agentcore-limits.html>
fn initialization(d: &Deployment) -> String {
    let seconds = if d.artifact == Artifact::CodeZip { 30 } else { 120 };
    format!(
        "Runtime initialization time exceeded. Please make sure that initialization completes in {seconds}s."
    )
}

/// Launches a deployment.
pub(crate) fn launch(d: &Deployment, when: When, random: &mut Random) -> Launch {
    let mut launch = Launch {
        ending: Ending::NotCalled,
        interfaces: false,
        dry_run_refused: None,
        built: false,
        placed: false,
        log: None,
    };
    launch.ending =
        if when == When::AtCreation { at_creation(d, &mut launch, random) } else { Ending::NotCalled };
    if !matches!(launch.ending, Ending::NotCalled) {
        return launch;
    }
    launch.interfaces = d.topology.in_vpc();
    launch.ending = match d.story.state {
        Some(_) if d.call_refused.is_none() => Ending::InState,
        _ => call(d, &mut launch, random),
    };
    launch
}

/// Everything before READY.
fn at_creation(d: &Deployment, launch: &mut Launch, random: &mut Random) -> Ending {
    if let Some((code, message)) = &d.creation_refused {
        return Ending::Refused { code, message: message.clone() };
    }
    if d.story.service_failed {
        return Ending::CreateFailed { reason: OPAQUE.to_owned() };
    }
    if !d.image_there {
        let message = format!("The specified image identifier does not exist: {}", d.image());
        return Ending::Refused { code: "ValidationException", message };
    }
    let unsupported: Vec<String> = d
        .subnets
        .iter()
        .filter(|subnet| subnet.zone_id == "use1-az3")
        .map(|subnet| format!("{} in {} ({})", subnet.id, subnet.zone, subnet.zone_id))
        .collect();
    if !unsupported.is_empty() {
        return Ending::CreateFailed {
            reason: format!(
                "The following subnets are in unsupported availability zones in region us-east-1: {}. Supported availability zones: use1-az1, use1-az2, use1-az4",
                unsupported.join(", ")
            ),
        };
    }
    if let Some(message) = &d.network_role_denied {
        launch.dry_run_refused = Some(("Client.UnauthorizedOperation", message.clone()));
        return Ending::CreateFailed { reason: message.clone() };
    }
    if d.subnets.iter().any(|subnet| subnet.free_addresses == 0) {
        let message = format!(
            "Insufficient free addresses in subnet '{}'.",
            d.subnets.first().map(|s| s.id.as_str()).unwrap_or_default()
        );
        launch.dry_run_refused = Some(("Client.InsufficientFreeAddressesInSubnet", message.clone()));
        return Ending::CreateFailed { reason: message };
    }
    launch.interfaces = d.topology.in_vpc();
    if !d.v2 {
        return Ending::NotCalled;
    }
    // V2 builds: pulls, boots, probes, takes a snapshot.
    launch.built = true;
    if !pulls(d) {
        let opaque = d.topology.in_vpc() && random.once_in(2);
        return Ending::CreateFailed { reason: if opaque { OPAQUE.to_owned() } else { initialization(d) } };
    }
    if d.process.boots() {
        return Ending::NotCalled;
    }
    launch.log = delivered(d, &d.process);
    let late = d.process.does == Does::StartsLate;
    Ending::CreateFailed { reason: if late { initialization(d) } else { HEALTH.to_owned() } }
}

/// A call of a READY runtime.
fn call(d: &Deployment, launch: &mut Launch, random: &mut Random) -> Ending {
    if !d.mmdsv2 {
        let message = "This runtime is not MMDSv2-enabled".to_owned();
        return Ending::CallFailed { code: "ValidationException", message, http: 400 };
    }
    if let Some((code, message, http)) = &d.call_refused {
        return Ending::CallFailed { code, message: message.clone(), http: *http };
    }
    let failed = |message: &str| Ending::CallFailed {
        code: "RuntimeClientError",
        message: message.to_owned(),
        http: 424,
    };
    if !d.trust.to_string().contains("\"bedrock-agentcore.amazonaws.com\"")
        || !d.trust.to_string().contains(crate::deployment::ACCOUNT)
    {
        return failed(&initialization(d));
    }
    launch.placed = true;
    if !d.v2 && !pulls(d) {
        // The first call after a blocked pull times out, later ones fail their probe.
        return failed(&if random.once_in(2) { initialization(d) } else { HEALTH.to_owned() });
    }
    launch.log = delivered(d, &d.process);
    match d.process.does {
        Does::Answers => Ending::Answered,
        Does::Exits => failed([HEALTH, &initialization(d), EXITED][random.below(3)]),
        Does::FailsItsProbe | Does::StopsAnsweringAtWork => failed(HEALTH),
        Does::StartsLate | Does::FailsEveryFirstRequest => failed(&initialization(d)),
        Does::AnswersWith(status) => failed(&format!(
            "Received error ({status}) from runtime. Please check your CloudWatch logs for more information."
        )),
        Does::OutlastsTheCaller => Ending::CallFailed {
            code: "ReadTimeoutError",
            message: "Read timeout on endpoint URL: \"https://bedrock-agentcore.us-east-1.amazonaws.com/\""
                .to_owned(),
            http: 0,
        },
    }
}

/// Whether image or code arrives: rights, the thing itself, and a way to ECR and S3.
fn pulls(d: &Deployment) -> bool {
    if d.artifact == Artifact::CodeZip {
        return reaches(d, "s3");
    }
    let repository = format!("repository/{}\"", d.name);
    let may = d.policy.iter().any(|statement| {
        let text = statement.to_string();
        text.contains("ecr:BatchGetImage") && text.contains(&repository)
    });
    may && d.image_there
        && d.image_arch == "arm64"
        && ["ecr.api", "ecr.dkr", "s3"].iter().all(|service| reaches(d, service))
}

/// What arrives in the log of what is printed; `None` where not even the group could be made.
fn delivered(d: &Deployment, process: &Process) -> Option<Vec<(i64, String)>> {
    let may = d.policy.iter().any(|statement| statement.to_string().contains("logs:PutLogEvents"));
    (may && !d.story.log_key_shut && reaches(d, "logs")).then(|| process.printed.clone())
}

/// Whether the runtime's packets reach a service, and the answers come back, from every subnet.
fn reaches(d: &Deployment, service: &str) -> bool {
    if d.topology == Topology::Public {
        return true;
    }
    if service == "s3" && d.old && !d.v2 {
        return true; // The service's own gateway.
    }
    if !d.dns_support {
        return false;
    }
    if service == "s3" && d.s3_gateway && d.s3_gateway_on_table {
        let layers = d.s3_policy["Statement"][0]["Action"] == "*";
        let out = d.egress.iter().any(|peer| matches!(peer, Peer::Anywhere));
        return layers && out && acl_passes(d);
    }
    let endpoint = d.endpoints.iter().find(|endpoint| endpoint.service == service);
    if endpoint.is_some_and(|endpoint| endpoint.private_dns) && d.dns_hostnames {
        let out = d.egress.iter().any(|peer| match peer {
            Peer::Anywhere | Peer::Block("10.0.0.0/16") => true,
            Peer::Group(group) => *group == d.endpoint_group,
            Peer::Block(_) => false,
        });
        let in_ = d.endpoint_ingress.iter().any(|peer| match peer {
            Peer::Anywhere | Peer::Block("10.0.0.0/16") => true,
            Peer::Group(group) => *group == d.runtime_group,
            Peer::Block(_) => false,
        });
        return out && in_;
    }
    let out = d.egress.contains(&Peer::Anywhere);
    out && matches!(d.exit, Exit::Nat | Exit::TransitGateway) && acl_passes(d)
}

/// Whether the subnets' network ACL lets requests to 443 out and answers to ephemeral ports in: first match by number.
fn acl_passes(d: &Deployment) -> bool {
    let first = |egress: bool, port: u16| {
        let mut entries: Vec<_> = d.acl.iter().filter(|entry| entry.egress == egress).collect();
        entries.sort_by_key(|entry| entry.number);
        let matching = entries.into_iter().find(|entry| {
            let protocol = entry.protocol == "-1" || entry.protocol == "6";
            protocol && entry.ports.is_none_or(|(from, to)| (from..=to).contains(&port))
        });
        matching.is_some_and(|entry| entry.allow)
    };
    first(true, 443) && first(false, 40_000)
}
