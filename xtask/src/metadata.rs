//! What cargo knows about the workspace.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// `cargo metadata` with these options.
pub(crate) fn metadata(root: &Path, options: &[&str]) -> Result<Value> {
    let mut arguments = vec!["metadata", "--format-version", "1"];
    arguments.extend(options);
    serde_json::from_str(&cargo(root, &arguments)?).context("failed to read what cargo metadata printed")
}

/// The names of all crates that a crate is built from on any platform, itself included.
pub(crate) fn closure(root: &Path, package: &str) -> Result<Vec<String>> {
    let arguments = [
        "tree",
        "--offline",
        "--target",
        "all",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--package",
        package,
    ];
    let printed = cargo(root, &arguments)?;
    let mut names: Vec<String> =
        printed.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// What a cargo command prints.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output =
        Command::new(program).args(arguments).current_dir(root).output().context("failed to start cargo")?;
    if !output.status.success() {
        bail!("cargo {} failed:\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("cargo printed something that is not UTF-8")
}

/// A member that is a text; empty when there is none.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A member that is a list; empty when there is none.
pub(crate) fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
