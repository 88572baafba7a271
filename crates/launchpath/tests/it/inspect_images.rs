//! Every test image, inspected through the whole program: exactly what its definition lists is found, as surely as that says.
//!
//! What is expected stands with the images, in `tests/images/images.toml`.

use std::sync::Mutex;

use serde_json::Value;

use crate::images::{self, Image};
use crate::program::launchpath;

/// How many are inspected at a time.
const AT_A_TIME: usize = 2;

#[test]
fn every_image_shows_what_its_definition_lists() {
    let Some(images) = images::built(&[]) else { return };
    let queue = Mutex::new(images.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no panic").next();
                    let Some(image) = next else { break };
                    if let Err(found) = inspected(image) {
                        wrong.lock().expect("no panic").push(format!("{}: {found}", image.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let listed = images.iter().filter(|image| image.findings.len() > 1).count();
    assert!(listed >= 20, "{listed} images show something");
}

/// What differs from the definition.
fn inspected(image: &Image) -> Result<(), String> {
    let mut words = vec!["inspect", &image.path, "--format", "json"];
    let arguments = image.expect.as_ref().map(|expect| expect.arguments.as_slice()).unwrap_or_default();
    for pair in arguments.windows(2).filter(|pair| pair[0] == "--protocol") {
        words.extend(pair.iter().map(String::as_str));
    }
    let run = launchpath(&words);
    if let Some(why) = &image.refused {
        let refused = run.code == 2 && run.stderr.contains(why.as_str());
        return if refused { Ok(()) } else { Err(format!("exit code {}: {}", run.code, run.stderr)) };
    }
    let record: Value = serde_json::from_str(&run.stdout)
        .map_err(|_| format!("no record, exit code {}: {}", run.code, run.stderr))?;
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = record["findings"].as_array().into_iter().flatten();
    let mut found: Vec<String> = findings
        .clone()
        .map(|finding| format!("{} {}", text(finding, "certainty"), text(finding, "kind")))
        .collect();
    let mut listed = image.findings.clone();
    found.sort();
    listed.sort();
    if found != listed {
        let texts: Vec<String> = findings.map(|finding| text(finding, "text")).collect();
        return Err(format!("found {found:?}, listed {listed:?}: {texts:#?}"));
    }
    let sure = found.iter().any(|finding| !finding.starts_with("possible "));
    let code = i32::from(sure);
    if run.code == code { Ok(()) } else { Err(format!("exit code {}", run.code)) }
}
