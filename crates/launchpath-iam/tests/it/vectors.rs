//! Decisions that other people's tests, and AWS itself, give for policies and requests.
//!
//! The records are not part of the repository; without them the tests say so and pass. A disagreement is allowed
//! only for records listed in `DISAGREEMENTS.md`.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;
use std::path::Path;

use launchpath_iam::batch;
use serde_json::Value;

const DISAGREEMENTS: &str = include_str!("../../DISAGREEMENTS.md");

#[expect(clippy::disallowed_methods, reason = "the tests read files, the crate does not")]
fn records(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/iam").join(file);
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn agrees(record: &Value, answer: &Value) -> bool {
    let expected = record["expected"]["decision"].as_str().unwrap();
    let got = answer["decision"].as_str().unwrap_or("error");
    match expected {
        "Denied" => got == "ImplicitlyDenied" || got == "ExplicitlyDenied",
        expected => got == expected,
    }
}

fn check(file: &str) {
    let mut wrong = Vec::new();
    for record in records(file) {
        let answer = batch::answer(&record);
        let id = record["id"].as_str().unwrap();
        if !agrees(&record, &answer) && !DISAGREEMENTS.contains(id) {
            wrong.push(format!("{id}: expected {}, got {answer:#}\n{record}", record["expected"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {file} disagree:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn core_vectors_agree() {
    check("vectors.jsonl");
}

#[test]
fn extended_vectors_agree() {
    check("extended.jsonl");
}

#[test]
fn disputed_vectors_agree() {
    check("disputed.jsonl");
}

#[test]
fn listed_disagreements_exist() {
    let known: Vec<Value> =
        ["vectors.jsonl", "extended.jsonl", "disputed.jsonl"].into_iter().flat_map(records).collect();
    if known.is_empty() {
        return;
    }
    let listed = DISAGREEMENTS.split('`').filter(|word| word.starts_with("iam-") && !word.contains(' '));
    for id in listed {
        let record = known.iter().find(|record| record["id"] == id);
        let record = record.unwrap_or_else(|| panic!("{id} is listed, but there is no such record"));
        assert!(!agrees(record, &batch::answer(record)), "{id} is listed, but agrees");
    }
}
