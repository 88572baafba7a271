//! Reads a folder of this repository or of the shared test data into memory.

use std::path::{Path, PathBuf};

use launchpath_intake::MemoryDocuments;

/// Every file below `folder`, named relative to it. `None` when there is no such folder.
#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
pub(crate) fn read(folder: &Path) -> Option<MemoryDocuments> {
    let mut documents = MemoryDocuments::new();
    let mut open = vec![PathBuf::new()];
    while let Some(part) = open.pop() {
        for entry in std::fs::read_dir(folder.join(&part)).ok()? {
            let entry = entry.ok()?;
            let name = part.join(entry.file_name());
            if entry.file_type().ok()?.is_dir() {
                open.push(name);
            } else {
                documents.insert(name.to_str()?, std::fs::read(entry.path()).ok()?);
            }
        }
    }
    Some(documents)
}

/// The folders directly below `folder`, sorted; `None` when there is no such folder.
#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
pub(crate) fn below(folder: &Path) -> Option<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    Some(folders)
}

/// One file's bytes.
#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
pub(crate) fn file(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

/// The repository's `scenarios` folder.
pub(crate) fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// The shared test data beside the repository, when it is there; says so when it is not.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(part);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is missing", path.display());
    None
}
