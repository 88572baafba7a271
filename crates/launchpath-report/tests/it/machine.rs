//! The formats of other tools: what they demand of a file, whatever the strings are.

use std::collections::BTreeSet;

use proptest::prelude::*;
use roxmltree::Document;
use serde_json::Value;

use launchpath_report::diagnosis::Diagnosis;
use launchpath_report::{Format, Options, render};

use crate::{fixture, hostile};

fn shown(diagnosis: &Diagnosis, format: Format) -> String {
    render(diagnosis, format, &Options::default())
}

fn json(diagnosis: &Diagnosis, format: Format) -> Value {
    serde_json::from_str(&shown(diagnosis, format)).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What the standard demands of the members that are written; the first thing that is wrong.
fn sarif_fault(log: &Value) -> Option<String> {
    if log["version"] != "2.1.0" || list(&log["runs"]).len() != 1 {
        return Some("one run of version 2.1.0".to_owned());
    }
    let run = &log["runs"][0];
    let rules = list(&run["tool"]["driver"]["rules"]);
    let ids: BTreeSet<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    if ids.len() != rules.len() {
        return Some("rule ids are not unique".to_owned());
    }
    let texts = rules.iter().map(|rule| &rule["shortDescription"]["text"]);
    if let Some(empty) = texts.into_iter().find(|text| text.as_str().is_none_or(str::is_empty)) {
        return Some(format!("a description is {empty}"));
    }
    for result in list(&run["results"]) {
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
        if index.and_then(|index| rules.get(index)).map(|rule| &rule["id"]) != Some(&result["ruleId"]) {
            return Some(format!("ruleIndex: {result}"));
        }
        let kind = result["kind"].as_str().unwrap_or_default();
        let level = result["level"].as_str().unwrap_or_default();
        if !["fail", "review", "pass", "open", "informational"].contains(&kind)
            || level != if kind == "fail" { "error" } else { "none" }
        {
            return Some(format!("kind {kind}, level {level}"));
        }
        let text = result["message"]["text"].as_str().unwrap_or_default();
        if text.is_empty() || text.contains("](") || text.chars().any(hostile::is_dangerous) {
            return Some(format!("message {text:?}"));
        }
        if list(&result["locations"]).is_empty() {
            return Some("no location".to_owned());
        }
    }
    None
}

#[test]
fn sarif_has_a_result_for_every_fault_and_its_kind_is_what_is_known() {
    let diagnosis = fixture::blocked_network();
    let log = json(&diagnosis, Format::Sarif);
    assert_eq!(sarif_fault(&log), None);
    let results = list(&log["runs"][0]["results"]);
    let of = |kind: &str| results.iter().filter(|result| result["kind"] == kind).count();
    assert_eq!(of("fail"), 2);
    assert_eq!((of("pass"), of("open"), of("informational")), (15, 9, 1));
    let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], "net.endpoint_sg_blocks");
    assert!(rule["help"]["markdown"].as_str().unwrap().contains("## "), "help is the catalogue's page");
    let suspects = json(&fixture::undecided(), Format::Sarif);
    assert!(list(&suspects["runs"][0]["results"]).iter().any(|result| result["kind"] == "review"));
}

#[test]
fn fingerprints_tell_resources_apart_and_stay() {
    let diagnosis = fixture::blocked_network();
    let fingerprint = |diagnosis: &Diagnosis| {
        let log = json(diagnosis, Format::Sarif);
        log["runs"][0]["results"][0]["partialFingerprints"]["launchpathFault/v1"].clone()
    };
    let mut other = diagnosis.clone();
    other.causes[0].probability = 0.5;
    other.causes[0].subjects.reverse();
    assert_eq!(fingerprint(&diagnosis), fingerprint(&other));
    other.causes[0].subjects[0] = "sg-other".into();
    assert_ne!(fingerprint(&diagnosis), fingerprint(&other));
}

/// Counts of the suite and of its cases, which must be the same.
fn junit(xml: &str) -> [[usize; 3]; 2] {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let said = ["tests", "failures", "skipped"].map(|name| suite.attribute(name).unwrap().parse().unwrap());
    let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
    [said, [count("testcase"), count("failure"), count("skipped")]]
}

#[test]
fn junit_never_passes_what_is_not_known() {
    for (name, diagnosis) in fixture::all() {
        let [said, counted] = junit(&shown(&diagnosis, Format::Junit));
        assert_eq!(said, counted, "{name}");
    }
    let [_, [tests, failures, skipped]] = junit(&shown(&fixture::blocked_network(), Format::Junit));
    assert_eq!((tests, failures, skipped), (26, 2, 9));
}

