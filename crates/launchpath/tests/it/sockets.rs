//! No telemetry, and nothing else that opens a socket: whatever reads bundles or files runs under a filter that kills the process at
//! its first system call for a socket.
#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::program::{repository, scenario};

/// The signal of a system call that the filter does not let through.
const SIGSYS: i32 = 31;

/// Runs the program under the filter: its exit code, the signal that ended it, what it said on standard error. `None` where no
/// filter can be set, which is no way out in CI.
fn filtered(words: &[&str]) -> Option<(Option<i32>, Option<i32>, String)> {
    let output = Command::new("python3")
        .arg(repository("crates/launchpath/tests/no_socket.py"))
        .arg(env!("CARGO_BIN_EXE_launchpath"))
        .args(words)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("no filter can be set here") => {
            output
        }
        other => {
            assert!(std::env::var_os("CI").is_none(), "no seccomp filter in CI: {other:?}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((output.status.code(), output.status.signal(), said))
}

#[test]
fn what_reads_bundles_opens_no_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (rehearsed, collected, nat) =
        (scenario("incident/as-rehearsed"), scenario("incident/as-collected"), scenario("base/nat"));
    let (certificate, redacted, code) = (file("certificate.json"), file("redacted.json"), file("code.zip"));
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&code).expect("a file"));
    archive.start_file("main.py", zip::write::SimpleFileOptions::default()).expect("an entry");
    std::io::Write::write_all(&mut archive, b"print('hello')\n").expect("written");
    archive.finish().expect("an archive");
    let runs: &[&[&str]] = &[
        &["diagnose", "--bundle", &rehearsed],
        &["diagnose", "--bundle", &rehearsed, "--format", "html"],
        &["diagnose", "--bundle", &rehearsed, "--redact", "--format", "support-case"],
        &["diagnose", "--bundle", &rehearsed, "--format", "certificate", "-o", &certificate],
        &["verify", &certificate, "--bundle", &rehearsed],
        &["compare", &rehearsed, &collected],
        &["redact", &rehearsed, "-o", &redacted],
        &["inspect", &code, "--entry-point", "main.py"],
        &["reach", "agent-abcdefghij", "ecr.api", "--bundle", &nat],
        &["can", "agent-role", "ecr:GetAuthorizationToken", "*", "--bundle", &nat],
        &["explain"],
        &["permissions"],
        &["collect", "agent-abcdefghij", "--script"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ];
    for words in runs {
        let Some((code, signal, said)) = filtered(words) else {
            println!("skipped: no seccomp filter can be set here, or no python3");
            return;
        };
        assert_eq!(signal, None, "{words:?} opened a socket: {said}");
        assert!(matches!(code, Some(0 | 1 | 3 | 4)), "{words:?} ended with {code:?}: {said}");
    }
    // What is asserted above can fail: a run that talks to AWS is killed.
    let words =
        ["diagnose", "agent-abcdefghij", "--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:9"];
    let live = filtered(&words).expect("a filter");
    assert_eq!(live.1, Some(SIGSYS), "{live:?}");
}
