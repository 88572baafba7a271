//! Running the built binary, with an environment in which nothing of this machine counts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// How a run ended.
pub(crate) struct Run {
    pub(crate) pid: u32,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

/// Runs `launchpath` with these words.
pub(crate) fn launchpath(words: &[&str]) -> Run {
    launchpath_with(words, &[])
}

/// Runs `launchpath` with these words and variables.
pub(crate) fn launchpath_with(words: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchpath"));
    command.args(words).env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
    for (name, value) in variables {
        command.env(name, value);
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let pid = child.id();
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the binary ends");
    Run {
        pid,
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).expect("UTF-8"),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A scenario bundle.
pub(crate) fn scenario(name: &str) -> String {
    repository("scenarios").join(format!("{name}.json")).display().to_string()
}

/// The members `fault` of a list.
pub(crate) fn codes(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|item| item["fault"].as_str()).collect()
}
