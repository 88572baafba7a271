//! Retries, refusals, silence, pages and signatures, against a service that answers as told.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use launchpath_aws::{Request, Settings};
use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::moto::{collect, settings};

const IDENTITY: &str = "<R><GetCallerIdentityResult><Account>111122223333</Account>\
    <Arn>arn:aws:iam::111122223333:user/u</Arn><UserId>u</UserId></GetCallerIdentityResult></R>";

fn request(runtime: &str) -> Request {
    Request { runtime: runtime.to_owned(), ..Request::default() }
}

fn denied() -> Reply {
    (
        403,
        "<Response><Errors><Error><Code>AccessDenied</Code><Message>no</Message></Error></Errors></Response>"
            .to_owned(),
    )
}

fn only<'a>(bundle: &'a Value, operation: &str) -> Result<&'a Value> {
    let mut calls = bundle["calls"].as_array().into_iter().flatten();
    calls
        .find(|call| call["operation"] == operation)
        .with_context(|| format!("{operation} is not in the bundle"))
}

#[test]
fn a_throttled_call_is_sent_again_and_counts_once() -> Result<()> {
    let fake = Fake::start(|_, received, before| match received.operation.as_str() {
        "GetCallerIdentity" if before < 2 => {
            (400, "<E><Error><Code>Throttling</Code><Message>slow</Message></Error></E>".to_owned())
        }
        "GetCallerIdentity" => (200, IDENTITY.to_owned()),
        "DescribeAvailabilityZones" => (
            503,
            "<E><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error></Errors></E>"
                .to_owned(),
        ),
        _ => denied(),
    })?;
    let bundle = collect(settings(&fake.url), request("agent-0123456789"))?;
    assert_eq!(only(&bundle, "GetCallerIdentity")?["outcome"], "ok");
    assert_eq!(fake.count("GetCallerIdentity"), 3);
    let throttled = only(&bundle, "DescribeAvailabilityZones")?;
    assert_eq!(
        (&throttled["outcome"], &throttled["error"]["code"]),
        (&json!("throttled"), &json!("RequestLimitExceeded"))
    );
    assert_eq!(bundle["account"], "111122223333");
    Ok(())
}

