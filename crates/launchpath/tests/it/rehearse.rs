//! `rehearse`: the command line, and real processes of this machine in a sandbox.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{Run, launchpath, launchpath_with, scenario};

/// A sandbox cannot be had everywhere: without privileges the program says so, and these tests pass. Not in CI.
fn rehearse(words: &[&str]) -> Option<Run> {
    let run = launchpath(&[&["rehearse"], words].concat());
    if run.code == 253 && std::env::var_os("CI").is_none() {
        skipped(&run.stderr);
        return None;
    }
    Some(run)
}

#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.json");
    (folder, path)
}

#[test]
fn wrong_words_are_usage_errors_before_anything_runs() {
    for (words, said) in [
        (&["rehearse", "/nowhere"][..], "no such file"),
        (&["rehearse", "rootfs:/", "--protocol", "SOAP"], "HTTP, MCP, A2A or AGUI"),
        (&["rehearse", "rootfs:/", "--session-id", "short"], "33 to 256"),
        (&["rehearse", "rootfs:/", "--network", "open"], "none, host-blocked and bundle:PATH"),
        (&["rehearse", "rootfs:/", "--network", "bundle:/nowhere"], "/nowhere"),
        (&["rehearse", "rootfs:/", "--env", "hunter2"], "NAME=VALUE"),
        (&["rehearse", "rootfs:/", "--payload", "@/nowhere"], "/nowhere"),
        (&["rehearse", "rootfs:/", "--path", "mcp"], "begins with /"),
    ] {
        let run = launchpath(words);
        assert_eq!(run.code, 252, "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(said) && !run.stderr.contains("hunter2"), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn a_process_that_exits_is_broken_and_its_values_stay_unsaid() {
    let (_folder, case) = scratch();
    let case = case.display().to_string();
    let script = "echo \"the key is $KEY\"; exit 3";
    let words = ["rootfs:/", "--format", "json", "--bundle", &case, "--env", "KEY=a-very-secret-value", "--"];
    let Some(run) = rehearse(&[&words[..], &["/bin/sh", "-c", script]].concat()) else { return };
    assert_eq!(run.code, 1, "{}", run.stderr);
    let record = run.json();
    assert_eq!(record["clause"], "stays_up");
    assert_eq!(record["reason"], "exited");
    assert_eq!(record["exit_code"], 3);
    assert_eq!(record["output"], "the key is [value of KEY]\n");
    // The same record is a call of the bundle, and a second one goes beside it.
    let read = || std::fs::read_to_string(&case).unwrap();
    let bundle: Value = serde_json::from_str(&read()).unwrap();
    assert_eq!(bundle["calls"][0]["operation"], "Rehearse");
    assert_eq!(bundle["calls"][0]["response"], record);
    assert_eq!(bundle["calls"][0]["request"]["environment_names"][0], "KEY");
    assert!(!read().contains("a-very-secret-value"));
    let again = rehearse(&["rootfs:/", "--bundle", &case, "--", "/bin/sh", "-c", "exit 0"]).unwrap();
    assert_eq!(again.code, 1);
    assert!(again.stdout.starts_with("BROKEN stays_up: exited with code 0"), "{}", again.stdout);
    let bundle: Value = serde_json::from_str(&read()).unwrap();
    assert_eq!(bundle["calls"].as_array().map(Vec::len), Some(2));
    assert_eq!(bundle["calls"][1]["id"], "c2");
}

#[test]
fn a_program_that_is_not_there_does_not_start() {
    let Some(run) = rehearse(&["rootfs:/", "--format", "json", "--", "/nowhere/at/all"]) else { return };
    assert_eq!((run.code, &run.json()["reason"]), (1, &Value::from("executable_missing")));
    let run = rehearse(&["rootfs:/", "--format", "json"]).unwrap();
    assert_eq!((run.code, &run.json()["reason"]), (1, &Value::from("no_command")));
}

#[test]
fn a_short_wait_decides_nothing() {
    let words = ["rootfs:/", "--timeout", "1", "--format", "json", "--", "/bin/sh", "-c", "sleep 60"];
    let Some(run) = rehearse(&words) else { return };
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(run.json()["passed"], Value::Null);
    assert_eq!(run.json()["clauses"][2]["reason"], "nothing_listens");
}

/// What `--with-credentials` hands in reaches the process and nothing else: neither the record nor the bundle.
#[test]
fn own_credentials_reach_the_process_and_stay_unsaid() {
    let (_folder, case) = scratch();
    let case = case.display().to_string();
    let script = r#"
import json, urllib.request
def ask(path, method, headers):
    request = urllib.request.Request("http://169.254.169.254" + path, method=method, headers=headers)
    return urllib.request.urlopen(request, timeout=5).read().decode()
token = ask("/latest/api/token", "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
own = {"X-aws-ec2-metadata-token": token}
at = "/latest/meta-data/iam/security-credentials/"
found = json.loads(ask(at + ask(at, "GET", own).strip(), "GET", own))
print(found["SecretAccessKey"], found["Token"])
print(found["SecretAccessKey"][::-1])
"#;
    let words = ["rehearse", "rootfs:/", "--with-credentials", "--format", "json", "--bundle", &case, "--"];
    let words = [&words[..], &["/usr/bin/python3", "-c", script]].concat();
    let (secret, token) = ("a-secret-key-of-nobody", "a-session-token-of-nobody");
    let keys = [("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE00"), ("AWS_SECRET_ACCESS_KEY", secret)];
    // Keys that do not expire are not handed to an image.
    let run = launchpath_with(&words, &keys);
    assert_eq!(run.code, 253, "{}", run.stdout);
    let run = launchpath_with(&words, &[&keys[..], &[("AWS_SESSION_TOKEN", token)]].concat());
    if run.code == 253 && std::env::var_os("CI").is_none() {
        skipped(&run.stderr);
        return;
    }
    let record = run.json();
    let output = record["output"].as_str().unwrap_or_default();
    assert!(output.contains("[value of the secret key] [value of the session token]"), "{record:#}");
    let reversed: String = secret.chars().rev().collect();
    assert!(output.contains(&reversed), "it was the secret that reached the process: {output}");
    for text in [run.stdout, run.stderr, std::fs::read_to_string(&case).expect("the bundle")] {
        assert!(!text.contains(secret) && !text.contains(token), "{text}");
    }
}

/// The same process behind two diagnosed networks: what one is proved to block is held against it, what the other lets through
/// and only this rehearsal does not is not, nor is what a stand-in answers.
#[test]
fn a_bundle_decides_what_the_network_may_be_blamed_for() {
    let nat = scenario("base/nat");
    let mut world: Value = serde_json::from_str(&std::fs::read_to_string(&nat).unwrap()).unwrap();
    for call in world["calls"].as_array_mut().into_iter().flatten() {
        for group in call["response"]["SecurityGroups"].as_array_mut().into_iter().flatten() {
            group["IpPermissionsEgress"] = serde_json::json!([]);
        }
    }
    let (_folder, shut) = scratch();
    std::fs::write(&shut, world.to_string()).unwrap();
    let shut = shut.display().to_string();
    let behind = |world: &str, script: &str| {
        let network = format!("bundle:{world}");
        rehearse(&[
            "rootfs:/",
            "--network",
            &network,
            "--format",
            "json",
            "--",
            "/usr/bin/python3",
            "-c",
            script,
        ])
    };
    let attempt = |record: &Value| {
        let mut all = record["network"].as_array().into_iter().flatten();
        all.rfind(|attempt| attempt["address"].is_string()).cloned().unwrap_or_default()
    };
    let address = "import socket; socket.create_connection(('203.0.113.9', 443), timeout=2)";
    let Some(run) = behind(&shut, address) else { return };
    let record = run.json();
    assert_eq!((run.code, &record["reason"]), (1, &Value::from("exited")), "{record:#}");
    assert_eq!(attempt(&record)["outcome"], "dropped", "{record:#}");
    assert_eq!(attempt(&record)["diagnosed"], "blocked", "{record:#}");
    let run = behind(&nat, address).unwrap();
    let record = run.json();
    assert_eq!((run.code, &record["passed"]), (3, &Value::Null), "{record:#}");
    assert_eq!(attempt(&record)["diagnosed"], Value::Null, "{record:#}");
    let name = "import urllib.request; urllib.request.urlopen('https://bedrock-runtime.us-east-1.amazonaws.com', timeout=2)";
    let record = behind(&nat, name).unwrap().json();
    assert_eq!(attempt(&record)["outcome"], "answered", "{record:#}");
    assert_eq!(record["passed"], Value::Null, "{record:#}");
}

#[cfg(unix)]
#[test]
fn an_interruption_removes_everything() {
    use std::process::{Command, Stdio};
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_launchpath"))
        .args(["rehearse", "rootfs:/", "--", "/bin/sh", "-c", "exec sleep 4711"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    if status.code() == Some(253) && std::env::var_os("CI").is_none() {
        skipped("no sandbox here");
        return;
    }
    assert_eq!(status.code(), Some(130));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
    let left = std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line.ends_with(b"sleep\x004711\x00"))
    });
    assert!(!left, "the process outlived the rehearsal");
}
