//! Input that is malformed: exit code 2, the file, the JSON path, what was expected, and nothing half-read.

use serde_json::{Value, json};

use crate::program::{Run, launchpath, scenario};

fn good() -> Value {
    let text = std::fs::read_to_string(scenario("base/nat")).expect("the bundle");
    serde_json::from_str(&text).expect("JSON")
}

fn diagnose(text: &str) -> Run {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("case.json");
    std::fs::write(&path, text).expect("written");
    launchpath(&["diagnose", "--bundle", &path.display().to_string()])
}

#[test]
fn every_way_to_spoil_a_bundle_is_told_with_file_and_place() {
    type Spoil = fn(&mut Value);
    let spoilt: &[(&str, Spoil)] = &[
        ("expected a member `format`", |b| drop(b.as_object_mut().map(|b| b.remove("format")))),
        ("format: expected \"launchpath-bundle/1\"", |b| b["format"] = json!("launchpath-bundle/2")),
        ("format: expected \"launchpath-bundle/1\"", |b| b["format"] = json!("other")),
        ("format: expected \"launchpath-bundle/1\", found 1", |b| b["format"] = json!(1)),
        ("calls: expected a list of calls", |b| b["calls"] = json!({})),
        ("calls: expected a list of calls", |b| drop(b.as_object_mut().map(|b| b.remove("calls")))),
        ("calls[2]: expected an object", |b| b["calls"][2] = json!(5)),
        ("calls[2]: expected a member `service`", |b| b["calls"][2] = json!({ "id": "c3" })),
        ("calls[2].outcome: expected one of", |b| b["calls"][2]["outcome"] = json!("okay")),
        ("calls[2].error: expected an object with `code`", |b| b["calls"][2]["error"] = json!("no")),
        ("calls[2].response: expected an object", |b| b["calls"][2]["response"] = json!("text")),
        ("calls[2].request: expected an object", |b| b["calls"][2]["request"] = json!([])),
        ("calls[2].at: expected a time", |b| b["calls"][2]["at"] = json!("noon")),
        ("collected_at: expected a time", |b| b["collected_at"] = json!("yesterday")),
        ("subject: expected an object", |b| b["subject"] = json!("agent")),
        ("subject.runtime: expected a string", |b| b["subject"]["runtime"] = json!(5)),
        ("found the list of ", |b| *b = b["calls"].take()),
        ("found one call of a bundle", |b| *b = b["calls"][0].take()),
    ];
    for (told, spoil) in spoilt {
        let mut bundle = good();
        spoil(&mut bundle);
        let run = diagnose(&bundle.to_string());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{told}: {}", run.stderr);
        assert!(run.stderr.contains("case.json: ") && run.stderr.contains(told), "{told} in {}", run.stderr);
    }
}

#[test]
fn an_endpoint_that_the_input_does_not_have_is_said() {
    let bundle = scenario("base/nat");
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--endpoint", "staging"]);
    assert_eq!((run.code, run.stdout.as_str()), (252, ""), "{}", run.stderr);
    assert!(
        run.stderr.contains("endpoint staging") && run.stderr.contains("it has: DEFAULT"),
        "{}",
        run.stderr
    );
    let run = launchpath(&["compare", "agent-abcdefghij/staging", "agent-abcdefghij", "--bundle", &bundle]);
    assert_eq!((run.code, run.stdout.as_str()), (252, ""), "{}", run.stderr);
    // Where nobody listed the endpoints it stays open, and the report says so.
    let mut unlisted = good();
    for call in unlisted["calls"].as_array_mut().expect("calls") {
        if call["operation"] == "ListAgentRuntimeEndpoints" {
            call["outcome"] = json!("denied");
            call["error"] = json!({ "code": "AccessDeniedException", "message": "no", "http": 403 });
            call["response"] = Value::Null;
        }
    }
    unlisted["subject"]["endpoint"] = json!("staging");
    let run = diagnose(&unlisted.to_string());
    assert!(
        run.stdout.contains("Nothing shows that agent-abcdefghij has an endpoint staging"),
        "{}",
        run.stdout
    );
    assert_ne!(run.code, 0);
}
