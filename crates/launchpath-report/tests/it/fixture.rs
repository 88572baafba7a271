//! Hand-made diagnoses, one per verdict and one with every member filled.
//!
//! They are modelled on real cases; what they say is not checked here, only how it is shown.

use launchpath_model::evidence::CallError;
use launchpath_model::{EvidenceId, Outcome, Timestamp};
use launchpath_report::diagnosis::{
    Because, Break, Cause, CauseStatus, ChainStage, Comparison, Diagnosis, Difference, EvidenceRecord, Fix,
    Missing, NotCompared, Plan, PlanStep, Probe, RuledOut, RuntimeSummary, SCHEMA_VERSION, Safety, Saying,
    StageState, TimelineEntry, Undecided, Verdict, Verified, Warning,
};
use launchpath_report::diagnosis::{HopState, NetworkPath, PathHop, Way, WayState};

/// All of them, by name.
pub(crate) fn all() -> Vec<(&'static str, Diagnosis)> {
    vec![
        ("blocked-image", blocked_image()),
        ("blocked-network", blocked_network()),
        ("launches", launches()),
        ("no-fault-found", no_fault_found()),
        ("undecided", undecided()),
    ]
}

fn ids(list: &str) -> Vec<EvidenceId> {
    list.split_whitespace().map(EvidenceId::from).collect()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn stage(stage: &str, title: &str, state: StageState, evidence: &str, note: &str) -> ChainStage {
    let side = stage == "log_delivery";
    ChainStage {
        stage: stage.into(),
        title: title.into(),
        state,
        evidence: ids(evidence),
        note: note.into(),
        side,
    }
}

fn because(weight: f64, text: &str, evidence: &str) -> Because {
    Because { text: text.into(), evidence: ids(evidence), weight }
}

fn ruled_out(fault: &str, title: &str, because: &str, evidence: &str) -> RuledOut {
    RuledOut { fault: fault.into(), title: title.into(), because: because.into(), evidence: ids(evidence) }
}

fn unknown(fault: &str, title: &str, missing: &[Missing]) -> Undecided {
    Undecided { fault: fault.into(), title: title.into(), missing: missing.to_vec() }
}

fn event(time: &str, text: &str, evidence: &str) -> TimelineEntry {
    TimelineEntry { at: at(time), text: text.into(), evidence: ids(evidence) }
}

fn call(id: &str, service: &str, operation: &str, outcome: Outcome, command: &str) -> EvidenceRecord {
    let error = match outcome {
        Outcome::Ok => None,
        Outcome::Denied => Some(CallError {
            code: "AccessDenied".into(),
            message: "User: arn:aws:iam::111122223333:user/engineer is not authorized".into(),
            http: Some(403),
        }),
        _ => Some(CallError {
            code: "RuntimeClientError".into(),
            message: "Runtime health check failed or timed out. Please make sure that health check is implemented according to the requirements.".into(),
            http: Some(424),
        }),
    };
    EvidenceRecord {
        id: id.into(),
        service: service.into(),
        operation: operation.into(),
        at: Some(at("2025-10-18T04:23:40Z")),
        outcome,
        error,
        command: command.into(),
    }
}

const RUNTIME: &str = "bedrock_manus_runtime_vpc_final-7XCALx4Xuw";
const IMAGE: &str =
    "111122223333.dkr.ecr.us-east-1.amazonaws.com/bedrock-agentcore-bedrock_manus_runtime_vpc:latest";

fn runtime() -> RuntimeSummary {
    RuntimeSummary {
        arn: Some(format!("arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/{RUNTIME}")),
        id: Some(RUNTIME.into()),
        name: Some("bedrock_manus_runtime_vpc_final".into()),
        account: Some("111122223333".into()),
        region: Some("us-east-1".into()),
        network_mode: Some("VPC".into()),
        platform_version: Some("V1".into()),
        protocol: Some("HTTP".into()),
        artifact: Some(IMAGE.into()),
        status: Some("READY".into()),
        endpoint: Some("DEFAULT".into()),
    }
}

fn empty(verdict: Verdict, summary: &str) -> Diagnosis {
    Diagnosis {
        schema_version: SCHEMA_VERSION,
        runtime: runtime(),
        reference_time: Some(at("2025-10-18T04:23:46Z")),
        verdict,
        summary: summary.into(),
        chain: Vec::new(),
        broken: None,
        causes: Vec::new(),
        also_blocking: Vec::new(),
        plans: Vec::new(),
        warnings: Vec::new(),
        ruled_out: Vec::new(),
        unknown: Vec::new(),
        next_probes: Vec::new(),
        paths: Vec::new(),
        timeline: Vec::new(),
        comparison: None,
        statements: Vec::new(),
        evidence: Vec::new(),
    }
}

fn chain() -> Vec<ChainStage> {
    use StageState::{Failed, NotApplicable, NotReached, Reached, Unknown};
    vec![
        stage(
            "artifact",
            "Artifact in place",
            Reached,
            "c9",
            "tag latest is in the registry, pushed 2025-10-18T03:05:54Z",
        ),
        stage("validation", "Request validated", Reached, "c2", "the runtime exists"),
        stage(
            "network_validation",
            "Subnets and groups valid",
            Reached,
            "c22",
            "the interface was created after it",
        ),
        stage(
            "network_attach",
            "Network attached",
            Reached,
            "c14 c22",
            "eni-0a38f435c9aac51ea carries the tag AmazonBedrockAgentCoreManaged",
        ),
        stage("build", "Snapshot built", NotApplicable, "", "only on V2"),
        stage("control_ready", "Control plane ready", Reached, "c2", "READY; on V1 this proves no container"),
        stage("placement", "Session placed", Unknown, "", "no trace visible to this caller"),
        stage(
            "artifact_fetch",
            "Image fetched",
            Unknown,
            "c22",
            "no pull among the events, but a warm host pulls nothing",
        ),
        stage("mounts", "File systems mounted", NotApplicable, "", "none configured"),
        stage(
            "process_start",
            "Process started",
            Unknown,
            "c10 c11",
            "the log group is empty, which a silent process leaves too",
        ),
        stage("log_delivery", "Logs delivered", Unknown, "c10 c11", "group exists, no stream"),
        stage("health", "Health check", Failed, "c3", "424: Runtime health check failed or timed out"),
        stage("forward", "Request forwarded", NotReached, "", "comes after Health check"),
        stage("response", "Answer", NotReached, "", "comes after Health check"),
    ]
}

fn evidence() -> Vec<EvidenceRecord> {
    vec![
        call(
            "c2",
            "bedrock-agentcore-control",
            "GetAgentRuntime",
            Outcome::Ok,
            &format!(
                "aws bedrock-agentcore-control get-agent-runtime --region us-east-1 --agent-runtime-id {RUNTIME}"
            ),
        ),
        call(
            "c3",
            "bedrock-agentcore",
            "InvokeAgentRuntime",
            Outcome::Error,
            &format!(
                "aws bedrock-agentcore invoke-agent-runtime --region us-east-1 --agent-runtime-arn arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/{RUNTIME} --qualifier DEFAULT /dev/stdout"
            ),
        ),
        call(
            "c14",
            "ec2",
            "DescribeNetworkInterfaces",
            Outcome::Ok,
            "aws ec2 describe-network-interfaces --region us-east-1 --filters Name=subnet-id,Values=subnet-0b2fb367d6e823a79",
        ),
        call(
            "c22",
            "cloudtrail",
            "LookupEvents",
            Outcome::Ok,
            "aws cloudtrail lookup-events --region us-east-1 --start-time 2025-10-18T04:00:00Z --end-time 2025-10-18T04:23:46Z",
        ),
        call(
            "c24",
            "iam",
            "ListAttachedRolePolicies",
            Outcome::Denied,
            "aws iam list-attached-role-policies --role-name agentcore-bedrock_manus_runtime-role",
        ),
        call("c26", "launchpath", "Statement", Outcome::Ok, "(a person's statement)"),
    ]
}

/// As the founding incident was collected: the break is known, the cause is not.
pub(crate) fn undecided() -> Diagnosis {
    let suspect = |fault: &str, title: &str, probability, lines: &[Because]| Cause {
        fault: fault.into(),
        title: title.into(),
        stage: "process_start".into(),
        status: CauseStatus::Possible,
        probability,
        primary: false,
        subjects: vec!["sha256:3c67d805526903e25db06b64e4ae61ffd2cd96818232ade0f6c313ac62b973d1".into()],
        because: lines.to_vec(),
        fix: None,
    };
    let role = Missing {
        evidence: "the execution role's attached policies".into(),
        reason: "access denied".into(),
        command: Some(
            "aws iam list-attached-role-policies --role-name agentcore-bedrock_manus_runtime-role".into(),
        ),
        calls: ids("c24"),
    };
    let image = Missing {
        evidence: "the image's contents".into(),
        reason: "not inspected".into(),
        command: Some(format!("launchpath inspect {IMAGE}")),
        calls: Vec::new(),
    };
    Diagnosis {
        chain: chain(),
        broken: Some(Break {
            last_reached: Some("control_ready".into()),
            first_unreached: Some("health".into()),
            note: "the launch breaks after «Control plane ready» and not later than «Health check»".into(),
        }),
        causes: vec![
            suspect(
                "app.dependency_drift",
                "Dependency changed under an unpinned requirement",
                0.41,
                &[
                    because(0.08, "prior: share of launch failures seen in the field", ""),
                    because(6.0, "the same network serves another image; this image differs", "c12 c13 c23"),
                    because(1.5, "the image was pushed 6 hours after langchain 1.0.0 was released", "c9"),
                ],
            ),
            suspect("app.startup_exception", "Process exits or raises at start for configuration reasons", 0.23, &[because(0.06, "prior: share of launch failures seen in the field", "")]),
            suspect("contract.wrong_port", "Nothing listens on the protocol's port", 0.17, &[because(0.05, "prior: share of launch failures seen in the field", "")]),
            suspect("app.slow_init", "Start-up work outlasts the limit", 0.11, &[because(0.03, "prior: share of launch failures seen in the field", "")]),
            suspect("iam.exec_role_ecr_denied", "Execution role lacks ECR actions", 0.08, &[because(0.02, "prior: share of launch failures seen in the field", "")]),
        ],
        warnings: vec![Warning {
            code: "trap.ready_proves_container".into(),
            title: "READY does not prove that a container ran".into(),
            text: "On platform version V1 the status says that configuration and network are in place; the first boot is at the first invocation.".into(),
            evidence: ids("c2"),
            command: None,
        }],
        ruled_out: vec![
            ruled_out("net.eni_create_failed", "Interface cannot be created", "the interface exists and was created by the service-linked role 28 s after the runtime", "c14 c22"),
            ruled_out("iam.slr_missing_or_denied", "Service-linked role missing or denied", "the interface exists and was created by the service-linked role 28 s after the runtime", "c14 c22"),
            ruled_out("net.unsupported_az", "Subnet in an unsupported zone", "use1-az2 is supported in us-east-1", "c4"),
            ruled_out("net.endpoint_sg_blocks", "Endpoint's group does not admit the runtime", "sg-0affaea9ac4dc26b1 admits all traffic from itself, and both sides are members", "c5 c6"),
            ruled_out("net.no_egress_route", "Isolated subnet", "0.0.0.0/0 leads to nat-084c84d8f7ab9ac5c, which is available", "c7 c8"),
            ruled_out("net.public_subnet_no_nat", "Default route is an internet gateway", "0.0.0.0/0 leads to nat-084c84d8f7ab9ac5c, which is available", "c7 c8"),
            ruled_out("net.dns_off", "VPC DNS is off", "both DNS attributes are on", "c16 c17"),
            ruled_out("belief.account_enablement", "VPC mode must be enabled for the account", "the service created an interface in this account", "c14 c22"),
            ruled_out("belief.single_subnet", "One subnet is not enough", "the interface in the only subnet is attached", "c14"),
        ],
        unknown: vec![
            unknown("iam.exec_role_ecr_denied", "Execution role lacks ECR actions", std::slice::from_ref(&role)),
            unknown("iam.exec_role_permissions", "Role lacks actions needed later", std::slice::from_ref(&role)),
            unknown("logs.role_cannot_write", "Role cannot write its log group", &[role]),
            unknown("app.missing_source_file", "Own source file not in the artifact", std::slice::from_ref(&image)),
            unknown("app.dependency_not_packaged", "Third-party dependency absent", &[image]),
        ],
        next_probes: vec![
            Probe {
                what: "Run the image here under the service's contract".into(),
                command: format!("launchpath rehearse {IMAGE}"),
                splits: vec!["app.*".into(), "contract.*".into(), "iam.exec_role_ecr_denied".into()],
                gain_bits: 1.62,
            },
            Probe {
                what: "Run the image that works in this network".into(),
                command: "aws bedrock-agentcore-control create-agent-runtime --region us-east-1 --agent-runtime-name probe_known_good --agent-runtime-artifact '{\"containerConfiguration\":{\"containerUri\":\"111122223333.dkr.ecr.us-east-1.amazonaws.com/bedrock-agentcore-bedrock_manus_runtime:latest\"}}' --role-arn arn:aws:iam::111122223333:role/agentcore-bedrock_manus_runtime-role --network-configuration networkMode=VPC".into(),
                splits: vec!["app.*".into(), "net.*".into()],
                gain_bits: 0.9,
            },
        ],
        timeline: vec![
            event("2025-10-17T21:00:00Z", "langchain 1.0.0 is released", ""),
            event("2025-10-18T03:05:54Z", "image pushed", "c9"),
            event("2025-10-18T04:04:50Z", "runtime created", "c2"),
            event("2025-10-18T04:05:17Z", "CreateNetworkInterface: dry run passes", "c22"),
            event("2025-10-18T04:05:18Z", "CreateNetworkInterface: eni-0a38f435c9aac51ea, by the service-linked role", "c22"),
            event("2025-10-18T04:18:48Z", "invocation fails: Runtime health check failed or timed out", "c3"),
        ],
        comparison: Some(Comparison {
            with: "bedrock_manus_runtime-E8I6oFGlTA".into(),
            works_because: "its process wrote a log line at 03:58:17".into(),
            evidence: ids("c12 c13"),
            differences: vec![
                Difference {
                    what: "network mode".into(),
                    here: "VPC".into(),
                    there: "PUBLIC".into(),
                    explains: None,
                    explains_not: Some("«Network attached» was passed here: interface by tag".into()),
                    stage: Some("network_attach".into()),
                    evidence: ids("c2"),
                    evidence_there: ids("c12"),
                },
                Difference {
                    what: "image".into(),
                    here: "sha256:3c67d805526903e25db06b64e4ae61ffd2cd96818232ade0f6c313ac62b973d1, pushed 2025-10-18T03:05:54Z".into(),
                    there: "sha256:9f0c6a1d5be2474f8f1a3f5d1c7e0b9286d4a35e7c1b8f20943d6e5a7b1c2d3e, pushed 2025-10-14T10:12:00Z".into(),
                    explains: Some("a fault in the newer image stops this runtime and not the other".into()),
                    explains_not: None,
                    stage: Some("artifact_fetch".into()),
                    evidence: ids("c9"),
                    evidence_there: ids("c13"),
                },
            ],
            same: vec!["execution role".into(), "protocol HTTP".into(), "platform version V1".into()],
            not_compared: vec![NotCompared {
                what: "installed packages".into(),
                why: "not known here: no inspection of this very image lists them".into(),
            }],
        }),
        statements: vec![Saying {
            by: Some("The engineer".into()),
            text: "AgentCore never launches the container; this is a service-level issue.".into(),
            evidence: ids("c26"),
        }],
        evidence: evidence(),
        ..empty(
            Verdict::Undecided,
            "Undecided: the launch breaks after «Control plane ready» and not later than «Health check»; 5 suspects: image and application first.",
        )
    }
}

/// The same with the rehearsal: confirmed, with a proven fix.
pub(crate) fn blocked_image() -> Diagnosis {
    let base = undecided();
    let mut chain = chain();
    for stage in &mut chain {
        match stage.stage.as_str() {
            "process_start" => {
                stage.state = StageState::Failed;
                stage.note = "rehearsal: exit code 1 after 2.1 s, before the port is open".into();
                stage.evidence = ids("c27");
            }
            "artifact_fetch" | "placement" => {
                stage.state = StageState::Reached;
                stage.note = "the health check began".into();
                stage.evidence = ids("c3");
            }
            "health" => {
                stage.state = StageState::NotReached;
                stage.note = "comes after Process started".into();
                stage.evidence = Vec::new();
            }
            "forward" | "response" => stage.note = "comes after Process started".into(),
            _ => {}
        }
    }
    let mut calls = evidence();
    calls.push(call("c27", "launchpath", "Rehearse", Outcome::Ok, &format!("launchpath rehearse {IMAGE}")));
    Diagnosis {
        verdict: Verdict::Blocked,
        summary: "The launch is blocked: the image's langchain 1.0.0 has no module langchain.callbacks, which src/tools/trace.py imports at start".into(),
        chain,
        broken: Some(Break {
            last_reached: Some("artifact_fetch".into()),
            first_unreached: Some("process_start".into()),
            note: "the launch breaks after «Image fetched» and not later than «Process started»".into(),
        }),
        causes: vec![
            Cause {
                fault: "app.dependency_drift".into(),
                title: "Dependency changed under an unpinned requirement".into(),
                stage: "process_start".into(),
                status: CauseStatus::Confirmed,
                probability: 0.97,
                primary: true,
                subjects: vec!["langchain 1.0.0".into(), "sha256:3c67d805526903e25db06b64e4ae61ffd2cd96818232ade0f6c313ac62b973d1".into()],
                because: vec![
                    because(0.08, "prior: share of launch failures seen in the field", ""),
                    because(400.0, "rehearsal: ModuleNotFoundError: No module named 'langchain.callbacks' at src/tools/trace.py:7", "c27"),
                    because(6.0, "the package langchain is installed, in version 1.0.0, and has no such module", "c27"),
                    because(6.0, "the same network serves another image; this image differs", "c12 c13 c23"),
                ],
                fix: Some(Fix {
                    summary: "Pin langchain below 1.0 or import from langchain_core.callbacks, rebuild, and point the runtime at the new digest".into(),
                    safety: Safety::Review,
                    aws_cli: vec![
                        "printf 'langchain>=0.3.27,<1.0\\n' >> constraints.txt".into(),
                        format!("docker buildx build --platform linux/arm64 --push -t {IMAGE} ."),
                    ],
                    terraform: None,
                    cloudformation: None,
                    verified: Some(Verified {
                        reaches: "response".into(),
                        next_blocker: None,
                        assumes: Some("the rebuilt image answers /ping within 120 s".into()),
                    }),
                }),
            },
            Cause {
                fault: "contract.wrong_port".into(),
                title: "Nothing listens on the protocol's port".into(),
                stage: "health".into(),
                status: CauseStatus::Possible,
                probability: 0.03,
                primary: false,
                subjects: Vec::new(),
                because: vec![because(0.05, "prior: share of launch failures seen in the field", "")],
                fix: None,
            },
        ],
        next_probes: Vec::new(),
        evidence: calls,
        ..base
    }
}

fn hop(kind: &str, id: &str, state: HopState, text: &str, evidence: &str) -> PathHop {
    let (kind, side) = kind.split_once(' ').unwrap_or((kind, ""));
    PathHop {
        kind: kind.into(),
        id: id.into(),
        at: None,
        reply: side.contains("reply"),
        direction: side.split(' ').find(|word| word.ends_with("gress")).map(Into::into),
        state,
        text: text.into(),
        evidence: ids(evidence),
    }
}

/// Two destinations behind the same shut group, one that is open, one that is not known; from two subnets.
fn paths() -> Vec<NetworkPath> {
    use HopState::{Dropped, Passed, Unknown};
    let to = |service: &str, last: &[PathHop], state: WayState| {
        let from = |subnet: &str| {
            let mut hops = vec![
                hop("source", "the runtime's interface", Passed, "an address of the subnet", "c4"),
                hop(
                    "dns",
                    &format!("{service}.us-east-1.amazonaws.com"),
                    Passed,
                    "private DNS of the endpoint",
                    "c5",
                ),
                hop("security_group egress", "sg-0aaa", Passed, "rule 0 lets everything out", "c6"),
                hop("network_acl egress", "acl-0ccc", Passed, "rule 100 allows all", "c8"),
                hop("route_table", "rtb-0bbb", Passed, "10.0.0.0/16 is local", "c8"),
            ];
            hops.extend_from_slice(last);
            let missing = Missing {
                evidence: "the route tables of vpc-0ddd".into(),
                reason: "access denied".into(),
                command: Some("aws ec2 describe-route-tables --region us-east-1".into()),
                calls: ids("c8"),
            };
            Way {
                subnet: subnet.into(),
                state,
                delivered: if state == WayState::Open { 1.0 } else { 0.0 },
                hops,
                missing: if state == WayState::Unknown { vec![missing] } else { Vec::new() },
            }
        };
        NetworkPath {
            service: service.into(),
            host: format!("{service}.us-east-1.amazonaws.com"),
            port: 443,
            purpose: "the image's manifest and layers".into(),
            stage: "artifact_fetch".into(),
            ways: vec![from("subnet-0aaa"), from("subnet-0bbb")],
        }
    };
    let shut = [
        hop("vpc_endpoint", "vpce-0ecr", Passed, "available", "c5"),
        hop("security_group ingress", "sg-0eee", Dropped, "no rule admits tcp 443 from sg-0aaa", "c6"),
        hop("destination", "10.0.1.7", Passed, "", ""),
        hop("network_acl egress reply", "acl-0ccc", Passed, "rule 100 allows all", "c8"),
    ];
    let open = [
        hop("nat_gateway", "nat-0fff", Passed, "available, public", "c8"),
        hop("internet_gateway", "igw-0ggg", Passed, "attached", "c8"),
        hop("destination", "s3", Passed, "", ""),
    ];
    let unseen = [hop("transit_gateway", "tgw-0hhh", Unknown, "its route table was not read", "c8")];
    vec![
        to("ecr.api", &shut, WayState::Blocked),
        to("ecr.dkr", &shut, WayState::Blocked),
        to("s3", &open, WayState::Open),
        to("logs", &unseen, WayState::Unknown),
    ]
}

/// A network fault with a template for each tool, and a second fault behind it.
pub(crate) fn blocked_network() -> Diagnosis {
    use StageState::{Failed, NotReached, Reached};
    let fix = |summary: &str, command: &str, next: Option<&str>, reaches: &str| {
        Fix {
        summary: summary.into(),
        safety: Safety::Safe,
        aws_cli: vec![command.into()],
        terraform: Some("resource \"aws_vpc_security_group_ingress_rule\" \"runtime_https\" {\n\tsecurity_group_id            = \"sg-0eee\"\n\treferenced_security_group_id = \"sg-0aaa\"\n\tip_protocol                  = \"tcp\"\n\tfrom_port                    = 443\n\tto_port                      = 443\n}\n".into()),
        cloudformation: Some("RuntimeHttps:\n  Type: AWS::EC2::SecurityGroupIngress\n  Properties:\n    GroupId: sg-0eee\n    SourceSecurityGroupId: sg-0aaa\n    IpProtocol: tcp\n    FromPort: 443\n    ToPort: 443\n".into()),
        verified: Some(Verified { reaches: reaches.into(), next_blocker: next.map(Into::into), assumes: None }),
    }
    };
    let mut runtime = runtime();
    runtime.status = Some("CREATE_FAILED".into());
    runtime.platform_version = Some("V2".into());
    let step = |fault: &str, hidden_by: Option<&str>, fix: Fix| PlanStep {
        fault: fault.into(),
        stage: "artifact_fetch".into(),
        subjects: vec!["vpce-0ecr".into()],
        hidden_by: hidden_by.map(Into::into),
        fix,
    };
    let plan = |why: &str, steps: Vec<PlanStep>| Plan {
        steps,
        safety: Safety::Safe,
        why: why.into(),
        verified: Verified { reaches: "response".into(), next_blocker: None, assumes: None },
    };
    let plans = vec![
        plan(
            "the safest of 2 ways found; it only adds: nothing that works now can stop",
            vec![
                step(
                    "net.endpoint_sg_blocks",
                    None,
                    fix(
                        "Let sg-0eee admit tcp 443 from sg-0aaa",
                        "aws ec2 authorize-security-group-ingress --group-id sg-0eee",
                        None,
                        "artifact_fetch",
                    ),
                ),
                step(
                    "net.nacl",
                    Some("net.endpoint_sg_blocks"),
                    fix(
                        "Let acl-0ccc pass the answers",
                        "aws ec2 create-network-acl-entry --network-acl-id acl-0ccc",
                        None,
                        "response",
                    ),
                ),
            ],
        ),
        plan(
            "way 2 of 2; 1 of 1 change touches something others may use",
            vec![step(
                "net.endpoint_sg_blocks",
                None,
                fix("Route 0.0.0.0/0 to nat-0ddd", "aws ec2 create-route", None, "response"),
            )],
        ),
    ];
    Diagnosis {
        runtime,
        plans,
        chain: vec![
            stage("artifact", "Artifact in place", Reached, "c9", "tag v3 is in the registry"),
            stage("network_attach", "Network attached", Reached, "c14", "interface by tag"),
            stage("artifact_fetch", "Image fetched", Failed, "c5 c6 c8", "no path from subnet-0aaa to ecr.api: vpce-0ecr's group sg-0eee admits nothing from sg-0aaa on 443"),
            stage("process_start", "Process started", NotReached, "", "comes after Image fetched"),
            stage("log_delivery", "Logs delivered", NotReached, "c5", "the logs endpoint has the same group"),
            stage("health", "Health check", NotReached, "", "comes after Image fetched"),
            stage("response", "Answer", NotReached, "", "comes after Image fetched"),
        ],
        broken: Some(Break {
            last_reached: Some("network_attach".into()),
            first_unreached: Some("artifact_fetch".into()),
            note: String::new(),
        }),
        paths: paths(),
        causes: vec![Cause {
            fault: "net.endpoint_sg_blocks".into(),
            title: "Endpoint's security group does not admit 443 from the runtime".into(),
            stage: "artifact_fetch".into(),
            status: CauseStatus::Confirmed,
            probability: 1.0,
            primary: true,
            subjects: vec!["vpce-0ecr".into(), "sg-0eee".into()],
            because: vec![
                because(0.11, "prior: share of launch failures seen in the field", ""),
                because(120.0, "every path from subnet-0aaa to ecr.api is blocked: no rule of sg-0eee admits tcp 443 from sg-0aaa, and the subnet has no other way out", "c5 c6 c8"),
                because(40.0, "failureReason: Runtime initialization time exceeded", "c2"),
            ],
            fix: Some(fix(
                "Let sg-0eee admit tcp 443 from sg-0aaa",
                "aws ec2 authorize-security-group-ingress --region us-east-1 --group-id sg-0eee --ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{GroupId=sg-0aaa}]'",
                Some("net.s3_path_missing"),
                "artifact_fetch",
            )),
        }],
        also_blocking: vec![Cause {
            fault: "net.s3_path_missing".into(),
            title: "No path to S3 for image layers".into(),
            stage: "artifact_fetch".into(),
            status: CauseStatus::Likely,
            probability: 0.9,
            primary: false,
            subjects: vec!["rtb-0bbb".into()],
            because: vec![because(30.0, "rtb-0bbb has neither a gateway endpoint for S3 nor a default route", "c5 c8")],
            fix: Some(fix(
                "Associate the S3 gateway endpoint with rtb-0bbb",
                "aws ec2 modify-vpc-endpoint --region us-east-1 --vpc-endpoint-id vpce-0s3 --add-route-table-ids rtb-0bbb",
                None,
                "response",
            )),
        }],
        warnings: vec![Warning {
            code: "trap.eni_evidence".into(),
            title: "The empty answer about interfaces proves nothing".into(),
            text: "c15 filters on the description, which AgentCore leaves empty. By tag the interface is there.".into(),
            evidence: ids("c15"),
            command: Some("aws ec2 describe-network-interfaces --region us-east-1 --filters Name=tag:AmazonBedrockAgentCoreManaged,Values=true Name=subnet-id,Values=subnet-0aaa".into()),
        }],
        ruled_out: (1..=15)
            .map(|n| ruled_out(&format!("net.theory_{n}"), "A theory", &format!("observation {n} speaks against it"), "c5"))
            .collect(),
        unknown: (1..=9)
            .map(|n| {
                let missing = Missing {
                    evidence: format!("piece {n}"),
                    reason: "not asked".into(),
                    command: Some(format!("aws ec2 describe-piece --id {n}")),
                    calls: Vec::new(),
                };
                unknown(&format!("iam.theory_{n}"), "A theory", &[missing])
            })
            .collect(),
        evidence: evidence(),
        ..empty(Verdict::Blocked, "The launch is blocked: vpce-0ecr's group sg-0eee admits nothing from the runtime's group sg-0aaa on 443.")
    }
}

/// A healthy runtime with proof.
pub(crate) fn launches() -> Diagnosis {
    let mut chain = chain();
    for stage in &mut chain {
        if stage.state != StageState::NotApplicable {
            stage.state = StageState::Reached;
            stage.evidence = ids("c3");
            stage.note = String::new();
        }
    }
    chain.last_mut().unwrap().note = "the invocation was answered with 200".into();
    Diagnosis {
        chain,
        evidence: vec![call(
            "c3",
            "bedrock-agentcore",
            "InvokeAgentRuntime",
            Outcome::Ok,
            "aws bedrock-agentcore invoke-agent-runtime /dev/stdout",
        )],
        ..empty(Verdict::Launches, "The runtime launches: an invocation was answered.")
    }
}

/// It fails, and everything on the customer's side was seen and holds.
pub(crate) fn no_fault_found() -> Diagnosis {
    let base = undecided();
    Diagnosis {
        verdict: Verdict::NoFaultFound,
        summary: "It fails, and everything the customer controls was seen and holds: a support case is due."
            .into(),
        causes: Vec::new(),
        unknown: Vec::new(),
        next_probes: Vec::new(),
        comparison: None,
        warnings: Vec::new(),
        ..base
    }
}
