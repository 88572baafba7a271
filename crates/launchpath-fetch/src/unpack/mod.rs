//! A file tree to a directory of this machine, for a rehearsal.
//!
//! What it is: everything is made relative to an open directory that this code made itself; no link is ever followed, nothing
//! that exists is ever opened or replaced. What it is not: a faithful copy. Set-user-id and set-group-id bits stay behind (a
//! file of somebody else's image must not give rights on this machine), so do devices and extended attributes, which the tree
//! does not have.
//!
//! Start with [`unpack`].

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use launchpath_image::tree::{Entry, Kind, ReadError, Tree};
use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, Uid};

/// Whose the files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Those that the image names. Needs root, or a user namespace in which they are mapped.
    Image,
    /// The caller's.
    Caller,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files, each counted once however many names it has.
    pub files: u64,
    /// Further names of files.
    pub hard_links: u64,
    /// Directories, the given one not counted.
    pub directories: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// Why a tree cannot be unpacked. What was made until then stays: the directory is the caller's.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The directory cannot be used.
    #[error("{} cannot be unpacked into: {cause}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What failed.
        cause: io::Error,
    },
    /// Something is in the directory already.
    #[error("{} is not empty; expected a directory made for this image", .0.display())]
    NotEmpty(PathBuf),
    /// There is not enough space.
    #[error("{} has {available} bytes of space; the image needs {needed}", path.display())]
    Space {
        /// The directory.
        path: PathBuf,
        /// What the image needs.
        needed: u64,
        /// What there is.
        available: u64,
    },
    /// One entry cannot be made.
    #[error("{path} of the image cannot be made: {cause}")]
    Entry {
        /// The entry's path in the image.
        path: String,
        /// What failed.
        cause: io::Error,
    },
    /// One file's content cannot be read.
    #[error(transparent)]
    Content(#[from] ReadError),
}

/// A directory in the making, with what is still to be made in it.
struct Open<'t> {
    entry: Entry<'t>,
    fd: OwnedFd,
    children: std::vec::IntoIter<Entry<'t>>,
}

/// Makes everything of `tree` in `directory`, which must be there, empty, and nobody else's to write to.
pub fn unpack(tree: &Tree, directory: &Path, ownership: Ownership) -> Result<Unpacked, UnpackError> {
    let failed =
        |error: rustix::io::Errno| UnpackError::Directory { path: directory.to_owned(), cause: error.into() };
    let root = rustix::fs::openat(CWD, directory, folder_flags(), Mode::empty()).map_err(failed)?;
    let mut there = rustix::fs::Dir::read_from(&root).map_err(failed)?;
    while let Some(name) = there.read() {
        if !matches!(name.map_err(failed)?.file_name().to_bytes(), b"." | b"..") {
            return Err(UnpackError::NotEmpty(directory.to_owned()));
        }
    }
    let space = rustix::fs::fstatvfs(&root).map_err(failed)?;
    let (needed, available) = (tree.bytes(), space.f_bavail.saturating_mul(space.f_frsize));
    if needed > available {
        return Err(UnpackError::Space { path: directory.to_owned(), needed, available });
    }
    let Some(entry) = tree.entry("/") else { return Ok(Unpacked::default()) };
    let mut work =
        Work { tree, ownership, made: Unpacked::default(), first_names: several_names(tree), root };
    let fd = work
        .root
        .try_clone()
        .map_err(|cause| UnpackError::Directory { path: directory.to_owned(), cause })?;
    let mut open = vec![Open { children: entry.children().into_iter(), entry, fd }];
    while let Some(here) = open.last_mut() {
        let Some(child) = here.children.next() else {
            // Last, so that it may be a directory nobody can write to.
            let made = open.pop().map_or(Ok(()), |done| work.dress(&done.entry, done.fd.as_fd()));
            made?;
            continue;
        };
        match child.kind() {
            Kind::Directory => {
                let fd = make_directory(&here.fd, child.name()).map_err(|cause| at(&child, cause))?;
                work.made.directories += 1;
                open.push(Open { children: child.children().into_iter(), entry: child, fd });
            }
            Kind::File => work.file(&here.fd, &child)?,
            Kind::Symlink(target) => work.symlink(&here.fd, &child, target)?,
        }
    }
    Ok(work.made)
}

