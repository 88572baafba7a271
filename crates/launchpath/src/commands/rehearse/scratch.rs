//! The directory an image is unpacked into. It goes away with the rehearsal, or, when that was killed, with the next one.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::failure::Failure;
use crate::output;

const PREFIX: &str = "launchpath-rehearse-";
/// Locked as long as its rehearsal lives.
const LOCK: &str = "lock";

/// A directory of one rehearsal.
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes it, after removing those whose rehearsals were killed.
    pub(crate) fn make() -> Result<Self, Failure> {
        sweep(&std::env::temp_dir());
        let make = || -> anyhow::Result<Self> {
            let path = tempfile::Builder::new().prefix(PREFIX).tempdir()?.keep();
            let new = path.join("lock.new");
            let lock = File::create_new(&new)?;
            lock.try_lock()?;
            // Nobody sees it before it is locked.
            fs::rename(&new, path.join(LOCK))?;
            Ok(Self { path, _lock: lock })
        };
        make().context("a directory for the image").map_err(Failure::environment)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it. A thread that was interrupted while it unpacked may need a moment to notice that its folder is gone.
    pub(crate) fn remove(self) {
        for _ in 0..20 {
            if remove(&self.path) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let left = anyhow::anyhow!("{} could not be removed", self.path.display());
        output::complain(&Failure::environment(left));
    }
}

/// Removes what killed rehearsals of this user left behind.
fn sweep(folder: &Path) {
    let Ok(own) = fs::metadata("/proc/self").or_else(|_| fs::metadata(folder)) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own.uid());
        if !is_ours {
            continue;
        }
        // One without a lock is being made, or was killed within that moment: it is empty, and left.
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            remove(&entry.path());
        }
    }
}

fn remove(path: &Path) -> bool {
    open_folders(path);
    fs::remove_dir_all(path).is_ok() || !path.exists()
}

/// Lets the owner into folders of the image that shut everybody out.
fn open_folders(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    if !metadata.is_dir() {
        return;
    }
    if metadata.permissions().mode() & 0o700 != 0o700 {
        // What cannot be opened cannot be removed either, and that is reported.
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_folders(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt;

    use super::{LOCK, PREFIX, sweep};

    #[test]
    fn what_a_killed_rehearsal_left_goes_and_a_living_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(format!("{PREFIX}{name}"));
            fs::create_dir_all(path.join("root/shut")).unwrap();
            fs::set_permissions(path.join("root/shut"), fs::Permissions::from_mode(0o000)).unwrap();
            let lock = File::create(path.join(LOCK)).unwrap();
            (path, lock)
        };
        let (dead, lock) = make("dead");
        drop(lock);
        let (living, lock) = make("living");
        lock.try_lock().unwrap();
        let other = folder.path().join("somebody-elses");
        fs::create_dir(&other).unwrap();
        sweep(folder.path());
        assert!(!dead.exists() && living.exists() && other.exists());
    }
}
