//! Hostile permission questions, each with the rule of AWS's documentation that answers it.
//!
//! The rows are data: `tests/documented/<family>.jsonl`, one batch record a line with `rule` and `expected` beside it, so
//! `launchpath can --requests` takes the same files. `rules.json` has, for each rule, the page it stands on and what it
//! says. A row that expects `Unknown` rests on a rule that leaves the answer open. To add a case, add a line.
#![expect(clippy::disallowed_methods, reason = "the tests read files, the crate does not")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use launchpath_iam::{Decision, Guardrails, Layer, Layers, batch, evaluate};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documented")
}

fn rows() -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    let lines = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    });
    lines.collect()
}

fn rules() -> BTreeMap<String, Value> {
    serde_json::from_str(&fs::read_to_string(folder().join("rules.json")).unwrap()).unwrap()
}

#[test]
fn every_row_is_answered_as_documented() {
    let rules = rules();
    let rows = rows();
    assert!(rows.len() >= 300, "only {} rows were found", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let answer = batch::answer(row);
        if answer["decision"] != row["expected"] {
            let rule = &rules[row["rule"].as_str().unwrap()];
            wrong.push(format!(
                "{} expects {}: {}\n  {}\n  got {answer}",
                row["id"], row["expected"], rule["says"], rule["page"]
            ));
        }
        assert!(answer["because"].as_array().is_some_and(|because| !because.is_empty()), "{answer}");
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn every_row_names_a_rule_and_every_rule_has_a_page_and_a_row() {
    let rules = rules();
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for row in rows() {
        let id = row["id"].as_str().unwrap().to_owned();
        let rule = row["rule"].as_str().unwrap().to_owned();
        assert!(rules.contains_key(&rule), "{id} names {rule}, which rules.json does not have");
        assert!(ids.insert(id.clone()), "{id} stands twice");
        used.insert(rule);
    }
    for (name, rule) in &rules {
        assert!(used.contains(name), "no row rests on {name}");
        let page = rule["page"].as_str().unwrap();
        assert!(page.starts_with("https://docs.aws.amazon.com/"), "{name}: {page}");
        assert!(rule["says"].as_str().unwrap().len() > 20, "{name} says nothing");
    }
}

/// A layer that is there but was not seen makes the documented answer at most less certain.
#[test]
fn what_is_not_seen_never_turns_a_documented_answer_round() {
    for row in rows() {
        let (request, layers) = batch::read(&row).unwrap();
        let known = evaluate(&request, &layers).decision;
        let hidden = || Layer::Unknown("hidden".into());
        let hide: [fn(&mut Layers, Layer); 7] = [
            |layers, hidden| layers.identity = hidden,
            |layers, hidden| layers.resource = hidden,
            |layers, hidden| layers.boundary = hidden,
            |layers, hidden| layers.session = hidden,
            |layers, hidden| layers.endpoint = hidden,
            |layers, _| layers.scps = Guardrails::Unknown("hidden".into()),
            |layers, _| layers.rcps = Guardrails::Unknown("hidden".into()),
        ];
        for (index, hide) in hide.into_iter().enumerate() {
            let mut seen = layers.clone();
            hide(&mut seen, hidden());
            let partly = evaluate(&request, &seen).decision;
            let fits = match partly {
                Decision::Unknown => true,
                Decision::ImplicitlyDenied => known.is_denied(),
                definite => known == definite,
            };
            assert!(fits, "{} layer {index}: {known}, then {partly}", row["id"]);
        }
    }
}
