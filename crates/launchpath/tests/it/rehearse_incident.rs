//! The founding incident for real: an image with the release that drifted, rehearsed, and what the diagnosis says then.

use std::path::Path;

use serde_json::Value;

use crate::images::{self, Image};
use crate::program::{launchpath, scenario};

/// Rehearses an image into a copy of the incident's evidence; the record, and the diagnosis with its exit code.
fn rehearsed(image: &Image, folder: &Path) -> (Value, Value, i32) {
    let bundle = folder.join(format!("{}.json", image.name));
    std::fs::copy(scenario("incident/as-collected"), &bundle).expect("a copy");
    let bundle = bundle.display().to_string();
    let record = launchpath(&["rehearse", &image.path, "--format", "json", "--bundle", &bundle]).json();
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--format", "json"]);
    (record, run.json(), run.code)
}

#[test]
fn the_release_that_drifted_is_confirmed_and_the_older_one_passes() {
    let Some(images) = images::built(&["incident", "incident-older"]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (record, diagnosis, code) = rehearsed(&images[0], folder.path());
    assert_eq!(record["passed"], false, "{record:#}");
    assert_eq!((&record["clause"], &record["reason"]), (&"stays_up".into(), &"exited".into()));
    let output = record["output"].as_str().unwrap_or_default();
    for line in [
        "File \"/app/agentcore_runtime.py\"",
        "File \"/app/src/graph/builder.py\"",
        "File \"/app/src/utils/token_tracking.py\", line 2",
        "ModuleNotFoundError: No module named 'langchain.callbacks'",
    ] {
        assert!(output.contains(line), "{line}: {output}");
    }
    assert_eq!((code, &diagnosis["verdict"]), (1, &"blocked".into()), "{:#}", diagnosis["causes"]);
    let cause = &diagnosis["causes"][0];
    assert_eq!(
        (&cause["fault"], &cause["status"], &cause["primary"]),
        (&"app.dependency_drift".into(), &"confirmed".into(), &true.into())
    );
    let said = cause["because"].to_string();
    assert!(said.contains("langchain.callbacks") && said.contains("1.0.0"), "{said}");

    // The same in one command: the image is inspected and rehearsed, and both records are evidence.
    let bundle = scenario("incident/as-collected");
    let words = ["diagnose", "--bundle", &bundle, "--image", &images[0].path, "--format", "json"];
    let run = launchpath(&words);
    let diagnosis = run.json();
    assert_eq!((run.code, &diagnosis["verdict"]), (1, &"blocked".into()), "{}", run.stderr);
    let cause = &diagnosis["causes"][0];
    assert_eq!((&cause["fault"], &cause["status"]), (&"app.dependency_drift".into(), &"confirmed".into()));
    for operation in ["InspectImage", "Rehearse"] {
        let calls = diagnosis["evidence"].as_array().into_iter().flatten();
        assert!(calls.clone().any(|call| call["operation"] == operation), "{operation}");
    }

    let (record, diagnosis, _) = rehearsed(&images[1], folder.path());
    assert_eq!(record["passed"], true, "{record:#}");
    let confirmed = diagnosis["causes"].as_array().into_iter().flatten().any(|c| c["status"] == "confirmed");
    assert!(!confirmed, "a sound image confirms nothing: {:#}", diagnosis["causes"]);
}
