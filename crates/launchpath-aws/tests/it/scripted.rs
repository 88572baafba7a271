//! The script of AWS CLI commands writes the same bundle.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use launchpath_aws::{Request, script};
use serde_json::Value;

use crate::moto::{Moto, text, venv};

#[test]
fn the_script_writes_the_bundle_that_a_collection_writes() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let world = moto.world(&[])?;
    let request = Request {
        runtime: text(&world, "/runtime")?.to_owned(),
        saw: Some("it's \"broken\", token=abcdefgh".to_owned()),
        ..Request::default()
    };
    let folder = std::env::temp_dir().join(format!("launchpath-script-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("collect.sh"), script(&request)?)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["collect.sh", "bundle"])
        .current_dir(&folder)
        .env("PATH", format!("{}:{path}", venv().join("bin").display()))
        .env("AWS_ENDPOINT_URL", &moto.url)
        .envs([
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_REGION", "us-east-1"),
        ])
        // The emulator answers 500 for what it lacks; asking again does not help.
        .env("AWS_MAX_ATTEMPTS", "1")
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut scripted: Value = serde_json::from_slice(&std::fs::read(folder.join("bundle/bundle.json"))?)?;
    let mut everything = scripted.to_string();
    for call in scripted["calls"].as_array_mut().context("calls")? {
        if let Some(file) = call.get("file").and_then(Value::as_str) {
            let text = std::fs::read_to_string(folder.join("bundle").join(file))?;
            call["response"] = serde_json::from_str(&text).with_context(|| format!("{file}: {text}"))?;
            everything.push_str(&text);
        }
    }
    std::fs::remove_dir_all(&folder)?;
    for secret in ["not-for-the-bundle", "abcdefgh", "testing"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert!(everything.contains("\"API_KEY\": \"***\""));

    let collected = moto.collect(request)?;
    for member in ["format", "account", "region", "partition", "subject"] {
        assert_eq!(scripted[member], collected[member], "{member}");
    }
    // GetImageConfig is in the script's bundle only when it succeeds.
    let outcomes = |bundle: &Value| {
        let mut found: BTreeMap<_, usize> = BTreeMap::new();
        for call in bundle["calls"].as_array().into_iter().flatten() {
            if call["operation"] == "GetImageConfig" {
                continue;
            }
            let key = (call["operation"].to_string(), call["outcome"].to_string());
            *found.entry(key).or_default() += 1;
        }
        found
    };
    assert_eq!(outcomes(&scripted), outcomes(&collected));
    Ok(())
}
