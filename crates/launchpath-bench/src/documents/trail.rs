//! CloudTrail's event history.

use serde_json::{Value, json};

use super::runtime::request;
use super::{CALLED, Calls, Times, UPDATED, clock};
use crate::deployment::{ACCOUNT, Deployment, REGION};
use crate::service::{Ending, Launch};

/// What one deployment left there, asked for by itself.
pub(super) fn trail(d: &Deployment, launch: &Launch, times: &Times, calls: &mut Calls) {
    look_up(d, times, events(d, launch, times), calls);
}

/// One question for the events of a time, whoever they are about.
#[expect(clippy::needless_pass_by_value, reason = "the events are built where they are given")]
pub(super) fn look_up(d: &Deployment, times: &Times, events: Vec<Value>, calls: &mut Calls) {
    let start = if d.old { "2026-07-22T09:40:00Z" } else { "2026-10-20T07:55:00Z" };
    calls.ok(
        "cloudtrail",
        "LookupEvents",
        json!({ "StartTime": start, "EndTime": times.collected }),
        json!({ "Events": events }),
    );
}

pub(super) fn events(d: &Deployment, launch: &Launch, times: &Times) -> Vec<Value> {
    let mut events = Vec::new();
    let mut event = |name: &str, source: &str, at: &str, more: Value| {
        let id = format!("{}-{}", d.suffix, events.len() + 1);
        let mut record = json!({ "eventVersion": "1.11", "eventID": id, "eventTime": at, "eventSource": source, "eventName": name, "awsRegion": REGION });
        for (member, value) in more.as_object().into_iter().flatten() {
            record[member] = value.clone();
        }
        events.push(json!({ "EventId": id, "EventName": name, "EventTime": at, "EventSource": source, "CloudTrailEvent": record.to_string() }));
    };
    let user = json!({ "type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/engineer"), "accountId": ACCOUNT });
    // CloudTrail's event history goes back 90 days: of an old runtime's creation nothing is left.
    if !d.old {
        let created = match &launch.ending {
            Ending::Refused { code, message } => {
                json!({ "userIdentity": user, "requestParameters": request(d), "errorCode": code, "errorMessage": message })
            }
            _ => {
                json!({ "userIdentity": user, "requestParameters": request(d), "responseElements": { "agentRuntimeId": d.id(), "agentRuntimeArn": d.arn(), "status": "CREATING" } })
            }
        };
        let at = if matches!(launch.ending, Ending::Refused { .. }) { times.called } else { times.created };
        event("CreateAgentRuntime", "bedrock-agentcore.amazonaws.com", at, created);
        let role = json!({ "type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForBedrockAgentCoreNetwork/AgentCore"), "accountId": ACCOUNT });
        for subnet in d.subnets.iter().filter(|_| launch.interfaces || launch.dry_run_refused.is_some()) {
            let parameters =
                json!({ "subnetId": subnet.id, "groupSet": { "items": [{ "groupId": d.runtime_group }] } });
            let (code, message) = launch.dry_run_refused.clone().unwrap_or((
                "Client.DryRunOperation",
                "Request would have succeeded, but DryRun flag is set.".to_owned(),
            ));
            event(
                "CreateNetworkInterface",
                "ec2.amazonaws.com",
                times.network,
                json!({
                    "userIdentity": role, "requestParameters": parameters, "errorCode": code, "errorMessage": message,
                }),
            );
            if launch.interfaces {
                let id = format!(
                    "eni-0{:016x}",
                    0xabc0 + d.subnets.iter().position(|s| s.id == subnet.id).unwrap_or_default()
                );
                event(
                    "CreateNetworkInterface",
                    "ec2.amazonaws.com",
                    times.network,
                    json!({
                        "userIdentity": role, "requestParameters": parameters,
                        "responseElements": { "networkInterface": { "networkInterfaceId": id, "subnetId": subnet.id, "vpcId": d.vpc } },
                    }),
                );
            }
        }
    }
    if d.pushed_again {
        event(
            "PutImage",
            "ecr.amazonaws.com",
            "2026-10-20T08:40:00Z",
            json!({ "userIdentity": user, "requestParameters": { "repositoryName": d.name, "imageTag": "v3" } }),
        );
    }
    if d.story.updated {
        let mut asked = request(d);
        asked["agentRuntimeId"] = json!(d.id());
        event(
            "UpdateAgentRuntime",
            "bedrock-agentcore.amazonaws.com",
            UPDATED,
            json!({ "userIdentity": user, "requestParameters": asked, "responseElements": { "agentRuntimeId": d.id(), "status": "UPDATING" } }),
        );
    }
    if let Some(seconds) = d.story.role_changed_before {
        event(
            "PutRolePolicy",
            "iam.amazonaws.com",
            &clock(CALLED - seconds),
            json!({ "userIdentity": user, "requestParameters": { "roleName": d.role(), "policyName": "agent" } }),
        );
    }
    let mut assumed = |at: &str, session: &str| {
        event(
            "AssumeRole",
            "sts.amazonaws.com",
            at,
            json!({
                "userIdentity": { "type": "AWSService", "invokedBy": "bedrock-agentcore.amazonaws.com" },
                "requestParameters": { "roleArn": d.role_arn(), "roleSessionName": session, "durationSeconds": 3600 },
            }),
        );
    };
    if launch.built {
        assumed(times.network, "snapstart-build-DEFAULT");
    }
    if launch.placed {
        assumed(times.called, "AgentCore-MicroVM-1f2e3d4c-DEFAULT");
    }
    events
}
