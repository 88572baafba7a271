//! A directory that holds an unpacked root file system, to a file tree. Nothing outside it is read: no link is followed, no
//! other file system entered.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use launchpath_image::tree::{Limits, Metadata, Oddity, Tree, TreeBuilder, TreeError};
use rustix::fs::OFlags;

use crate::error::FetchError;

/// Reads everything below `directory`. Contents go to a temporary file.
pub(crate) fn read(directory: &Path, limits: Limits) -> Result<Tree, FetchError> {
    let spool: File = tempfile::tempfile().map_err(FetchError::Scratch)?;
    let mut walk = Walk {
        root: directory,
        tree: Tree::builder(spool).limits(limits),
        device: metadata(directory)?.dev(),
        names: BTreeMap::new(),
    };
    let mut waiting = vec![PathBuf::new()];
    while let Some(folder) = waiting.pop() {
        walk.folder(&folder, &mut waiting)?;
    }
    walk.tree.finish().map_err(|cause| failed(directory, cause))
}

struct Walk<'d> {
    root: &'d Path,
    tree: TreeBuilder,
    device: u64,
    /// Files with several names, by inode.
    names: BTreeMap<u64, String>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, waiting: &mut Vec<PathBuf>) -> Result<(), FetchError> {
        let path = self.root.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.tree.add_note(&format!("/{}", folder.display()), Oddity::Unreadable);
                return Ok(());
            }
            Err(cause) => return Err(FetchError::Read { path, cause }),
        };
        for entry in entries {
            let entry = entry.map_err(|cause| FetchError::Read { path: path.clone(), cause })?;
            let relative = folder.join(entry.file_name());
            let Some(name) = relative.to_str() else {
                self.tree.add_note(&relative.to_string_lossy(), Oddity::NameNotText);
                continue;
            };
            if self.entry(&format!("/{name}"), &entry.path())? {
                waiting.push(relative);
            }
        }
        Ok(())
    }

    /// Adds one entry; whether it is a directory to go into.
    fn entry(&mut self, name: &str, path: &Path) -> Result<bool, FetchError> {
        let found = metadata(path)?;
        let owner = Metadata {
            mode: found.mode() & 0o7777,
            uid: found.uid(),
            gid: found.gid(),
            modified: found.mtime(),
        };
        let kind = found.file_type();
        let added = if kind.is_dir() {
            let inside = found.dev() == self.device;
            if !inside {
                self.tree.add_note(name, Oddity::Mount);
            }
            self.tree.add_directory(name, owner).map(|()| inside)
        } else if kind.is_symlink() {
            let target =
                fs::read_link(path).map_err(|cause| FetchError::Read { path: path.to_owned(), cause })?;
            if let Ok(target) = std::str::from_utf8(target.as_os_str().as_bytes()) {
                self.tree.add_symlink(name, target, owner).map(|()| false)
            } else {
                self.tree.add_note(name, Oddity::NameNotText);
                Ok(false)
            }
        } else if kind.is_file() {
            self.file(name, path, owner, &found).map(|()| false)
        } else {
            debug_assert!(
                kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device()
            );
            self.tree.add_note(name, Oddity::Device);
            Ok(false)
        };
        added.map_err(|cause| failed(path, cause))
    }

    fn file(
        &mut self,
        name: &str,
        path: &Path,
        owner: Metadata,
        found: &fs::Metadata,
    ) -> Result<(), TreeError> {
        if found.nlink() > 1 {
            if let Some(first) = self.names.get(&found.ino()) {
                return self.tree.add_hard_link(name, first);
            }
            self.names.insert(found.ino(), name.to_owned());
        }
        // Should something else have taken its place, a link is not followed and a pipe does not block.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
        match opened {
            Ok(mut file) => self.tree.add_file(name, owner, &mut file),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.tree.add_note(name, Oddity::Unreadable);
                self.names.remove(&found.ino());
                Ok(())
            }
            Err(cause) => Err(TreeError::Content { path: path.display().to_string(), cause }),
        }
    }
}

fn metadata(path: &Path) -> Result<fs::Metadata, FetchError> {
    fs::symlink_metadata(path).map_err(|cause| FetchError::Read { path: path.to_owned(), cause })
}

fn failed(path: &Path, cause: TreeError) -> FetchError {
    FetchError::Tree { at: path.display().to_string(), cause }
}
