//! A deployment: everything that decides how a launch ends, as somebody would have built it. Sound until something is
//! injected ([`crate::injection`]).

use serde_json::{Value, json};

use crate::process::Process;
use crate::random::Random;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-east-1";

/// How the runtime's traffic leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topology {
    /// Through the service's own network.
    Public,
    /// Private subnets behind a NAT gateway.
    Nat,
    /// Endpoints only.
    Endpoints,
    /// Endpoints with private DNS, and a NAT gateway.
    Both,
    /// A default route to a transit gateway; what lies behind it is not in the evidence.
    TransitGateway,
}

impl Topology {
    pub(crate) const ALL: [Self; 5] =
        [Self::Public, Self::Nat, Self::Endpoints, Self::Both, Self::TransitGateway];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "PUBLIC",
            Self::Nat => "NAT",
            Self::Endpoints => "endpoints",
            Self::Both => "endpoints and NAT",
            Self::TransitGateway => "transit gateway",
        }
    }

    pub(crate) fn in_vpc(self) -> bool {
        self != Self::Public
    }

    pub(crate) fn has_endpoints(self) -> bool {
        matches!(self, Self::Endpoints | Self::Both)
    }
}

/// Where a default route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Nowhere,
    Nat,
    InternetGateway,
    TransitGateway,
}

/// A subnet of the runtime.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) zone: &'static str,
    pub(crate) zone_id: &'static str,
    pub(crate) third_octet: u8,
    pub(crate) free_addresses: u32,
}

/// What lets TCP 443 through in a security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Anywhere,
    Group(String),
    Block(&'static str),
}

/// An interface endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) service: &'static str,
    pub(crate) private_dns: bool,
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Artifact {
    Container,
    CodeZip,
}

/// What makes one deployment another before anything is broken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) topology: Topology,
    pub(crate) v2: bool,
    /// Created before the service-managed S3 gateway went (2026-05-05).
    pub(crate) old: bool,
    pub(crate) protocol: &'static str,
    pub(crate) artifact: Artifact,
}

impl Shape {
    /// Every combination. Runtimes of before 2026-05-05 are V1: V2 came in September.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for topology in Topology::ALL {
            for (v2, old) in [(false, false), (true, false), (false, true)] {
                for protocol in ["HTTP", "MCP", "A2A", "AGUI"] {
                    all.push(Self { topology, v2, old, protocol, artifact: Artifact::Container });
                }
                all.push(Self { topology, v2, old, protocol: "HTTP", artifact: Artifact::CodeZip });
            }
        }
        all
    }
}

/// A call of the runtime before the one that made somebody ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlierCall {
    /// Minutes before it.
    pub(crate) minutes_before: i64,
    /// In the same session.
    pub(crate) same_session: bool,
    pub(crate) answered: bool,
}

/// What happened around the launch, and what was asked for beside what is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// The latest build of the image failed.
    pub(crate) build_failed: bool,
    /// A policy of the execution role was changed so many seconds before the creation.
    pub(crate) role_changed_before: Option<i64>,
    /// The request said VPC, and neither subnets nor groups.
    pub(crate) network_left_out: bool,
    /// A runtime of that name is there already.
    pub(crate) name_taken: bool,
    pub(crate) earlier: Vec<EarlierCall>,
    /// The session of the failing call.
    pub(crate) session: Option<String>,
    /// The endpoint that the call names.
    pub(crate) qualifier: Option<&'static str>,
    /// Members that the version before had and this one lacks.
    pub(crate) former: Option<Value>,
    /// Updated at 08:50 to version 2.
    pub(crate) updated: bool,
    /// The state that the runtime is in, when it is not what the launch makes of it.
    pub(crate) state: Option<&'static str>,
    /// The service failed to create it, of itself.
    pub(crate) service_failed: bool,
    pub(crate) authorizer: Option<Value>,
    pub(crate) file_systems: Option<Value>,
    /// The log group's key admits nobody but the account.
    pub(crate) log_key_shut: bool,
}

/// Everything about one deployment.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) name: String,
    pub(crate) suffix: String,
    pub(crate) topology: Topology,
    pub(crate) v2: bool,
    pub(crate) protocol: &'static str,
    /// Created before the service-managed S3 gateway went (2026-05-05).
    pub(crate) old: bool,
    pub(crate) artifact: Artifact,
    pub(crate) vpc: String,
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) exit: Exit,
    pub(crate) runtime_group: String,
    pub(crate) endpoint_group: String,
    pub(crate) egress: Vec<Peer>,
    pub(crate) endpoint_ingress: Vec<Peer>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) s3_gateway: bool,
    pub(crate) s3_gateway_on_table: bool,
    pub(crate) s3_policy: Value,
    /// Network ACL entries: number, egress, protocol, allow, ports.
    pub(crate) acl: Vec<AclEntry>,
    pub(crate) dns_support: bool,
    pub(crate) dns_hostnames: bool,
    pub(crate) trust: Value,
    pub(crate) policy: Vec<Value>,
    pub(crate) network_role: bool,
    /// The network role's rights were cut by somebody (a service control policy).
    pub(crate) network_role_denied: Option<String>,
    pub(crate) image_there: bool,
    pub(crate) image_arch: &'static str,
    pub(crate) image_user: &'static str,
    pub(crate) image_layers: usize,
    pub(crate) entry_point: &'static [&'static str],
    /// The tag names an index of an image and its attestation, not an image.
    pub(crate) image_index: bool,
    /// The tag was pushed again after the runtime was made.
    pub(crate) pushed_again: bool,
    pub(crate) process: Process,
    pub(crate) mmdsv2: bool,
    /// The service refuses the creation with this code and message.
    pub(crate) creation_refused: Option<(&'static str, String)>,
    /// The data plane refuses the call with this code, message and status.
    pub(crate) call_refused: Option<(&'static str, String, u16)>,
    pub(crate) story: Story,
}

/// An entry of the network ACL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AclEntry {
    pub(crate) number: u32,
    pub(crate) egress: bool,
    pub(crate) protocol: &'static str,
    pub(crate) allow: bool,
    pub(crate) ports: Option<(u16, u16)>,
}

