//! What can be broken: each injection names the fault it makes, where it can be made, and breaks a sound deployment.

use serde_json::json;

use crate::deployment::{ACCOUNT, AclEntry, Deployment, Exit, Peer, Process, REGION, Topology, trust};
use crate::random::Random;

/// One way to break a deployment.
pub(crate) struct Injection {
    /// The fault it is.
    pub(crate) fault: &'static str,
    /// Where it breaks the launch for certain.
    pub(crate) fits: fn(&Deployment) -> bool,
    /// How it shows.
    pub(crate) shows: Shows,
    /// How it is made.
    pub(crate) make: fn(&mut Deployment, &mut Random),
}

/// How a fault shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// In the configuration, however far the launch gets.
    Configured,
    /// Only by what happens when the launch gets there.
    Happening,
}

use Shows::{Configured, Happening};

fn in_vpc(d: &Deployment) -> bool {
    d.topology.in_vpc()
}

fn anywhere(_: &Deployment) -> bool {
    true
}

fn by_endpoints(d: &Deployment) -> bool {
    d.topology.has_endpoints()
}

fn isolated(d: &Deployment) -> bool {
    d.topology == Topology::Endpoints
}

fn new_and_isolated(d: &Deployment) -> bool {
    isolated(d) && !d.old
}

fn only_nat(d: &Deployment) -> bool {
    d.topology == Topology::Nat
}

