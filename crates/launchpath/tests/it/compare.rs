//! `launchpath compare`: which difference can explain the outcome, and which cannot.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{launchpath, scenario};

/// A base world whose last call fails, changed by `edit`.
fn failing(folder: &Path, name: &str, edit: impl FnOnce(String) -> String) -> String {
    let text = fs::read_to_string(scenario("base/nat")).expect("the base world");
    let mut bundle: Value = serde_json::from_str(&edit(text)).expect("JSON");
    let calls = bundle["calls"].as_array_mut().expect("calls");
    calls.push(json!({
        "id": "x1", "service": "bedrock-agentcore", "operation": "InvokeAgentRuntime", "request": {},
        "at": "2026-10-20T09:29:00Z", "outcome": "error",
        "error": { "code": "RuntimeClientError", "message": "Runtime health check failed or timed out", "http": 424 },
    }));
    let path = folder.join(name);
    fs::write(&path, bundle.to_string()).expect("a bundle");
    path.display().to_string()
}

fn difference<'a>(contrast: &'a Value, what: &str) -> &'a Value {
    let differences = contrast["comparison"]["differences"].as_array().expect("differences");
    differences.iter().find(|difference| difference["what"] == what).unwrap_or(&Value::Null)
}

#[test]
fn two_runtimes_of_the_incident_differ_in_the_image() {
    let bundle = scenario("incident/as-collected");
    let (here, there) = ("bedrock_manus_runtime_vpc_final-7XCALx4Xuw", "bedrock_manus_runtime-E8I6oFGlTA");
    let run = launchpath(&["compare", here, there, "--bundle", &bundle, "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let contrast = run.json();
    assert!(difference(&contrast, "image")["explains"].is_string(), "{contrast:#}");
    assert_eq!(contrast["here"]["verdict"], "undecided");
    let text = launchpath(&["compare", here, there, "--bundle", &bundle]);
    assert!(text.stdout.starts_with("What can explain the outcome here: image, "), "{}", text.stdout);
}

#[test]
fn other_groups_explain_nothing_where_every_way_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = failing(folder.path(), "here.json", |text| text);
    let there = failing(folder.path(), "there.json", |text| text.replace("sg-runtime", "sg-elsewhere"));
    let run = launchpath(&["compare", &here, &there, "--format", "json"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let contrast = run.json();
    let groups = difference(&contrast, "security groups");
    assert_eq!((&groups["here"], &groups["there"]), (&"sg-runtime".into(), &"sg-elsewhere".into()));
    let why = groups["explains_not"].as_str().unwrap_or_default();
    assert!(why.contains("every way open on both sides"), "{groups}");
}

#[test]
fn another_way_out_is_named_and_explains_nothing_where_both_are_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = failing(folder.path(), "here.json", |text| text);
    let run = launchpath(&["compare", &here, &scenario("base/isolated"), "--format", "json"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let contrast = run.json();
    let out = difference(&contrast, "what the traffic leaves by");
    assert_eq!(out["here"], "ecr.api by nat-1, ecr.dkr by nat-1, logs by nat-1, s3 by nat-1");
    let there = "ecr.api by vpce-ecr-api, ecr.dkr by vpce-ecr-dkr, logs by vpce-logs, s3 by vpce-s3";
    assert_eq!(out["there"], there);
    assert!(out["explains"].is_null() && out["explains_not"].is_string(), "{out}");
}

#[test]
fn a_role_that_lost_its_rights_is_a_difference_in_effect() {
    let folder = tempfile::tempdir().expect("a folder");
    let here =
        failing(folder.path(), "here.json", |text| text.replace("ecr:BatchGetImage", "ecr:ListImages"));
    let there = failing(folder.path(), "there.json", |text| text);
    let run = launchpath(&["compare", &here, &there, "--format", "json"]);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    let contrast = run.json();
    let rights = difference(&contrast, "rights to pull the image");
    assert!(
        rights["here"].as_str().is_some_and(|text| text.contains("ecr:BatchGetImage denied")),
        "{rights}"
    );
    assert!(
        rights["there"].as_str().is_some_and(|text| text.contains("ecr:BatchGetImage allowed")),
        "{rights}"
    );
    assert!(rights["explains"].is_string(), "{rights}");
}

#[test]
fn a_version_is_held_against_an_older_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = failing(folder.path(), "versions.json", |text| {
        let mut bundle: Value = serde_json::from_str(&text).expect("JSON");
        let calls = bundle["calls"].as_array_mut().expect("calls");
        let mut older = calls.iter().find(|call| call["operation"] == "GetAgentRuntime").expect("it").clone();
        older["id"] = json!("old");
        older["request"]["agentRuntimeVersion"] = json!("0");
        older["response"]["agentRuntimeVersion"] = json!("0");
        older["response"]["protocolConfiguration"]["serverProtocol"] = json!("MCP");
        older["response"]["environmentVariables"] = json!({ "MODEL_ID": "***", "TABLE": "***" });
        calls.push(older);
        bundle.to_string()
    });
    let run = launchpath(&[
        "compare",
        "agent-abcdefghij",
        "agent-abcdefghij@0",
        "--bundle",
        &path,
        "--format",
        "json",
    ]);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    let contrast = run.json();
    assert_eq!(difference(&contrast, "protocol")["there"], "MCP");
    assert_eq!(difference(&contrast, "environment variables")["there"], "MODEL_ID, TABLE");
    let missing = launchpath(&["compare", "agent-abcdefghij", "agent-abcdefghij@7", "--bundle", &path]);
    assert_eq!(missing.code, 252);
    assert!(missing.stderr.contains("--agent-runtime-version 7"), "{}", missing.stderr);
}

#[test]
fn what_is_not_there_is_named() {
    let bundle = scenario("base/nat");
    let run = launchpath(&["compare", "agent-abcdefghij", "other-klmnopqrst", "--bundle", &bundle]);
    assert_eq!(run.code, 252);
    assert!(run.stderr.contains("it describes: agent-abcdefghij"), "{}", run.stderr);
    let run = launchpath(&["compare", &bundle, "/nonexistent/case.json"]);
    assert_eq!(run.code, 252);
    assert!(run.stderr.contains("no such file"), "{}", run.stderr);
}