impl Deployment {
    /// A sound deployment.
    pub(crate) fn sound(random: &mut Random, shape: Shape) -> Self {
        let Shape { topology, v2, old, protocol, artifact } = shape;
        let name = format!("agent_{}", random.hex(4));
        let id = |random: &mut Random, prefix: &str| format!("{prefix}-0{}", random.hex(16));
        let zones = [("us-east-1a", "use1-az1"), ("us-east-1b", "use1-az2"), ("us-east-1d", "use1-az4")];
        let first = random.below(zones.len());
        let count = if topology.in_vpc() { 1 + random.below(2) } else { 0 };
        let subnets = (0..count)
            .map(|n| {
                let (zone, zone_id) = zones[(first + n) % zones.len()];
                let octet = u8::try_from(10 + n).unwrap_or(10);
                Subnet { id: id(random, "subnet"), zone, zone_id, third_octet: octet, free_addresses: 200 }
            })
            .collect();
        let runtime_group = id(random, "sg");
        let endpoint_group = id(random, "sg");
        let endpoints = ["ecr.api", "ecr.dkr", "logs"];
        let endpoints = endpoints.iter().filter(|_| topology.has_endpoints());
        let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}");
        Self {
            suffix: random.hex(10),
            topology,
            v2,
            protocol,
            old,
            artifact,
            vpc: id(random, "vpc"),
            subnets,
            exit: match topology {
                Topology::Nat | Topology::Both => Exit::Nat,
                Topology::TransitGateway => Exit::TransitGateway,
                Topology::Public | Topology::Endpoints => Exit::Nowhere,
            },
            egress: vec![Peer::Anywhere],
            endpoint_ingress: vec![if random.once_in(2) {
                Peer::Group(runtime_group.clone())
            } else {
                Peer::Block("10.0.0.0/16")
            }],
            runtime_group,
            endpoint_group,
            endpoints: endpoints.map(|service| Endpoint { service, private_dns: true }).collect(),
            s3_gateway: topology.has_endpoints(),
            s3_gateway_on_table: topology.has_endpoints(),
            s3_policy: everything(),
            acl: vec![
                AclEntry { number: 100, egress: true, protocol: "-1", allow: true, ports: None },
                AclEntry { number: 100, egress: false, protocol: "-1", allow: true, ports: None },
            ],
            dns_support: true,
            dns_hostnames: true,
            trust: trust("bedrock-agentcore.amazonaws.com", ACCOUNT),
            policy: policy(&arn, &format!("arn:aws:s3:::{}-code/*", name.replace('_', "-"))),
            network_role: true,
            network_role_denied: None,
            image_there: true,
            image_arch: "arm64",
            image_user: "1000",
            image_layers: 12,
            entry_point: &["python", "main.py"],
            image_index: false,
            pushed_again: false,
            process: Process::sound(),
            mmdsv2: true,
            creation_refused: None,
            call_refused: None,
            story: Story::default(),
            name,
        }
    }

    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.name, self.suffix)
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:runtime/{}", self.id())
    }

    pub(crate) fn role(&self) -> String {
        format!("{}-role", self.name)
    }

    pub(crate) fn role_arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:role/{}", self.role())
    }

    pub(crate) fn image(&self) -> String {
        format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{}:v3", self.name)
    }

    /// The bucket of the code zip.
    pub(crate) fn bucket(&self) -> String {
        format!("{}-code", self.name.replace('_', "-"))
    }

    /// The port that the service calls.
    pub(crate) fn port(&self) -> u16 {
        port_of(self.protocol)
    }

    /// The request that carries a payload, in an access log.
    pub(crate) fn request(&self) -> &'static str {
        match self.protocol {
            "MCP" => "POST /mcp",
            "A2A" => "POST /",
            _ => "POST /invocations",
        }
    }

    pub(crate) fn log_group(&self) -> String {
        format!("/aws/bedrock-agentcore/runtimes/{}-DEFAULT", self.id())
    }
}

/// Default ports. AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-service-contract.html>
pub(crate) fn port_of(protocol: &str) -> u16 {
    match protocol {
        "MCP" => 8000,
        "A2A" => 9000,
        _ => 8080,
    }
}

pub(crate) fn everything() -> Value {
    json!({ "Version": "2008-10-17", "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }] })
}

pub(crate) fn trust(service: &str, account: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": account },
            "ArnLike": { "aws:SourceArn": format!("arn:aws:bedrock-agentcore:{REGION}:{account}:*") },
        },
    }] })
}

fn policy(repository: &str, code: &str) -> Vec<Value> {
    let group = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/bedrock-agentcore/runtimes/*");
    vec![
        json!({ "Sid": "Pull", "Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Resource": repository }),
        json!({ "Sid": "Code", "Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": code }),
        json!({ "Sid": "Token", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" }),
        json!({ "Sid": "Groups", "Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:DescribeLogStreams"], "Resource": group }),
        json!({ "Sid": "ListGroups", "Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*") }),
        json!({ "Sid": "Write", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": format!("{group}:log-stream:*") }),
        json!({ "Sid": "Model", "Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": "arn:aws:bedrock:*::foundation-model/*" }),
    ]
}