/// What is carried along.
struct Work<'t> {
    tree: &'t Tree,
    ownership: Ownership,
    made: Unpacked,
    /// Files with several names, and the first of them once it was made.
    first_names: BTreeMap<u64, Option<String>>,
    root: OwnedFd,
}

impl Work<'_> {
    fn file(&mut self, folder: &OwnedFd, entry: &Entry<'_>) -> Result<(), UnpackError> {
        if let Some(Some(first)) = self.first_names.get(&entry.inode()) {
            // Everything on the way is a directory that this code made, and the last component is not followed.
            let made = rustix::fs::linkat(&self.root, first.as_str(), folder, entry.name(), AtFlags::empty());
            self.made.hard_links += 1;
            return made.map_err(|cause| at(entry, cause));
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(folder, entry.name(), flags, Mode::RUSR | Mode::WUSR)
            .map_err(|cause| at(entry, cause))?;
        let mut file = File::from(fd);
        self.tree.copy_entry(entry, &mut file)?;
        self.dress(entry, file.as_fd())?;
        self.made.files += 1;
        self.made.bytes += entry.size();
        if let Some(first) = self.first_names.get_mut(&entry.inode()) {
            *first = Some(entry.path().trim_start_matches('/').to_owned());
        }
        Ok(())
    }

    fn symlink(&mut self, folder: &OwnedFd, entry: &Entry<'_>, target: &str) -> Result<(), UnpackError> {
        let failed = |cause| at(entry, cause);
        if let Some(Some(first)) = self.first_names.get(&entry.inode()) {
            self.made.hard_links += 1;
            return rustix::fs::linkat(&self.root, first.as_str(), folder, entry.name(), AtFlags::empty())
                .map_err(failed);
        }
        rustix::fs::symlinkat(target, folder, entry.name()).map_err(failed)?;
        if self.ownership == Ownership::Image {
            let (uid, gid) = (Some(Uid::from_raw(entry.uid())), Some(Gid::from_raw(entry.gid())));
            rustix::fs::chownat(folder, entry.name(), uid, gid, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        }
        self.made.symlinks += 1;
        if let Some(first) = self.first_names.get_mut(&entry.inode()) {
            *first = Some(entry.path().trim_start_matches('/').to_owned());
        }
        Ok(())
    }

    /// Owner, permissions and time, in the order in which none undoes another.
    fn dress(&self, entry: &Entry<'_>, fd: impl AsFd) -> Result<(), UnpackError> {
        let failed = |cause| at(entry, cause);
        if self.ownership == Ownership::Image {
            let (uid, gid) = (Some(Uid::from_raw(entry.uid())), Some(Gid::from_raw(entry.gid())));
            rustix::fs::fchown(&fd, uid, gid).map_err(failed)?;
        }
        // Python compares a compiled file with the time of its cause: a wrong time costs a compilation at start.
        let time = Timespec { tv_sec: entry.modified(), tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(entry.mode() & 0o1777)).map_err(failed)?;
        rustix::fs::futimens(&fd, &times).map_err(failed)
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn make_directory(folder: &OwnedFd, name: &str) -> Result<OwnedFd, rustix::io::Errno> {
    rustix::fs::mkdirat(folder, name, Mode::RWXU)?;
    rustix::fs::openat(folder, name, folder_flags(), Mode::empty())
}

fn at(entry: &Entry<'_>, cause: rustix::io::Errno) -> UnpackError {
    UnpackError::Entry { path: entry.path().to_owned(), cause: cause.into() }
}

/// The files and links that have more than one name.
fn several_names(tree: &Tree) -> BTreeMap<u64, Option<String>> {
    let mut inodes: Vec<u64> =
        tree.walk("/").filter(|entry| !entry.is_directory()).map(|entry| entry.inode()).collect();
    inodes.sort_unstable();
    inodes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| (pair[0], None)).collect()
}
