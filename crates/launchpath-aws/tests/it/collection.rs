//! What a collection sends, stores and leaves out.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use launchpath_aws::{Request, plan};
use serde_json::Value;

use crate::moto::{Moto, text};

fn request(runtime: &str) -> Request {
    Request { runtime: runtime.to_owned(), ..Request::default() }
}

fn calls(bundle: &Value) -> &[Value] {
    bundle.get("calls").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn find<'a>(bundle: &'a Value, service: &str, operation: &str) -> Vec<&'a Value> {
    let fits = |call: &&Value| call["service"] == service && call["operation"] == operation;
    calls(bundle).iter().filter(fits).collect()
}

#[test]
fn a_vpc_runtime_is_collected_whole() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let world = moto.world(&[])?;
    let id = text(&world, "/runtime")?;
    let bundle =
        moto.collect(Request { saw: Some("it said password=hunter22".to_owned()), ..request(id) })?;

    assert_eq!(bundle["format"], "launchpath-bundle/1");
    assert_eq!(bundle["account"], world["account"]);
    assert_eq!(bundle["subject"], serde_json::json!({"runtime": id, "endpoint": "DEFAULT"}));
    for (number, call) in calls(&bundle).iter().enumerate() {
        assert_eq!(call["id"], format!("c{}", number + 1));
    }

    // The bundle reader takes it, and gives it back unchanged.
    let read = launchpath_intake::bundle::Bundle::from_json("bundle.json", bundle.to_string().as_bytes())?;
    assert_eq!(read.calls.len(), calls(&bundle).len());
    assert_eq!(read.to_value(), bundle);

    // What the plan says is what went out, no more; what it says without a condition, no less.
    let plan = plan(&request(id))?;
    let sent: BTreeSet<(&str, &str)> = calls(&bundle)
        .iter()
        .filter_map(|call| Some((call["service"].as_str()?, call["operation"].as_str()?)))
        .filter(|(service, _)| *service != "launchpath")
        .collect();
    let planned: BTreeSet<_> = plan.operations().into_iter().collect();
    assert!(sent.is_subset(&planned), "{:?}", sent.difference(&planned));
    let always = plan.steps.iter().filter(|step| step.when.is_empty() || step.when == "VPC mode");
    for call in always.flat_map(|step| &step.calls) {
        // The emulator's VPC has no DHCP options of its own.
        if call.operation != "DescribeDhcpOptions" {
            assert!(sent.contains(&(call.service, call.operation)), "{} was not sent", call.operation);
        }
    }

    // Interfaces are found by subnet, policies are complete, the index led to its platform.
    let interfaces = find(&bundle, "ec2", "DescribeNetworkInterfaces");
    let first = interfaces.first().context("interfaces")?;
    assert_eq!(text(first, "/request/Filters/0/Name")?, "subnet-id");
    assert!(first.to_string().contains("AmazonBedrockAgentCoreManaged"));
    assert_eq!(find(&bundle, "iam", "GetPolicyVersion").len(), 1);
    assert_eq!(find(&bundle, "ecr", "BatchGetImage").len(), 2);

    // What the emulator lacks is an error of that call, not of the run.
    for call in find(&bundle, "cloudtrail", "LookupEvents") {
        assert_eq!(call["outcome"], "error");
        assert!(call.get("response").is_none());
    }
    assert!(!find(&bundle, "cloudtrail", "LookupEvents").is_empty());
    assert_eq!(find(&bundle, "launchpath", "GetImageConfig")[0]["outcome"], "error");

    // No secret: neither the environment's values, nor a credential, nor what the user quoted.
    let everything = bundle.to_string();
    for secret in ["not-for-the-bundle", "hunter22", "AWS4-HMAC", "X-Amz-", "testing"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert!(everything.contains("API_KEY"), "the variable's name stays");
    Ok(())
}

#[test]
fn a_runtime_is_found_by_name_and_collected_the_same() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let world = moto.world(&["--isolated"])?;
    let id = text(&world, "/runtime")?;
    let by_id = moto.collect(request(id))?;
    let by_name = moto.collect(request("agent"))?;
    let shape = |bundle: &Value| -> Vec<String> {
        // Windows of time move between two runs; everything else is the same.
        let timeless = |call: &&Value| !matches!(call["service"].as_str(), Some("cloudwatch" | "cloudtrail"));
        calls(bundle)
            .iter()
            .filter(timeless)
            .map(|call| {
                let mut call = call.clone();
                call.as_object_mut().map(|call| call.remove("at"));
                call.to_string()
            })
            .collect()
    };
    assert_eq!(by_id["subject"], by_name["subject"]);
    assert_eq!(shape(&by_id), shape(&by_name));
    Ok(())
}

#[test]
fn a_runtime_that_is_not_there_is_evidence() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let bundle = moto.collect(request("nobody-0123456789"))?;
    assert_eq!(find(&bundle, "bedrock-agentcore-control", "GetAgentRuntime")[0]["outcome"], "not_found");
    assert!(find(&bundle, "ec2", "DescribeSubnets").is_empty());
    assert_eq!(find(&bundle, "sts", "GetCallerIdentity")[0]["outcome"], "ok");
    Ok(())
}

#[test]
fn an_invocation_is_made_only_when_asked_for() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let world = moto.world(&["--isolated"])?;
    let id = text(&world, "/runtime")?;
    assert!(find(&moto.collect(request(id))?, "bedrock-agentcore", "InvokeAgentRuntime").is_empty());
    let bundle = moto.collect(Request { invoke: Some(b"{}".to_vec()), ..request(id) })?;
    let invoked = find(&bundle, "bedrock-agentcore", "InvokeAgentRuntime");
    assert_eq!(invoked.len(), 1);
    assert!(text(invoked[0], "/request/runtimeSessionId")?.len() >= 33);
    // The emulator does not invoke; that too is an outcome.
    assert_ne!(invoked[0]["outcome"], "ok");
    Ok(())
}