#[test]
fn lines_hold_the_whole_diagnosis() {
    let diagnosis = fixture::undecided();
    let lines = shown(&diagnosis, Format::JsonLines);
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let whole = json(&diagnosis, Format::Json);
    for (name, member) in whole.as_object().unwrap() {
        match member {
            Value::Array(entries) => {
                let of: Vec<&Value> =
                    records.iter().filter(|r| r["record"] == name.as_str()).map(|r| &r["data"]).collect();
                assert_eq!(of, entries.iter().collect::<Vec<_>>(), "{name}");
            }
            member => assert_eq!(&records[0]["data"][name], member),
        }
    }
}

#[test]
fn a_case_is_offered_only_when_nothing_is_left_on_this_side() {
    for (name, diagnosis) in fixture::all() {
        let case = json(&diagnosis, Format::SupportCaseJson);
        let text = shown(&diagnosis, Format::SupportCase);
        if name == "no-fault-found" {
            assert!(text.starts_with("Subject: ") && text.contains("Questions that remain:"), "{text}");
            assert!(text.contains("Excluded, with what shows it:"));
            let members: Vec<&str> = case.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, ["subject", "communicationBody", "language", "issueType"]);
        } else {
            assert!(text.starts_with("No support case yet: "), "{name}: {text}");
            let blocked = diagnosis.verdict == launchpath_report::diagnosis::Verdict::Blocked;
            assert_eq!(text.contains("Then diagnose again"), blocked, "{name}: {text}");
            assert!(!(blocked && text.contains("What is missing")), "{name}: the cause comes first");
            assert_eq!(case["offered"], false, "{name}");
            assert!(case.get("communicationBody").is_none(), "{name}: create-case would take it");
        }
    }
}

#[test]
fn annotations_are_few_however_many_suspects_there_are() {
    let mut diagnosis = fixture::undecided();
    let one = diagnosis.causes[0].clone();
    diagnosis.causes = (0..21)
        .map(|n| {
            let mut cause = one.clone();
            cause.fault = format!("app.suspect_{n}");
            cause
        })
        .collect();
    let text = shown(&diagnosis, Format::Github);
    let notices = text.lines().filter(|line| line.starts_with("::notice ")).count();
    assert!(notices <= 10, "a run shows ten of them: {notices}");
    assert!(text.contains("title=16 more suspects::") && text.contains("app.suspect_20"), "{text}");
}

#[test]
fn a_long_case_stays_within_the_api_and_counts_what_it_leaves_out() {
    let mut diagnosis = fixture::no_fault_found();
    let one = diagnosis.ruled_out[0].clone();
    diagnosis.ruled_out = (0..300)
        .map(|n| {
            let mut fault = one.clone();
            fault.because = format!("observation {n} of many, in words that take some room on the page");
            fault
        })
        .collect();
    let case = json(&diagnosis, Format::SupportCaseJson);
    let body = case["communicationBody"].as_str().unwrap();
    assert!(body.chars().count() <= 8000 && body.contains("more lines in the full report"), "{}", body.len());
    assert!(body.contains("Questions that remain:"), "what matters most is not crowded out");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn foreign_strings_keep_every_format_whole(diagnosis in hostile::diagnosis()) {
        let log: Value = serde_json::from_str(&shown(&diagnosis, Format::Sarif)).unwrap();
        prop_assert_eq!(sarif_fault(&log), None);
        let [said, counted] = junit(&shown(&diagnosis, Format::Junit));
        prop_assert_eq!(said, counted);
        for line in shown(&diagnosis, Format::JsonLines).lines() {
            prop_assert!(serde_json::from_str::<Value>(line).unwrap()["record"].is_string());
        }
        for line in shown(&diagnosis, Format::Github).lines() {
            let command = line.strip_prefix("::").and_then(|rest| rest.split_once(" title="));
            prop_assert!(matches!(command, Some(("error" | "warning" | "notice", _))), "{}", line);
        }
        for format in [Format::Junit, Format::Github, Format::StepSummary, Format::SupportCase] {
            let text = shown(&diagnosis, format);
            prop_assert!(!text.chars().any(hostile::is_dangerous), "{format}: {text:?}");
        }
        let case = shown(&diagnosis, Format::SupportCaseJson);
        let case: Value = serde_json::from_str(&case).unwrap();
        prop_assert!(case["communicationBody"].as_str().is_none_or(|body| body.chars().count() <= 8000));
    }
}
