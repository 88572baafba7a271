//! Public question sets: expectations of other people's test suites and recorded answers.

use std::collections::BTreeMap;

use launchpath_net::Engine;
use launchpath_net::batch::answer_line;
use serde_json::Value;

use crate::snapshot::{load, shared_data};

/// Records whose expectation rests on what AWS data does not hold; `DIFFERENCES.md` says why for each.
const EXPLAINED: &[(&str, &str)] = &[("net-a30013cc95", "unknown")];

#[test]
fn every_vector_is_answered_as_expected() {
    let Some(data) = shared_data() else { return };
    let folder = data.join("network");
    let text = std::fs::read_to_string(folder.join("vectors.jsonl")).unwrap();
    let mut networks = BTreeMap::new();
    let mut wrong = Vec::new();
    for record in text.lines() {
        let value: Value = serde_json::from_str(record).unwrap();
        let id = value["id"].as_str().unwrap();
        let snapshot = value["data"].as_str().unwrap().to_owned();
        let network = networks.entry(snapshot.clone()).or_insert_with(|| load(&folder.join(&snapshot)));
        let line = answer_line(&Engine::of_snapshot(network), record);
        let answer: Value = serde_json::from_str(&line).unwrap();
        let expected = &value["expected"];
        let explained = EXPLAINED.iter().find(|(known, _)| *known == id);
        let mut good = answer["reachable"] == expected["reachable"];
        if let Some(blocker) = expected["blocked_by"].as_object() {
            let named = answer["blocked_by"].as_array().into_iter().flatten();
            good &= named.into_iter().any(|b| b["kind"] == blocker["kind"] && b["id"] == blocker["id"]);
        }
        if let Some((_, instead)) = explained {
            let own = &answer["reachable"];
            assert!(!good, "{id} needs no explanation any more");
            assert_eq!(own.as_str().unwrap_or(&own.to_string()), *instead, "{id}");
            continue;
        }
        if !good {
            wrong.push(format!("{id} expected {expected}\n   got {line}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
