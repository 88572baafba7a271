//! The merged file system of an image, readable at random.
//!
//! What it is: the entries that remain when an image's layers are laid over each other, with contents in a spool. What it is
//! not: a directory on a disk. Nothing here opens a path of this machine: a symbolic link is text, followed inside the tree
//! only, so a hostile layer has nothing to escape to. Extended attributes are not kept.
//!
//! Start with [`Tree::builder`] (layers) or [`TreeBuilder::in_memory`] (a few files); then [`Tree::lookup`], [`Tree::read`] and
//! [`Tree::walk`].

mod build;
mod entry;
mod lookup;
mod note;
mod path;
#[cfg(test)]
mod tests;

pub use build::{Metadata, TreeBuilder, TreeError};
pub use entry::{Content, Entry, Kind, Walk};
pub use lookup::{ReadError, Unresolved};
pub use note::{Note, Oddity};

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};
use std::sync::{Mutex, PoisonError};

/// Where contents are kept: a temporary file, or memory in tests.
pub trait Spool: Read + Write + Seek + Send {}
impl<T: Read + Write + Seek + Send> Spool for T {}

/// How much a tree may hold. Reaching one is an error, not a shorter tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Members of all layers.
    pub entries: u64,
    /// Bytes of content of all layers.
    pub bytes: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Components of a path.
    pub depth: usize,
    /// Bytes of a path.
    pub path: usize,
}

impl Default for Limits {
    /// Wide enough for any image the service takes (2 GB), narrow enough for a machine to survive.
    fn default() -> Self {
        Self { entries: 4_000_000, bytes: 12 << 30, file: 6 << 30, depth: 512, path: 4096 }
    }
}

/// The merged file system of an image.
pub struct Tree {
    nodes: Vec<Node>,
    spool: Mutex<Box<dyn Spool>>,
    layers: usize,
    notes: Vec<Note>,
    notes_dropped: u64,
}

/// The root directory's place among the nodes.
const ROOT: u32 = 0;

/// What a name stands for. Two names of one node are hard links.
struct Node {
    body: Body,
    mode: u32,
    uid: u32,
    gid: u32,
    modified: i64,
}

enum Body {
    Directory {
        children: BTreeMap<Box<str>, Child>,
        /// The layer that hid everything below it, so that hiding twice costs nothing.
        opaque_in: Option<u32>,
    },
    File(Content),
    Symlink(Box<str>),
}

/// A name in a directory.
#[derive(Clone, Copy)]
struct Child {
    node: u32,
    layer: u32,
}

impl Node {
    fn children(&self) -> Option<&BTreeMap<Box<str>, Child>> {
        match &self.body {
            Body::Directory { children, .. } => Some(children),
            Body::File(_) | Body::Symlink(_) => None,
        }
    }
}

impl Tree {
    /// Builds a tree from layers; contents go to `spool`.
    pub fn builder(spool: impl Spool + 'static) -> TreeBuilder {
        TreeBuilder::new(Box::new(spool))
    }

    /// How many layers it was made of.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// What was odd or hostile in the layers, the first thousand.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// How many more notes there were.
    pub fn notes_dropped(&self) -> u64 {
        self.notes_dropped
    }

    /// Every entry below `directory`, parents before children, names in order. Symbolic links are not followed.
    pub fn walk(&self, directory: &str) -> Walk<'_> {
        Walk::new(self.entry(directory))
    }

    /// The entries of a directory in order of their names; nothing when it is no directory. Links on the way are followed.
    pub fn children(&self, directory: &str) -> Vec<Entry<'_>> {
        self.lookup(directory).map(|entry| entry.children()).unwrap_or_default()
    }

    /// Bytes of all files that remain; hard links count once.
    pub fn bytes(&self) -> u64 {
        let mut seen = std::collections::BTreeSet::new();
        self.walk("/").filter(|entry| seen.insert(entry.inode())).map(|entry| entry.size()).sum()
    }

    /// How many entries remain, the root included.
    pub fn entries(&self) -> usize {
        1 + self.walk("/").count()
    }

    fn node(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    fn with_spool<T>(&self, work: impl FnOnce(&mut dyn Spool) -> T) -> T {
        // A reader that panicked leaves the spool as it was: every read seeks first.
        work(&mut **self.spool.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree")
            .field("layers", &self.layers)
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}
