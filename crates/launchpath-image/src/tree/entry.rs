//! One entry of a tree, and the walk over many.

use super::{Body, Node, ROOT, Tree};

/// Where a file's bytes are in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// The layer it came with, from 0.
    pub layer: u32,
    /// The offset in the spool.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'t> {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A symbolic link with its target as written.
    Symlink(&'t str),
}

/// One entry of a tree under one of its names.
#[derive(Clone)]
pub struct Entry<'t> {
    pub(super) tree: &'t Tree,
    pub(super) path: String,
    pub(super) id: u32,
    pub(super) layer: u32,
}

impl<'t> Entry<'t> {
    /// Its absolute path, without links on the way.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last component of its path; empty for the root.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What it is.
    pub fn kind(&self) -> Kind<'t> {
        match &self.node().body {
            Body::Directory { .. } => Kind::Directory,
            Body::File(_) => Kind::File,
            Body::Symlink(target) => Kind::Symlink(target),
        }
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        self.kind() == Kind::File
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind() == Kind::Directory
    }

    /// Permission bits with set-user-id, set-group-id and sticky (`0o7777`).
    pub fn mode(&self) -> u32 {
        self.node().mode
    }

    /// The owner.
    pub fn uid(&self) -> u32 {
        self.node().uid
    }

    /// The group.
    pub fn gid(&self) -> u32 {
        self.node().gid
    }

    /// When it was modified, in seconds since 1970.
    pub fn modified(&self) -> i64 {
        self.node().modified
    }

    /// Bytes of a file; 0 for anything else.
    pub fn size(&self) -> u64 {
        self.content().map_or(0, |content| content.length)
    }

    /// The layer this name came with, from 0.
    pub fn layer(&self) -> usize {
        self.layer as usize
    }

    /// Where a file's bytes are.
    pub fn content(&self) -> Option<Content> {
        match &self.node().body {
            Body::File(content) => Some(*content),
            Body::Directory { .. } | Body::Symlink(_) => None,
        }
    }

    /// The same for all names of one file.
    pub fn inode(&self) -> u64 {
        u64::from(self.id)
    }

    /// The entries of a directory in order of their names.
    pub fn children(&self) -> Vec<Entry<'t>> {
        let Some(children) = self.node().children() else { return Vec::new() };
        let below = |name: &str| format!("{}/{name}", if self.id == ROOT { "" } else { &self.path });
        children
            .iter()
            .map(|(name, child)| Entry {
                tree: self.tree,
                path: below(name),
                id: child.node,
                layer: child.layer,
            })
            .collect()
    }

    fn node(&self) -> &'t Node {
        self.tree.node(self.id)
    }
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:?}, mode {:o})", self.path, self.kind(), self.mode())
    }
}

/// A walk over everything below a directory.
pub struct Walk<'t> {
    /// What is still to come, the next one last.
    waiting: Vec<Entry<'t>>,
}

impl<'t> Walk<'t> {
    pub(super) fn new(from: Option<Entry<'t>>) -> Self {
        let mut waiting = from.map(|entry| entry.children()).unwrap_or_default();
        waiting.reverse();
        Self { waiting }
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = Entry<'t>;

    fn next(&mut self) -> Option<Entry<'t>> {
        let entry = self.waiting.pop()?;
        self.waiting.extend(entry.children().into_iter().rev());
        Some(entry)
    }
}
