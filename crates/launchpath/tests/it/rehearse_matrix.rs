//! Small images, each broken in one way, and sound ones, through the whole program: every one is named rightly.
//!
//! What is expected stands with the images, in `tests/images/images.toml`.

use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;

use crate::images::{self, Expect, Image};
use crate::program::{launchpath, scenario};

/// How many run at a time beside those that only wait.
const AT_A_TIME: usize = 4;

#[test]
fn every_image_is_judged_rightly() {
    let Some(images) = images::built(&[]) else { return };
    let (broken, sound) = (count(&images, false), count(&images, true));
    assert!(broken >= 20 && sound >= 6, "{broken} broken and {sound} sound images");
    let (slow, quick): (Vec<&Image>, Vec<&Image>) =
        images.iter().filter(|image| image.expect.is_some()).partition(|image| image.slow);
    let wrong = Mutex::new(Vec::new());
    let queue = Mutex::new(quick.into_iter());
    let check = |image: &Image| {
        let found = rehearsed(image);
        wrong.lock().expect("no panic").extend(found);
    };
    std::thread::scope(|scope| {
        for image in slow {
            scope.spawn(|| check(image));
        }
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no panic").next();
                    let Some(image) = next else { break };
                    check(image);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn count(images: &[Image], passed: bool) -> usize {
    images
        .iter()
        .filter_map(|image| image.expect.as_ref())
        .filter(|expect| expect.passed.value() == Value::Bool(passed))
        .count()
}

/// What is wrong with the record of an image's rehearsal.
fn rehearsed(image: &Image) -> Vec<String> {
    let Some(expect) = &image.expect else { return Vec::new() };
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = failing_launch(expect, folder.path());
    let mut words = vec!["rehearse", &image.path, "--format", "json", "--bundle", &bundle];
    words.extend(expect.arguments.iter().map(String::as_str));
    let run = launchpath(&words);
    let Ok(record) = serde_json::from_str::<Value>(&run.stdout) else {
        return vec![format!("{}: no record, exit code {}: {}", image.name, run.code, run.stderr)];
    };
    let mut wrong = compare(expect, &record);
    if let Some(fault) = &expect.fault {
        wrong.extend(named_otherwise(&bundle, fault, "by the rehearsal"));
    }
    if let Some(fault) = expect.fault_inspected.as_ref().or(expect.fault.as_ref()) {
        let mut words = vec!["inspect", &image.path, "--format", "json", "--bundle", &bundle];
        words.extend(protocol(expect).into_iter().flat_map(|protocol| ["--protocol", protocol]));
        launchpath(&words);
        wrong.extend(named_otherwise(&bundle, fault, "by the rehearsal and an inspection"));
    }
    if record["passed"].is_null() {
        let diagnosis = launchpath(&["diagnose", "--bundle", &bundle, "--format", "json"]).json();
        let sure = diagnosis["causes"].as_array().into_iter().flatten().find(|c| c["status"] == "confirmed");
        wrong.extend(
            sure.map(|cause| format!("the rehearsal decides nothing, and {} is confirmed", cause["fault"])),
        );
    }
    let code = match &record["passed"] {
        Value::Bool(true) => 0,
        Value::Bool(false) => 1,
        _ => 3,
    };
    if run.code != code {
        wrong.push(format!("exit code {}", run.code));
    }
    if wrong.is_empty() {
        return Vec::new();
    }
    let notes: Vec<&str> = clauses(&record)
        .filter(|clause| matches!(clause["state"].as_str(), Some("broken" | "unknown")))
        .filter_map(|clause| clause["note"].as_str())
        .collect();
    vec![format!("{}: {} {notes:?}", image.name, wrong.join(", "))]
}

/// What the diagnosis of the bundle names first, when that is not `fault`.
fn named_otherwise(bundle: &str, fault: &str, by: &str) -> Option<String> {
    let diagnosis = launchpath(&["diagnose", "--bundle", bundle, "--format", "json"]).json();
    let cause = &diagnosis["causes"][0];
    let named = cause["fault"] == fault && cause["status"] != "possible";
    (!named).then(|| format!("{by} the diagnosis names {}, {}", cause["fault"], cause["status"]))
}

/// The protocol that an image is rehearsed for, when it is not the usual one.
fn protocol(expect: &Expect) -> Option<&str> {
    let pair = expect.arguments.windows(2).find(|pair| pair[0] == "--protocol")?;
    Some(&pair[1])
}

/// The incident's evidence, for a runtime of the protocol that the image is rehearsed for.
fn failing_launch(expect: &Expect, folder: &Path) -> String {
    let text = std::fs::read_to_string(scenario("incident/as-collected")).expect("the bundle");
    let mut bundle: Value = serde_json::from_str(&text).expect("JSON");
    let protocol = protocol(expect);
    for call in bundle["calls"].as_array_mut().into_iter().flatten() {
        if let (Some(protocol), "GetAgentRuntime") =
            (protocol, call["operation"].as_str().unwrap_or_default())
        {
            call["response"]["protocolConfiguration"] = serde_json::json!({ "serverProtocol": protocol });
        }
    }
    let path = folder.join("case.json");
    std::fs::write(&path, bundle.to_string()).expect("written");
    path.display().to_string()
}

fn compare(expect: &Expect, record: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if record["passed"] != expect.passed.value() {
        wrong.push(format!("passed is {}", record["passed"]));
    }
    if let Some(name) = &expect.clause {
        // Where nothing is decided the record names no broken clause, and the clause itself says why.
        let clause = clauses(record).find(|clause| clause["clause"] == name.as_str());
        let state = clause.map_or(&Value::Null, |clause| &clause["state"]);
        let reason = clause.map_or(&Value::Null, |clause| &clause["reason"]);
        let wanted = if record["passed"].is_null() { "unknown" } else { "broken" };
        if state != wanted || expect.reason.as_deref() != reason.as_str() {
            wrong.push(format!("{name} is {state}, {reason}"));
        }
        if !record["passed"].is_null() && record["clause"] != name.as_str() {
            wrong.push(format!("the first clause that breaks is {}", record["clause"]));
        }
    }
    if let Some(text) = &expect.output
        && !record["output"].as_str().unwrap_or_default().contains(text)
    {
        wrong.push(format!("the output lacks {text:?}: {}", record["output"]));
    }
    if let Some(target) = &expect.network {
        let seen = record["network"].as_array().into_iter().flatten().any(|attempt| {
            let port = attempt["port"].as_u64().map(|port| format!(":{port}")).unwrap_or_default();
            ["name", "address"].iter().any(|member| {
                attempt[member].as_str().is_some_and(|at| at == target || format!("{at}{port}") == *target)
            })
        });
        if !seen {
            wrong.push(format!("no attempt at {target}: {}", record["network"]));
        }
    }
    if let Some(remark) = &expect.remark
        && !clauses(record).any(|clause| clause["state"] == "held" && clause["reason"] == remark.as_str())
    {
        wrong.push(format!("nothing says {remark}"));
    }
    wrong
}

fn clauses(record: &Value) -> impl Iterator<Item = &Value> {
    record["clauses"].as_array().into_iter().flatten()
}

#[test]
fn fifty_at_once_are_judged_like_one() {
    let names =
        ["sound-static", "sound", "loopback", "wrong-architecture", "exits", "first-call-500", "no-command"];
    let Some(images) = images::built(&names) else { return };
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (image, wrong) = (&images[number % images.len()], &wrong);
            scope.spawn(move || {
                let found = rehearsed(image);
                wrong.lock().expect("no panic").extend(found);
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