#[test]
fn when_everything_is_denied_the_bundle_says_so() -> Result<()> {
    let fake = Fake::start(|_, received, _| {
        if received.authorization.is_some() && received.body.starts_with('{')
            || received.path.starts_with("/runtimes")
        {
            (403, r#"{"__type":"AccessDeniedException","message":"no"}"#.to_owned())
        } else {
            denied()
        }
    })?;
    let bundle = collect(settings(&fake.url), request("agent-0123456789"))?;
    let calls = bundle["calls"].as_array().context("calls")?;
    assert!(calls.len() >= 8);
    for call in calls {
        assert_eq!(call["outcome"], "denied", "{call}");
        assert_eq!(call["error"]["http"], 403);
    }
    assert!(bundle.get("account").is_none(), "an account that nobody told");
    Ok(())
}

#[test]
fn a_silent_service_does_not_hold_up_the_bundle() -> Result<()> {
    let fake = Fake::start(|_, received, _| {
        match received.operation.as_str() {
            "GetCallerIdentity" => return (200, IDENTITY.to_owned()),
            "DescribeManagedPrefixLists" | "DescribeAvailabilityZones" => {
                std::thread::sleep(Duration::from_secs(20));
            }
            _ => {}
        }
        denied()
    })?;
    let begun = Instant::now();
    // One call runs into its own time-out, the other into the collection's deadline.
    let own = Settings { call_timeout: Duration::from_millis(400), ..settings(&fake.url) };
    let bundle = collect(own, request("agent-0123456789"))?;
    assert_eq!(only(&bundle, "DescribeManagedPrefixLists")?["error"]["code"], "TimedOut");
    let total = Settings { deadline: Duration::from_millis(600), ..settings(&fake.url) };
    let bundle = collect(total, request("agent-0123456789"))?;
    assert_eq!(only(&bundle, "DescribeManagedPrefixLists")?["error"]["code"], "TimedOut");
    assert_eq!(only(&bundle, "GetCallerIdentity")?["outcome"], "ok");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    Ok(())
}

#[test]
fn nobody_listening_is_an_error_of_each_call() -> Result<()> {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let bundle = collect(settings(&format!("http://{closed}")), request("agent-0123456789"))?;
    let call = only(&bundle, "GetCallerIdentity")?;
    assert_eq!((&call["outcome"], &call["error"]["code"]), (&json!("error"), &json!("ConnectionFailed")));
    assert!(call["error"].get("http").is_none());
    Ok(())
}

#[test]
fn a_name_on_the_third_page_is_found_and_the_pages_are_one_answer() -> Result<()> {
    let fake = Fake::start(|_, received, _| {
        // The token of the page before comes back, encoded.
        let (name, token) = match received.operation.as_str() {
            "POST /runtimes/" => ("a", Some("t1")),
            "POST /runtimes/?nextToken=t1" => ("b", Some("t 2")),
            "POST /runtimes/?nextToken=t%202" => ("wanted", None),
            _ => return denied(),
        };
        let id = format!("{name}-0123456789");
        let page =
            json!({"agentRuntimes": [{"agentRuntimeName": name, "agentRuntimeId": id}], "nextToken": token});
        (200, page.to_string())
    })?;
    let bundle = collect(settings(&fake.url), request("wanted"))?;
    assert_eq!(bundle["subject"]["runtime"], "wanted-0123456789");
    let answer = &only(&bundle, "ListAgentRuntimes")?["response"];
    assert_eq!(answer["agentRuntimes"].as_array().map(Vec::len), Some(3));
    assert!(answer.get("nextToken").is_none(), "{answer}");
    assert_eq!(fake.count("GET /runtimes/wanted-0123456789/"), 1);
    Ok(())
}

#[test]
fn the_image_configuration_is_downloaded_without_our_signature_and_masked() -> Result<()> {
    const CONFIG: &str =
        r#"{"architecture":"arm64","config":{"Env":["PATH=/bin","TOKEN=tttt1234"],"User":"1000"}}"#;
    let fake = Fake::start(|url, received, _| {
        let runtime = json!({
            "agentRuntimeId": "agent-0123456789", "agentRuntimeName": "agent", "agentRuntimeVersion": "1",
            "agentRuntimeArtifact": {"containerConfiguration": {
                "containerUri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/agent:v1"}},
        });
        let manifest = json!({"config": {"digest": digest(CONFIG)}}).to_string();
        match received.operation.as_str() {
            "GET /runtimes/agent-0123456789/" => (200, runtime.to_string()),
            "BatchGetImage" => (200, json!({"images": [{"imageManifest": manifest}]}).to_string()),
            "GetDownloadUrlForLayer" => {
                (200, json!({"downloadUrl": format!("{url}/blob?X-Amz-Signature=abcdef0123")}).to_string())
            }
            "GET /blob?X-Amz-Signature=abcdef0123" => (200, CONFIG.to_owned()),
            _ => denied(),
        }
    })?;
    let bundle = collect(settings(&fake.url), request("agent-0123456789"))?;
    let config = only(&bundle, "GetImageConfig")?;
    assert_eq!(
        config["response"],
        json!({"architecture": "arm64",
        "config": {"Env": ["PATH=/bin", "TOKEN=***"], "User": "1000"}})
    );
    assert_eq!((&config["service"], &config["region"]), (&json!("launchpath"), &json!("eu-west-1")));
    assert!(!bundle.to_string().contains("X-Amz-Signature"), "the address is a secret");
    let signed = |operation: &str| -> Option<String> {
        fake.received().into_iter().find(|r| r.operation.starts_with(operation))?.authorization
    };
    assert_eq!(signed("GET /blob"), None);
    // Each service is signed under its own name, in its own Region.
    for (operation, scope) in [
        ("BatchGetImage", "/eu-west-1/ecr/aws4_request"),
        ("GET /runtimes/agent", "/us-east-1/bedrock-agentcore/aws4_request"),
        ("GetRole", "/us-east-1/iam/aws4_request"),
    ] {
        let authorization = signed(operation).with_context(|| operation.to_owned())?;
        assert!(
            authorization.starts_with("AWS4-HMAC-SHA256") && authorization.contains(scope),
            "{authorization}"
        );
    }
    Ok(())
}

#[test]
fn a_bucket_of_another_region_is_asked_there() -> Result<()> {
    let fake = Fake::start(|_, received, _| {
        let code = json!({"code": {"s3": {"bucket": "agent-code", "prefix": "a b.zip"}}});
        let runtime = json!({"agentRuntimeId": "agent-0123456789", "agentRuntimeArtifact": {"codeConfiguration": code}});
        let here = received.authorization.as_deref().unwrap_or_default().contains("/eu-west-1/s3/");
        match received.operation.as_str() {
            "GET /runtimes/agent-0123456789/" => (200, runtime.to_string()),
            "HEAD /agent-code/a%20b.zip" if here => (200, String::new()),
            // The fake's way to set the header that S3 sets.
            "HEAD /agent-code/a%20b.zip" => (301, "eu-west-1".to_owned()),
            _ => denied(),
        }
    })?;
    let bundle = collect(settings(&fake.url), request("agent-0123456789"))?;
    assert_eq!(only(&bundle, "HeadObject")?["outcome"], "ok");
    assert_eq!(fake.count("HEAD /agent-code/a%20b.zip"), 2);
    Ok(())
}

#[test]
fn what_a_profile_holds_is_asked_for() -> Result<()> {
    const SUBNETS: &str =
        "<R><subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId></item></subnetSet></R>";
    const ZONES: &str = "<R><HostedZoneSummaries>\
        <HostedZoneSummary><HostedZoneId>Z1</HostedZoneId><Name>api.ecr.us-east-1.amazonaws.com.</Name>\
        <Owner><OwningService>vpce.amazonaws.com</OwningService></Owner></HostedZoneSummary>\
        <HostedZoneSummary><HostedZoneId>Z2</HostedZoneId><Name>corp.example.</Name>\
        <Owner><OwningAccount>111122223333</OwningAccount></Owner></HostedZoneSummary>\
        <HostedZoneSummary><HostedZoneId>Z3</HostedZoneId><Name>amazonaws.com.</Name>\
        <Owner><OwningAccount>111122223333</OwningAccount></Owner></HostedZoneSummary>\
        </HostedZoneSummaries></R>";
    const RECORDS: &str = "<R><ResourceRecordSets><ResourceRecordSet><Name>x.amazonaws.com.</Name><Type>TXT</Type>\
        <ResourceRecords><ResourceRecord><Value>verify=abcdefgh</Value></ResourceRecord></ResourceRecords>\
        </ResourceRecordSet></ResourceRecordSets><IsTruncated>false</IsTruncated></R>";
    let fake = Fake::start(|_, received, _| {
        let runtime = json!({
            "agentRuntimeId": "agent-0123456789", "agentRuntimeName": "agent",
            "networkConfiguration": {"networkMode": "VPC", "networkModeConfig": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
        });
        let held = json!({"ProfileResourceAssociations": [
            {"ProfileId": "rp-1", "ResourceArn": "arn:aws:route53:::hostedzone/Z9"},
            {"ProfileId": "rp-1", "ResourceArn": "arn:aws:ec2:us-east-1:444455556666:vpc-endpoint/vpce-9"},
            {"ProfileId": "rp-1", "ResourceArn": "arn:aws:route53resolver:us-east-1:444455556666:resolver-rule/rslvr-rr-9"},
        ]});
        match received.operation.as_str() {
            "GET /runtimes/agent-0123456789/" => (200, runtime.to_string()),
            "DescribeSubnets" => (200, SUBNETS.to_owned()),
            "GET /2013-04-01/hostedzonesbyvpc?vpcid=vpc-1&vpcregion=us-east-1" => (200, ZONES.to_owned()),
            path if path.ends_with("/rrset") => (200, RECORDS.to_owned()),
            "GET /profileassociations?resourceId=vpc-1" => (
                200,
                json!({"ProfileAssociations": [{"ProfileId": "rp-1", "ResourceId": "vpc-1"}]}).to_string(),
            ),
            "GET /profileresourceassociations/profileid/rp-1" => (200, held.to_string()),
            "ListResolverRuleAssociations" => (200, json!({"ResolverRuleAssociations": []}).to_string()),
            "ListResolverRules" => (
                200,
                json!({"ResolverRules": [{"Id": "rslvr-rr-9", "DomainName": "amazonaws.com."}]}).to_string(),
            ),
            _ => denied(),
        }
    })?;
    let bundle = collect(settings(&fake.url), request("agent-0123456789"))?;
    assert_eq!(only(&bundle, "ListProfileResourceAssociations")?["outcome"], "ok");
    // The zone that may hold names of AWS and the profile's; not the company's, not the one a service keeps for itself.
    for (zone, times) in [("Z1", 0), ("Z2", 0), ("Z3", 1), ("Z9", 1)] {
        assert_eq!(fake.count(&format!("GET /2013-04-01/hostedzone/{zone}/rrset")), times, "{zone}");
    }
    assert!(fake.received().iter().any(|request| request.body.contains("vpce-9")));
    let rules = only(&bundle, "ListResolverRules")?;
    assert_eq!(rules["response"]["ResolverRules"][0]["Id"], "rslvr-rr-9");
    let request = json!({"Filters": [{"Name": "VPCId", "Values": ["vpc-1"]}]});
    assert_eq!(only(&bundle, "ListResolverRuleAssociations")?["request"], request);
    assert!(!bundle.to_string().contains("abcdefgh"), "free text of a zone is masked");
    Ok(())
}

fn digest(text: &str) -> String {
    use sha2::Digest as _;
    let hex = sha2::Sha256::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("sha256:{hex}")
}
