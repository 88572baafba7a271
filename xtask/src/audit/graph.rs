//! The dependency graph: what is locked, under which licences, which crates appear in several versions.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::metadata;

/// Everything the audit looks at, besides the registry's index.
pub(super) struct Graph {
    /// Every package of the lock file.
    pub(super) locked: Vec<Locked>,
    /// Every package and the licence it declares.
    pub(super) licensed: Vec<Licensed>,
    /// Versions by name, of crates that are linked in more than one.
    pub(super) duplicates: BTreeMap<String, Vec<String>>,
}

/// A package of the lock file.
#[derive(Deserialize)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: String,
    /// None for the workspace's own members.
    pub(super) source: Option<String>,
}

/// A package's licence as its author declares it.
pub(super) struct Licensed {
    /// Name and version.
    pub(super) label: String,
    /// An SPDX expression; empty when nothing is declared.
    pub(super) licence: String,
}

#[derive(Deserialize)]
struct LockFile {
    package: Vec<Locked>,
}

impl Graph {
    /// Reads the lock file and asks cargo.
    pub(super) fn load(root: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(root.join("Cargo.lock")).context("failed to read Cargo.lock")?;
        let lock: LockFile = toml::from_str(&text).context("failed to understand Cargo.lock")?;
        let metadata = metadata::metadata(root, &["--locked"])?;
        let licensed = metadata::list(&metadata, "packages")
            .iter()
            .map(|package| Licensed {
                label: format!("{} {}", metadata::text(package, "name"), metadata::text(package, "version")),
                licence: metadata::text(package, "license").to_owned(),
            })
            .collect();
        let edges = "normal,build,dev";
        let arguments = [
            "tree",
            "--locked",
            "--duplicates",
            "--workspace",
            "--target",
            "all",
            "--edges",
            edges,
            "--depth",
            "0",
        ];
        Ok(Self {
            locked: lock.package,
            licensed,
            duplicates: duplicates(&metadata::cargo(root, &arguments)?),
        })
    }
}

/// Reads what `cargo tree --duplicates --depth 0` prints: `name vVERSION …`. A crate also appears there when it is built
/// twice with other features; that is no second version.
fn duplicates(printed: &str) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in printed.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name.to_owned()).or_default().push(version.trim_start_matches('v').to_owned());
        }
    }
    for found in versions.values_mut() {
        found.sort();
        found.dedup();
    }
    versions.retain(|_, found| found.len() > 1);
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_version_twice_is_no_duplicate() {
        let printed = "libc v0.2.191\n\nlibc v0.2.191\n\nsyn v2.0.119\n\nsyn v3.0.10 (proc-macro)\n";
        let expected = [("syn".to_owned(), vec!["2.0.119".to_owned(), "3.0.10".to_owned()])];
        assert_eq!(duplicates(printed), expected.into());
    }
}
