//! The runtime's log group.

use serde_json::{Value, json};

use super::{CALLED, Calls, READY, clock};
use crate::deployment::{ACCOUNT, Deployment, REGION};
use crate::service::{Ending, Launch};

pub(super) fn logs(d: &Deployment, launch: &Launch, calls: &mut Calls) {
    let group = d.log_group();
    let prefix = format!("/aws/bedrock-agentcore/runtimes/{}", d.id());
    let asked = json!({ "logGroupName": group });
    let listing = json!({ "logGroupNamePrefix": prefix });
    if d.story.log_key_shut {
        let key = "0a1b2c3d-0000-4000-8000-0123456789ab";
        let described = json!({ "logGroupName": group, "storedBytes": 0, "kmsKeyId": format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}") });
        calls.ok("logs", "DescribeLogGroups", listing, json!({ "logGroups": [described] }));
        calls.ok("logs", "FilterLogEvents", asked, json!({ "events": [] }));
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*",
        }] });
        calls.ok(
            "kms",
            "GetKeyPolicy",
            json!({ "KeyId": key, "PolicyName": "default" }),
            json!({ "Policy": policy.to_string() }),
        );
        return;
    }
    let Some(lines) = &launch.log else {
        calls.ok("logs", "DescribeLogGroups", listing, json!({ "logGroups": [] }));
        calls.not_found("logs", "FilterLogEvents", asked, "ResourceNotFoundException");
        return;
    };
    let described = json!({ "logGroupName": group, "storedBytes": 0 });
    calls.ok("logs", "DescribeLogGroups", listing, json!({ "logGroups": [described] }));
    let end = if matches!(launch.ending, Ending::CreateFailed { .. }) { READY } else { CALLED };
    let events: Vec<Value> = lines
        .iter()
        .map(|(at, line)| {
            let at = clock(end + at);
            json!({ "logStreamName": "2026/10/20/[runtime-logs]5f3c2a10-aaaa-bbbb-cccc-0123456789ab", "timestamp": at, "ingestionTime": at, "message": line })
        })
        .collect();
    calls.ok("logs", "FilterLogEvents", asked, json!({ "events": events }));
}
