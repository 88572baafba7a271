//! `launchpath diagnose --all`: every runtime of one bundle.

use crate::program::{launchpath, scenario};

#[test]
fn every_runtime_of_the_incident_has_its_line() {
    let bundle = scenario("incident/as-collected");
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--all"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("UNDECIDED"), "{}", run.stdout);
    for id in ["bedrock_manus_runtime_vpc_final-7XCALx4Xuw", "bedrock_manus_runtime-E8I6oFGlTA"] {
        assert!(lines.iter().any(|line| line.contains(id)), "{id}: {}", run.stdout);
    }
}

#[test]
fn each_has_the_verdict_that_it_has_by_itself() {
    let bundle = scenario("incident/as-collected");
    let all = launchpath(&["diagnose", "--bundle", &bundle, "--all", "--format", "json"]).json();
    let all = all.as_array().expect("a list");
    assert!(all.len() >= 2, "{} runtimes", all.len());
    for one in all {
        let id = one["runtime"]["id"].as_str().expect("an id");
        let alone = launchpath(&["diagnose", id, "--bundle", &bundle, "--format", "json"]).json();
        assert_eq!(one["verdict"], alone["verdict"], "{id}");
    }
}

#[test]
fn a_report_of_one_runtime_is_refused() {
    let bundle = scenario("incident/as-collected");
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--all", "--format", "sarif"]);
    assert_eq!(run.code, 252, "{}", run.stdout);
    assert!(run.stderr.contains("take text, json or jsonl"), "{}", run.stderr);
    let run = launchpath(&["diagnose", "--all"]);
    assert_eq!(run.code, 252, "{}", run.stdout);
}
