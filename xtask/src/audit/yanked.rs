//! Withdrawn ("yanked") versions, from the copy of the registry's index that cargo keeps.
//!
//! Cargo refreshes the copy when it resolves; without a network the copy is as old as the last refresh, and the summary
//! says so. The copy's layout belongs to cargo; what cannot be read in it is counted as not checked, never as fine.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::graph::Locked;
use crate::complaint::Complaint;
use crate::metadata;

/// What the index says.
pub(super) struct Yanked {
    /// How many were looked up, and how fresh the copy is.
    pub(super) seen: String,
    pub(super) complaints: Vec<Complaint>,
}

/// Looks up every locked version that comes from a registry.
pub(super) fn look(root: &Path, locked: &[Locked]) -> Yanked {
    let fresh = metadata::cargo(root, &["update", "--dry-run", "--quiet"]).is_ok();
    let indexes = indexes();
    let mut complaints = Vec::new();
    let mut checked = 0_usize;
    let mut missing = Vec::new();
    for package in locked.iter().filter(|package| package.source.is_some()) {
        let label = format!("{} {}", package.name, package.version);
        let entry = indexes.iter().find_map(|index| fs::read(index.join(place(&package.name))).ok());
        match entry.and_then(|bytes| is_yanked(&bytes, &package.version)) {
            None => missing.push(label),
            Some(yanked) => {
                checked += 1;
                if yanked {
                    complaints
                        .push(Complaint::about(label, "its author has withdrawn (yanked) this version"));
                }
            }
        }
    }
    let age = if fresh { "index refreshed" } else { "index not refreshed: no network" };
    let mut seen = format!("{checked} looked up for withdrawal ({age})");
    if !missing.is_empty() {
        seen.push_str(&format!(", {} NOT CHECKED: {}", missing.len(), missing.join(", ")));
    }
    Yanked { seen, complaints }
}

/// Folders of cached index entries.
fn indexes() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_default();
    let Ok(entries) = fs::read_dir(home.join("registry/index")) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path().join(".cache"))).collect();
    found.sort();
    found
}

/// Where an index keeps a crate: <https://doc.rust-lang.org/cargo/reference/registry-index.html#index-files>.
fn place(name: &str) -> PathBuf {
    let name = name.to_lowercase();
    match name.len() {
        1 | 2 => PathBuf::from(name.len().to_string()).join(name),
        3 => PathBuf::from("3").join(&name[..1]).join(&name),
        _ => PathBuf::from(&name[..2]).join(&name[2..4]).join(&name),
    }
}

/// What a cached entry says about a version; `None` when it does not have it. The entry holds one JSON object per
/// version, between zero bytes.
fn is_yanked(entry: &[u8], version: &str) -> Option<bool> {
    entry.split(|byte| *byte == 0).filter(|part| part.first() == Some(&b'{')).find_map(|part| {
        let line: Value = serde_json::from_slice(part).ok()?;
        if line.get("vers")?.as_str()? != version {
            return None;
        }
        line.get("yanked")?.as_bool()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_withdrawn_from_valid_and_from_unknown() {
        let entry = b"\x03\x02\0\0\0etag\x000.1.0\0{\"vers\":\"0.1.0\",\"yanked\":true}\x000.2.0\0{\"vers\":\"0.2.0\",\"yanked\":false}\0";
        assert_eq!(is_yanked(entry, "0.1.0"), Some(true));
        assert_eq!(is_yanked(entry, "0.2.0"), Some(false));
        assert_eq!(is_yanked(entry, "0.3.0"), None);
        assert_eq!(is_yanked(b"not an entry", "0.1.0"), None);
    }

    #[test]
    fn short_names_have_folders_of_their_own() {
        assert_eq!(place("h2"), Path::new("2/h2"));
        assert_eq!(place("syn"), Path::new("3/s/syn"));
        assert_eq!(place("Inflector"), Path::new("in/fl/inflector"));
    }
}
