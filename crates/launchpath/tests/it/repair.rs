//! `--apply-fixes-to`: the repaired bundle is an ordinary bundle in which the cause is gone.

use std::fs;

use crate::program::{codes, launchpath, scenario};

#[test]
fn the_repaired_incident_no_longer_shows_the_cause() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("repaired.json").display().to_string();
    let bundle = scenario("incident/as-rehearsed");
    let before = fs::read(&bundle).expect("the bundle");
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--apply-fixes-to", &out, "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let plan = &run.json()["plans"][0];
    assert_eq!(plan["steps"][0]["fault"], "app.dependency_drift");
    assert_eq!(plan["verified"]["reaches"], "response");
    assert_eq!(before, fs::read(&bundle).expect("the bundle"), "the input is left alone");

    let again = launchpath(&["diagnose", "--bundle", &out, "--format", "json"]);
    let diagnosis = again.json();
    assert!(!codes(&diagnosis["causes"]).contains(&"app.dependency_drift"), "{}", again.stdout);
    assert_ne!(diagnosis["verdict"], "blocked");
    let written: serde_json::Value =
        serde_json::from_slice(&fs::read(&out).expect("the repaired bundle")).expect("JSON");
    assert!(written["collector"].as_str().is_some_and(|text| text.contains("repaired in memory")));
    assert_eq!(written["repairs"][0], plan["steps"][0]["fix"]["summary"]);
}

#[test]
fn nothing_is_written_where_nothing_is_to_be_repaired() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("repaired.json");
    let run = launchpath(&[
        "diagnose",
        "--bundle",
        &scenario("incident/as-collected"),
        "--apply-fixes-to",
        &out.display().to_string(),
    ]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("no repair is known"), "{}", run.stderr);
    assert!(!out.exists());
}
