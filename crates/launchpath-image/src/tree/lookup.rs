//! Paths to entries, and entries to bytes.

use std::io::{self, Read, SeekFrom, Write};

use super::path::join;
use super::{Body, Entry, ROOT, Tree};

/// How many symbolic links one look-up follows; the kernel's number.
const LINKS: usize = 40;

/// Why a path leads to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// There is no such entry.
    #[error("{0} does not exist")]
    Missing(String),
    /// Something on the way is no directory.
    #[error("{0} is no directory")]
    NotDirectory(String),
    /// More links than a kernel follows.
    #[error("{0} leads through more than {LINKS} symbolic links")]
    Loop(String),
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The path leads to nothing.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// It is no file.
    #[error("{0} is no file")]
    NotFile(String),
    /// It is larger than the caller wants to read.
    #[error("{path} has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size.
        size: u64,
        /// The caller's limit.
        limit: u64,
    },
    /// The spool failed, or what it is copied to.
    #[error("{path} cannot be copied from the spool: {cause}")]
    Spool {
        /// The file.
        path: String,
        /// What failed.
        cause: io::Error,
    },
}

impl Tree {
    /// The entry at `path`. Symbolic links on the way and at its end are followed, inside the tree only, as a process with this
    /// root would: an absolute target starts at the root, `..` of the root is the root.
    pub fn lookup(&self, path: &str) -> Option<Entry<'_>> {
        self.resolve(path).ok()
    }

    /// The entry at `path` itself: links on the way are followed, a link at its end is not.
    pub fn entry(&self, path: &str) -> Option<Entry<'_>> {
        self.follow(path, Last::Kept).ok()
    }

    /// [`Tree::lookup`] with the reason why there is nothing.
    pub fn resolve(&self, path: &str) -> Result<Entry<'_>, Unresolved> {
        self.follow(path, Last::Followed)
    }

    /// The bytes of the file at `path` (links are followed), when there are at most `limit`.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        self.read_entry(&self.resolve(path)?, limit)
    }

    /// The bytes of a file, when there are at most `limit`.
    pub fn read_entry(&self, entry: &Entry<'_>, limit: u64) -> Result<Vec<u8>, ReadError> {
        if entry.size() > limit {
            return Err(ReadError::TooLarge { path: entry.path.clone(), size: entry.size(), limit });
        }
        self.read_range(entry, 0, limit)
    }

    /// At most `length` bytes of a file from `start`; fewer where it ends.
    pub fn read_range(&self, entry: &Entry<'_>, start: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let content = entry.content().ok_or_else(|| ReadError::NotFile(entry.path.clone()))?;
        let length = content.length.saturating_sub(start).min(length);
        let mut bytes = Vec::new();
        let read = self.with_spool(|spool| {
            spool.seek(SeekFrom::Start(content.offset + start.min(content.length)))?;
            spool.take(length).read_to_end(&mut bytes)
        });
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        read.and_then(|got| if got as u64 == length { Ok(()) } else { Err(cut()) })
            .map_err(|cause| ReadError::Spool { path: entry.path.clone(), cause })?;
        Ok(bytes)
    }

    /// Writes all bytes of a file to `output`.
    pub fn copy_entry(&self, entry: &Entry<'_>, output: &mut dyn Write) -> Result<(), ReadError> {
        let content = entry.content().ok_or_else(|| ReadError::NotFile(entry.path.clone()))?;
        let copied = self.with_spool(|spool| {
            spool.seek(SeekFrom::Start(content.offset))?;
            let mut left = content.length;
            let mut buffer = vec![0; usize::try_from(left.min(256 << 10)).unwrap_or(0)];
            while left > 0 {
                let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                spool.read_exact(&mut buffer[..want])?;
                output.write_all(&buffer[..want])?;
                left -= want as u64;
            }
            Ok(())
        });
        copied.map_err(|cause| ReadError::Spool { path: entry.path.clone(), cause })
    }

    fn follow(&self, path: &str, last: Last) -> Result<Entry<'_>, Unresolved> {
        follow(&self.nodes, path, last).map(|found| Entry {
            tree: self,
            path: join(&found.names),
            id: found.id,
            layer: found.layer,
        })
    }
}

/// What happens to a link at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Followed,
    Kept,
}

/// Where a path leads.
pub(super) struct Found {
    pub(super) id: u32,
    pub(super) layer: u32,
    pub(super) names: Vec<String>,
}

pub(super) fn follow(nodes: &[super::Node], path: &str, last: Last) -> Result<Found, Unresolved> {
    // The directories passed, so that `..` after a link leads to the target's parent.
    let mut trail: Vec<(u32, u32, String)> = Vec::new();
    let mut waiting: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut links = 0;
    while let Some(part) = waiting.pop() {
        let here = trail.last().map_or(ROOT, |(id, ..)| *id);
        let so_far = |name: &str| {
            let names: Vec<&str> = trail.iter().map(|(.., name)| name.as_str()).chain([name]).collect();
            join(&names)
        };
        let Some(children) = nodes[here as usize].children() else {
            let names: Vec<&str> = trail.iter().map(|(.., name)| name.as_str()).collect();
            return Err(Unresolved::NotDirectory(join(&names)));
        };
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                trail.pop();
                continue;
            }
            _ => {}
        }
        let Some(child) = children.get(part.as_str()) else {
            return Err(Unresolved::Missing(so_far(&part)));
        };
        let ends = waiting.iter().all(String::is_empty);
        match &nodes[child.node as usize].body {
            Body::Symlink(target) if !(ends && last == Last::Kept) => {
                links += 1;
                if links > LINKS {
                    return Err(Unresolved::Loop(path.to_owned()));
                }
                if target.starts_with('/') {
                    trail.clear();
                }
                waiting.extend(target.split('/').rev().map(str::to_owned));
            }
            _ => trail.push((child.node, child.layer, part)),
        }
    }
    let (id, layer) = trail.last().map_or((ROOT, 0), |(id, layer, _)| (*id, *layer));
    Ok(Found { id, layer, names: trail.into_iter().map(|(.., name)| name).collect() })
}
