//! Faults of what happened around the launch: requests, sessions, versions, tools, the service itself, logs.

use serde_json::json;

use super::Shows::{Beside, Configured, Happening};
use super::{Injection, anywhere, container, in_vpc};
use crate::deployment::{ACCOUNT, EarlierCall, REGION, Topology};
use crate::process::{Does, Process, accessed};

const HEALTH: &str = "Runtime health check failed or timed out. Please make sure that health check is implemented according to the requirements here";

pub(super) const ALL: &[Injection] = &[
    Injection {
        fault: "logs.app_silent",
        with: &[],
        shows: Beside,
        fits: |d| d.topology != Topology::TransitGateway,
        named: "",
        seen_in: &[&["DescribeLogGroups", "FilterLogEvents"]],
        make: |d, _| d.process = Process::new(Does::Answers, &[]),
    },
    Injection {
        fault: "logs.role_cannot_write",
        with: &[],
        shows: Beside,
        fits: anywhere,
        named: "",
        seen_in: &[&["ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies"]],
        make: |d, _| d.policy.retain(|statement| statement["Sid"] != "Write"),
    },
    Injection {
        fault: "logs.kms_unusable",
        with: &[],
        shows: Beside,
        fits: anywhere,
        named: "",
        seen_in: &[&["DescribeLogGroups", "GetKeyPolicy"]],
        make: |d, _| d.story.log_key_shut = true,
    },
    Injection {
        fault: "svc.mmdsv2_required",
        with: &[],
        shows: Configured,
        fits: |d| d.old,
        named: "MMDSv2",
        seen_in: &[],
        make: |d, _| d.mmdsv2 = false,
    },
    Injection {
        fault: "svc.opaque_create_failed",
        with: &[],
        shows: Happening,
        fits: |d| d.topology == Topology::Public && !d.v2 && !d.old,
        named: "internal error",
        seen_in: &[],
        make: |d, _| d.story.service_failed = true,
    },
    Injection {
        fault: "svc.quota",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "maxVms",
        seen_in: &[],
        make: |d, _| {
            d.call_refused = Some((
                "ServiceQuotaExceededException",
                format!("maxVms limit exceeded for account {ACCOUNT}"),
                402,
            ));
        },
    },
    Injection {
        fault: "svc.session_conflict",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "Session operation in progress",
        seen_in: &[],
        make: |d, _| {
            let text = "Session operation in progress, please retry".to_owned();
            d.call_refused = Some(("RetryableConflictException", text, 409));
        },
    },
    Injection {
        fault: "svc.transient_cold_start",
        with: &[],
        shows: Beside,
        fits: |d| !d.v2,
        named: "",
        seen_in: &[],
        make: |d, _| {
            d.story.earlier = vec![EarlierCall { minutes_before: 20, same_session: false, answered: false }];
        },
    },
    Injection {
        fault: "svc.auth_mismatch",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "Authorization method mismatch",
        seen_in: &[],
        make: |d, _| {
            d.story.authorizer = Some(json!({ "customJWTAuthorizer": {
                "discoveryUrl": "https://login.example.com/.well-known/openid-configuration", "allowedClients": ["web"],
            } }));
            let text = "Authorization method mismatch. The agent is configured for a different authorization method than what was used in your request.";
            d.call_refused = Some(("AccessDeniedException", text.to_owned(), 403));
        },
    },
    Injection {
        fault: "svc.update_drops_fields",
        with: &["app.startup_exception"],
        shows: Happening,
        fits: |d| !d.v2,
        named: "",
        seen_in: &[&["GetAgentRuntime:agentRuntimeVersion"]],
        make: |d, _| {
            d.story.updated = true;
            d.story.former =
                Some(json!({ "environmentVariables": { "MODEL_ID": "***", "DATABASE_URL": "***" } }));
            d.process = Process::dies(&[
                r#"  File "/app/main.py", line 11, in <module>"#,
                r#"    database = os.environ["DATABASE_URL"]"#,
                r#"  File "<frozen os>", line 714, in __getitem__"#,
                "KeyError: 'DATABASE_URL'",
            ]);
        },
    },
    Injection {
        fault: "svc.version_not_ready",
        with: &[],
        shows: Happening,
        fits: |d| !d.old,
        named: "must be in READY status",
        seen_in: &[],
        make: |d, _| {
            d.story.state = Some("CREATING");
            let text = "Agent version 1 must be in READY status. Current status: CREATING".to_owned();
            d.call_refused = Some(("ConflictException", text, 409));
        },
    },
    Injection {
        fault: "fs.byo_mount",
        with: &[],
        shows: Happening,
        fits: in_vpc,
        named: "mount",
        seen_in: &[],
        make: |d, _| {
            d.story.file_systems = Some(json!([{ "efsAccessPoint": {
                "accessPointArn": format!("arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-0a1b2c3d4e5f60718"),
                "mountPath": "/mnt/data",
            } }]));
            d.call_refused =
                Some(("RuntimeClientError", "Failed to mount file system: access denied".to_owned(), 424));
        },
    },
    Injection {
        fault: "life.idle_reaped",
        with: &[],
        shows: Beside,
        fits: anywhere,
        named: "",
        seen_in: &[&["FilterLogEvents"]],
        make: |d, _| {
            // A session of before: asked once, at work for a quarter of an hour, told to end. The call of now is answered.
            let lines = [
                (-2400, accessed(d.request(), "200 OK")),
                (-1560, "INFO: step 41 of 60".to_owned()),
                (-1530, "INFO: step 42 of 60".to_owned()),
                (-1495, "INFO: received SIGTERM".to_owned()),
            ];
            d.process = Process { printed: lines.to_vec(), does: Does::Answers };
        },
    },
    Injection {
        fault: "life.session_expired",
        with: &["contract.non2xx_masked"],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: &[&[]],
        make: |d, _| {
            d.story.session = Some(format!("session-{}", "0123456789".repeat(3)));
            d.story.earlier = vec![EarlierCall { minutes_before: 45, same_session: true, answered: true }];
            d.process = Process::new(Does::AnswersWith(404), &[(0, "INFO: unknown session")]);
        },
    },
    Injection {
        fault: "life.session_pins_version",
        with: &[],
        shows: Happening,
        fits: |d| !d.v2,
        named: "",
        seen_in: &[&[]],
        make: |d, _| {
            d.story.updated = true;
            d.story.session = Some(format!("session-{}", "0123456789".repeat(3)));
            d.story.earlier = vec![EarlierCall { minutes_before: 14, same_session: true, answered: true }];
            d.call_refused = Some(("RuntimeClientError", HEALTH.to_owned(), 424));
        },
    },
    Injection {
        fault: "tool.network_config_dropped",
        with: &[],
        shows: Happening,
        fits: |d| in_vpc(d) && !d.old,
        named: "NetworkModeConfig is required",
        seen_in: &[],
        make: |d, _| {
            d.story.network_left_out = true;
            let text = "NetworkModeConfig is required for VPC mode".to_owned();
            d.creation_refused = Some(("ValidationException", text));
        },
    },
    Injection {
        fault: "tool.state_lost",
        with: &[],
        shows: Happening,
        fits: |d| !d.old,
        named: "already exists",
        seen_in: &[],
        make: |d, _| {
            d.story.name_taken = true;
            let text = "An agent with the specified name already exists".to_owned();
            d.creation_refused = Some(("ConflictException", text));
        },
    },
    Injection {
        fault: "request.invalid",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: &[&[]],
        make: |d, _| {
            d.story.session = Some("s1".to_owned());
            let text = "1 validation error detected: Value at 'runtimeSessionId' failed to satisfy constraint: Member must have length greater than or equal to 33".to_owned();
            d.call_refused = Some(("ValidationException", text, 400));
        },
    },
    Injection {
        fault: "client.wrong_target",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: &[&["ListAgentRuntimeEndpoints"]],
        make: |d, _| {
            d.story.qualifier = Some("prod");
            let text = "No endpoint or agent found with qualifier 'prod'".to_owned();
            d.call_refused = Some(("ResourceNotFoundException", text, 404));
        },
    },
    Injection {
        fault: "build.failed",
        with: &["image.tag_missing"],
        shows: Configured,
        fits: |d| container(d) && !d.old,
        named: "",
        seen_in: &[&["BatchGetBuilds", "DescribeImages"]],
        make: |d, _| {
            d.story.build_failed = true;
            d.image_there = false;
        },
    },
];