pub(crate) const ALL: &[Injection] = &[
    Injection {
        fault: "logs.app_silent",
        shows: Happening,
        fits: |d| d.topology != Topology::TransitGateway,
        make: |d, _| d.process = Process::Silent,
    },
    Injection {
        fault: "logs.role_cannot_write",
        shows: Configured,
        fits: anywhere,
        make: |d, _| {
            d.policy.retain(|statement| statement["Sid"] != "Write");
        },
    },
    Injection {
        fault: "net.unsupported_az",
        shows: Configured,
        fits: in_vpc,
        make: |d, random| {
            let at = random.below(d.subnets.len());
            d.subnets[at].zone = "us-east-1e";
            d.subnets[at].zone_id = "use1-az3";
        },
    },
    Injection {
        fault: "net.eni_create_failed",
        shows: Configured,
        fits: in_vpc,
        make: |d, _| {
            for subnet in &mut d.subnets {
                subnet.free_addresses = 0;
            }
        },
    },
    Injection {
        fault: "net.public_subnet_no_nat",
        shows: Configured,
        fits: only_nat,
        make: |d, _| d.exit = Exit::InternetGateway,
    },
    Injection {
        fault: "net.no_egress_route",
        shows: Configured,
        fits: only_nat,
        make: |d, _| d.exit = Exit::Nowhere,
    },
    Injection {
        fault: "net.missing_vpc_endpoint",
        shows: Configured,
        fits: isolated,
        make: |d, random| {
            let gone = *random.one_of(&["ecr.api", "ecr.dkr"]);
            d.endpoints.retain(|endpoint| endpoint.service != gone);
        },
    },
    Injection {
        fault: "net.endpoint_sg_blocks",
        shows: Configured,
        fits: by_endpoints,
        make: |d, random| {
            let admitted = match random.below(3) {
                0 => None,
                1 => Some(Peer::Group("sg-0feedfacefeedface".into())),
                _ => Some(Peer::Block("10.9.0.0/16")),
            };
            d.endpoint_ingress = admitted.into_iter().collect();
        },
    },
    Injection {
        fault: "net.runtime_sg_egress_blocks",
        shows: Configured,
        fits: in_vpc,
        make: |d, random| {
            // With endpoints, egress to their group alone forgets S3; elsewhere nothing leaves at all.
            d.egress = if d.topology == Topology::Endpoints && !d.old && random.once_in(2) {
                vec![Peer::Group(d.endpoint_group.clone())]
            } else {
                Vec::new()
            };
        },
    },
    Injection {
        fault: "net.s3_path_missing",
        shows: Configured,
        fits: new_and_isolated,
        make: |d, random| match random.below(3) {
            0 => d.s3_gateway = false,
            1 => d.s3_gateway_on_table = false,
            _ => {
                d.s3_policy = json!({ "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "s3:*",
                "Resource": [format!("arn:aws:s3:::{}-data", d.name), format!("arn:aws:s3:::{}-data/*", d.name)],
            }] });
            }
        },
    },
    Injection {
        fault: "net.nacl",
        shows: Configured,
        fits: |d| matches!(d.topology, Topology::Nat | Topology::TransitGateway),
        make: |d, random| {
            let deny = if random.once_in(2) {
                AclEntry { number: 90, egress: true, protocol: "6", allow: false, ports: Some((443, 443)) }
            } else {
                AclEntry {
                    number: 90,
                    egress: false,
                    protocol: "6",
                    allow: false,
                    ports: Some((1024, 65535)),
                }
            };
            d.acl.push(deny);
        },
    },
    Injection {
        fault: "net.dns_off",
        shows: Configured,
        fits: isolated,
        make: |d, random| match random.below(3) {
            0 => d.dns_support = false,
            1 => d.dns_hostnames = false,
            _ => d.endpoints.iter_mut().for_each(|endpoint| endpoint.private_dns = false),
        },
    },
    Injection {
        fault: "iam.exec_role_ecr_denied",
        shows: Configured,
        fits: anywhere,
        make: |d, random| {
            if random.once_in(2) {
                d.policy.retain(|statement| statement["Sid"] != "Pull");
            } else {
                for statement in d.policy.iter_mut().filter(|statement| statement["Sid"] == "Pull") {
                    statement["Resource"] =
                        json!(format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/another"));
                }
            }
            d.creation_refused = Some((
                "ValidationException",
                format!(
                    "Access denied while validating ECR URI '{}'. The execution role requires permissions for ecr:GetAuthorizationToken, ecr:BatchGetImage, and ecr:GetDownloadUrlForLayer operations.",
                    d.image()
                ),
            ));
        },
    },
    Injection {
        fault: "iam.trust_policy",
        shows: Configured,
        fits: anywhere,
        make: |d, random| {
            d.trust = if random.once_in(2) {
                trust("bedrock.amazonaws.com", ACCOUNT)
            } else {
                trust("bedrock-agentcore.amazonaws.com", "999988887777")
            };
            d.creation_refused = Some(("ValidationException", "Role validation failed".to_owned()));
        },
    },
    Injection {
        fault: "iam.slr_missing_or_denied",
        shows: Configured,
        fits: in_vpc,
        make: |d, _| {
            d.network_role = false;
            d.creation_refused = Some(("AccessDeniedException",
            "Failed creating service linked role. Please verify that the calling role has sufficient permissions to create a service linked role.".to_owned()));
        },
    },
    Injection {
        fault: "iam.scp_deny",
        shows: Happening,
        fits: in_vpc,
        make: |d, _| {
            d.network_role_denied = Some(format!(
                "You are not authorized to perform this operation. User: arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForBedrockAgentCoreNetwork/session is not authorized to perform: ec2:CreateNetworkInterface on resource: arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/* with an explicit deny in a service control policy"
            ));
        },
    },
    Injection {
        fault: "iam.caller_cannot_pass_role",
        shows: Happening,
        fits: anywhere,
        make: |d, _| {
            d.creation_refused = Some((
                "AccessDeniedException",
                format!(
                    "User: arn:aws:iam::{ACCOUNT}:user/engineer is not authorized to perform: iam:PassRole on resource: {} because no identity-based policy allows the iam:PassRole action",
                    d.role_arn()
                ),
            ));
        },
    },
    Injection {
        fault: "iam.caller_cannot_invoke",
        shows: Happening,
        fits: anywhere,
        make: |d, _| {
            d.call_refused = Some((
                "AccessDeniedException",
                format!(
                    "User: arn:aws:iam::{ACCOUNT}:user/engineer is not authorized to perform: bedrock-agentcore:InvokeAgentRuntime on resource: {} because no identity-based policy allows the bedrock-agentcore:InvokeAgentRuntime action",
                    d.arn()
                ),
                403,
            ));
        },
    },
    Injection {
        fault: "image.arch_mismatch",
        shows: Configured,
        fits: anywhere,
        make: |d, _| {
            d.image_arch = "amd64";
            d.creation_refused = Some((
                "ValidationException",
                format!(
                    "Architecture incompatible for uri '{}'. Supported architectures: [arm64]",
                    d.image()
                ),
            ));
        },
    },
    Injection {
        fault: "image.tag_missing",
        shows: Configured,
        fits: anywhere,
        make: |d, _| d.image_there = false,
    },
    Injection {
        fault: "app.dependency_drift",
        shows: Happening,
        fits: anywhere,
        make: |d, _| {
            d.process = dies(&[
                r#"  File "/app/main.py", line 4, in <module>"#,
                "    from langchain.callbacks import get_openai_callback",
                "ModuleNotFoundError: No module named 'langchain.callbacks'",
            ]);
        },
    },
    Injection {
        fault: "app.dependency_not_packaged",
        shows: Happening,
        fits: anywhere,
        make: |d, random| {
            let module = random.one_of(&["boto3", "fastapi", "pydantic"]);
            d.process = dies(&[
                r#"  File "/app/main.py", line 1, in <module>"#,
                &format!("    import {module}"),
                &format!("ModuleNotFoundError: No module named '{module}'"),
            ]);
        },
    },
    Injection {
        fault: "app.missing_source_file",
        shows: Happening,
        fits: anywhere,
        make: |d, _| {
            d.process = dies(&[
                r#"  File "/app/src/main.py", line 2, in <module>"#,
                "    from src.tools import search",
                "ModuleNotFoundError: No module named 'src.tools'",
            ]);
        },
    },
    Injection {
        fault: "app.startup_exception",
        shows: Happening,
        fits: anywhere,
        make: |d, random| {
            let variable = random.one_of(&["KNOWLEDGE_BASE_ID", "TABLE_NAME", "MEMORY_ID"]);
            d.process = dies(&[
                r#"  File "/app/main.py", line 11, in <module>"#,
                &format!(r#"    table = os.environ["{variable}"]"#),
                r#"  File "<frozen os>", line 714, in __getitem__"#,
                &format!("KeyError: '{variable}'"),
            ]);
        },
    },
    Injection {
        fault: "contract.protocol_mismatch",
        shows: Happening,
        fits: |d| d.protocol == "HTTP",
        make: |d, _| {
            d.process = Process::Unheard {
                printed: vec![
                    "INFO:     Started server process [1]".into(),
                    "INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)".into(),
                    r#"INFO:     127.0.0.1:41022 - "GET /ping HTTP/1.1" 405 Method Not Allowed"#.into(),
                ],
            };
        },
    },
    Injection {
        fault: "svc.mmdsv2_required",
        shows: Configured,
        fits: |d| d.old,
        make: |d, _| d.mmdsv2 = false,
    },
];

fn dies(lines: &[&str]) -> Process {
    let mut printed = vec!["Traceback (most recent call last):".to_owned()];
    printed.extend(lines.iter().map(|line| (*line).to_owned()));
    Process::Dies { printed }
}
