//! The repository's text files in memory, so that a rule is a function of text and a test can plant what it forbids.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Folders that hold nothing of ours.
const FOREIGN: &[&str] = &[".cache", ".git", ".venv", "__pycache__", "target"];

/// The repository's text files.
pub(crate) struct Tree {
    /// Where it lies.
    pub(crate) root: PathBuf,
    /// Text by path; paths are relative to the root and use `/`.
    pub(crate) files: BTreeMap<String, String>,
}

/// The repository this program was built from.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// The folder that a path lies in; empty for the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path relative to a folder, without `.` and `..`; `None` when it leads out of the repository.
pub(crate) fn resolve(folder: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Whether a path ends in `.extension`, written just so.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

impl Tree {
    /// Reads every file that is UTF-8. Links are read as what they point to.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let mut tree = Self { root: root.to_path_buf(), files: BTreeMap::new() };
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let entries =
                fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if path.is_dir() {
                    if !FOREIGN.contains(&name.as_str()) {
                        folders.push(path);
                    }
                    continue;
                }
                // A file may vanish between the listing and here (an editor's temporary file).
                let Ok(bytes) = fs::read(&path) else { continue };
                if let (Ok(text), Ok(relative)) = (String::from_utf8(bytes), path.strip_prefix(root)) {
                    tree.files.insert(relative.to_string_lossy().replace('\\', "/"), text);
                }
            }
        }
        Ok(tree)
    }

    /// A tree of given files, for tests of rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { root: PathBuf::new(), files }
    }

    /// Path and text of every file with one of these extensions.
    pub(crate) fn with_extension<'a>(
        &'a self,
        extensions: &'a [&str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(|(path, _)| extensions.iter().any(|extension| has_extension(path, extension)))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Names of the folders directly under `folder`.
    pub(crate) fn folders(&self, folder: &str) -> Vec<&str> {
        let prefix = format!("{folder}/");
        let mut names: Vec<&str> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix)?.split_once('/').map(|(name, _)| name))
            .collect();
        names.dedup();
        names
    }
}
