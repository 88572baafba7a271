//! Layers, one over the other, to a tree.
//!
//! Semantics are those of the runtimes that unpack images: a name resolves its parent through links inside the root, a later
//! member replaces an earlier one, whiteouts hide what lower layers brought (OCI image specification, "layer").

use std::io::{self, BufWriter, Cursor, Read, Write};

use super::lookup::{self, Last};
use super::note::KEPT;
use super::path::{components, join};
use super::{Body, Child, Content, Limits, Node, Note, Oddity, ROOT, Spool, Tree};
use crate::layer::{LayerError, LayerReader, Member, MemberKind};

/// Why no tree could be made.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A layer cannot be read.
    #[error("layer {layer}: {cause}")]
    Layer {
        /// The layer, from 0.
        layer: usize,
        /// What is wrong with it.
        cause: LayerError,
    },
    /// There is more than a tree may hold.
    #[error("{}more than {limit} {what} (at {path})", .layer.map(|layer| format!("layer {layer}: ")).unwrap_or_default())]
    Limit {
        /// The layer, from 0; none where files come from elsewhere.
        layer: Option<usize>,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// The member that reached it.
        path: String,
    },
    /// A file's content cannot be read where it comes from.
    #[error("{path} cannot be read: {cause}")]
    Content {
        /// The file.
        path: String,
        /// What failed.
        cause: io::Error,
    },
    /// A path that no entry can have.
    #[error("{path} {}", oddity.text())]
    Path {
        /// The path.
        path: String,
        /// What is odd about it.
        oddity: Oddity,
    },
    /// The spool cannot be written.
    #[error("contents cannot be written to the spool: {0}")]
    Spool(io::Error),
}

/// Owner, permissions and time of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Permission bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Seconds since 1970.
    pub modified: i64,
}

impl Metadata {
    /// Root's, with these permission bits.
    pub const fn of_mode(mode: u32) -> Self {
        Self { mode, uid: 0, gid: 0, modified: 0 }
    }
}

/// Lays layers over each other.
pub struct TreeBuilder {
    nodes: Vec<Node>,
    spool: BufWriter<Box<dyn Spool>>,
    /// Bytes in the spool.
    end: u64,
    limits: Limits,
    /// Members seen so far.
    entries: u64,
    layers: u32,
    notes: Vec<Note>,
    notes_dropped: u64,
    /// The first error of the chained methods.
    failed: Option<TreeError>,
}

impl TreeBuilder {
    pub(super) fn new(spool: Box<dyn Spool>) -> Self {
        let root = directory(Metadata::of_mode(0o755));
        Self {
            nodes: vec![root],
            spool: BufWriter::with_capacity(256 << 10, spool),
            end: 0,
            limits: Limits::default(),
            entries: 0,
            layers: 0,
            notes: Vec::new(),
            notes_dropped: 0,
            failed: None,
        }
    }

    /// A builder that keeps contents in memory.
    pub fn in_memory() -> Self {
        Self::new(Box::new(Cursor::new(Vec::new())))
    }

    /// Holds the tree to other limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A file of root's with mode 0644. Errors come with [`TreeBuilder::finish`].
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with(path, content, Metadata::of_mode(0o644))
    }

    /// A file of root's with mode 0755.
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with(path, content, Metadata::of_mode(0o755))
    }

    /// A file.
    pub fn file_with(self, path: &str, content: impl AsRef<[u8]>, metadata: Metadata) -> Self {
        self.then(|builder| builder.add_file(path, metadata, &mut content.as_ref()))
    }

    /// A directory of root's with mode 0755.
    pub fn directory(self, path: &str) -> Self {
        self.directory_with(path, Metadata::of_mode(0o755))
    }

    /// A directory.
    pub fn directory_with(self, path: &str, metadata: Metadata) -> Self {
        self.then(|builder| builder.add_directory(path, metadata))
    }

    /// A symbolic link.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.then(|builder| builder.add_symlink(path, target, Metadata::of_mode(0o777)))
    }

    fn then(mut self, step: impl FnOnce(&mut Self) -> Result<(), TreeError>) -> Self {
        if self.failed.is_none() {
            self.failed = step(&mut self).err();
        }
        self
    }

    /// Lays a layer, a decompressed tar stream, over what is there. Read until the end of the archive, not of the stream.
    pub fn layer(&mut self, input: impl Read) -> Result<(), TreeError> {
        let mut reader = LayerReader::new(input);
        self.layers += 1;
        let layer = self.layers as usize - 1;
        let broken = |cause| match cause {
            LayerError::Spool(cause) => TreeError::Spool(cause),
            cause => TreeError::Layer { layer, cause },
        };
        while let Some(member) = reader.next_member().map_err(broken)? {
            self.count(&String::from_utf8_lossy(&member.path), member.size)?;
            if let Err(oddity) = self.member(&member, &mut reader).map_err(broken)? {
                self.note(&member.path, oddity);
            }
        }
        Ok(())
    }

    /// A file whose content is read to its end.
    pub fn add_file(
        &mut self,
        path: &str,
        metadata: Metadata,
        content: &mut dyn Read,
    ) -> Result<(), TreeError> {
        self.count(path, 0)?;
        let offset = self.end;
        // One byte more than allowed tells a file at the limit from one beyond it.
        let room = self.limits.file.min(self.limits.bytes.saturating_sub(offset));
        let length = self.spool_from(&mut content.take(room.saturating_add(1)), path)?;
        self.hold(path, length)?;
        self.end += length;
        let content = Content { layer: self.here(), offset, length };
        self.place(path, node(Body::File(content), metadata))
    }

    /// A directory; the ones above it are made where they are missing.
    pub fn add_directory(&mut self, path: &str, metadata: Metadata) -> Result<(), TreeError> {
        self.count(path, 0)?;
        self.place(path, directory(metadata))
    }

    /// A symbolic link.
    pub fn add_symlink(&mut self, path: &str, target: &str, metadata: Metadata) -> Result<(), TreeError> {
        self.count(path, 0)?;
        self.place(path, node(Body::Symlink(target.into()), metadata))
    }

    /// A second name for what is at `target`, which must be there and no directory.
    pub fn add_hard_link(&mut self, path: &str, target: &str) -> Result<(), TreeError> {
        self.count(path, 0)?;
        let bad = |oddity| TreeError::Path { path: path.to_owned(), oddity };
        let names = components(path.as_bytes()).map_err(bad)?.parts;
        self.link(&names, target.as_bytes()).map_err(bad)
    }

    /// Notes something odd about what is being added.
    pub fn add_note(&mut self, path: &str, oddity: Oddity) {
        self.note(path.as_bytes(), oddity);
    }

    /// The tree, or the first error of the chained methods.
    pub fn finish(self) -> Result<Tree, TreeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let spool = self.spool.into_inner().map_err(|error| TreeError::Spool(error.into_error()))?;
        Ok(Tree {
            nodes: self.nodes,
            spool: std::sync::Mutex::new(spool),
            layers: self.layers.max(1) as usize,
            notes: self.notes,
            notes_dropped: self.notes_dropped,
        })
    }

    /// The layer that is being laid.
    fn here(&self) -> u32 {
        self.layers.saturating_sub(1)
    }

    fn place(&mut self, path: &str, node: Node) -> Result<(), TreeError> {
        let bad = |oddity| TreeError::Path { path: path.to_owned(), oddity };
        let names = components(path.as_bytes()).map_err(bad)?.parts;
        self.insert(&names, node).map_err(bad)
    }

    /// Lays one member of a layer; the inner error is a note.
    fn member<R: Read>(
        &mut self,
        member: &Member,
        reader: &mut LayerReader<R>,
    ) -> Result<Result<(), Oddity>, LayerError> {
        let name = match components(&member.path) {
            Ok(name) => name,
            Err(oddity) => return Ok(Err(oddity)),
        };
        let names = name.parts;
        if let Some((last, above)) = names.split_last()
            && let Some(hidden) = last.strip_prefix(".wh.")
        {
            return Ok(self.whiteout(above, hidden));
        }
        if name.absolute {
            self.note(&member.path, Oddity::AbsoluteName);
        }
        let metadata =
            Metadata { mode: member.mode, uid: member.uid, gid: member.gid, modified: member.modified };
        let laid = match member.kind {
            MemberKind::File => {
                let content = Content { layer: self.here(), offset: self.end, length: member.size };
                reader.copy_content(&mut self.spool)?;
                self.end += member.size;
                self.insert(&names, node(Body::File(content), metadata))
            }
            MemberKind::Directory => self.insert(&names, directory(metadata)),
            MemberKind::Symlink => match std::str::from_utf8(&member.link) {
                Ok(target) => self.insert(&names, node(Body::Symlink(target.into()), metadata)),
                Err(_) => Err(Oddity::NameNotText),
            },
            MemberKind::HardLink => self.link(&names, &member.link),
            MemberKind::Device => Err(Oddity::Device),
            MemberKind::Sparse => Err(Oddity::Sparse),
            MemberKind::Other(_) => Err(Oddity::UnknownType),
        };
        Ok(laid)
    }

    /// Puts `node` at a path, in place of what is there. A directory over a directory keeps its entries.
    fn insert(&mut self, names: &[&str], node: Node) -> Result<(), Oddity> {
        let Some((last, above)) = names.split_last() else {
            // The root itself: only its metadata can be given.
            return self.update(ROOT, &node).ok_or(Oddity::ParentNotDirectory);
        };
        let parent = self.parent(above)?;
        let layer = self.here();
        let there = self.children(parent).get_mut(*last);
        if let Some(child) = there {
            let id = child.node;
            if matches!(node.body, Body::Directory { .. }) && self.nodes[id as usize].children().is_some() {
                self.update(id, &node);
                self.children(parent).insert((*last).into(), Child { node: id, layer });
                return Ok(());
            }
        }
        let id = self.push(node);
        self.children(parent).insert((*last).into(), Child { node: id, layer });
        Ok(())
    }

    /// Gives a directory the metadata of `node`, which must be one too.
    fn update(&mut self, id: u32, node: &Node) -> Option<()> {
        node.children()?;
        let old = &mut self.nodes[id as usize];
        (old.mode, old.uid, old.gid, old.modified) = (node.mode, node.uid, node.gid, node.modified);
        Some(())
    }

    fn link(&mut self, names: &[&str], target: &[u8]) -> Result<(), Oddity> {
        let target = components(target).map_err(|_| Oddity::HardLinkTarget)?.parts;
        let found =
            lookup::follow(&self.nodes, &join(&target), Last::Kept).map_err(|_| Oddity::HardLinkTarget)?;
        if self.nodes[found.id as usize].children().is_some() {
            return Err(Oddity::HardLinkTarget);
        }
        let (last, above) = names.split_last().ok_or(Oddity::HardLinkTarget)?;
        let parent = self.parent(above)?;
        let child = Child { node: found.id, layer: self.here() };
        self.children(parent).insert((*last).into(), child);
        Ok(())
    }

    /// The directory at a path; missing ones are made, links are followed inside the tree.
    fn parent(&mut self, names: &[&str]) -> Result<u32, Oddity> {
        let mut here = ROOT;
        for (index, name) in names.iter().enumerate() {
            let next = self.children(here).get(*name).map(|child| child.node);
            here = match next {
                None => {
                    let id = self.push(directory(Metadata::of_mode(0o755)));
                    let layer = self.here();
                    self.children(here).insert((*name).into(), Child { node: id, layer });
                    id
                }
                Some(id) => match self.nodes[id as usize].body {
                    Body::Directory { .. } => id,
                    Body::File(_) => return Err(Oddity::ParentNotDirectory),
                    Body::Symlink(_) => lookup::follow(&self.nodes, &join(&names[..=index]), Last::Followed)
                        .ok()
                        .filter(|found| self.nodes[found.id as usize].children().is_some())
                        .map(|found| found.id)
                        .ok_or(Oddity::ParentNotDirectory)?,
                },
            };
        }
        Ok(here)
    }

    /// Hides what lower layers brought: one name, or everything in a directory.
    fn whiteout(&mut self, above: &[&str], hidden: &str) -> Result<(), Oddity> {
        let parent = self.parent(above)?;
        if hidden == ".wh..opq" {
            self.hide_below(parent);
            return Ok(());
        }
        // Other double-prefixed names are bookkeeping of aufs.
        if hidden.starts_with(".wh.") {
            return Ok(());
        }
        if matches!(hidden, "" | "." | "..") {
            return Err(Oddity::Whiteout);
        }
        let layer = self.here();
        let Some(child) = self.children(parent).get(hidden).copied() else { return Ok(()) };
        if child.layer < layer {
            self.children(parent).remove(hidden);
        } else if self.nodes[child.node as usize].children().is_some() {
            self.hide_below(child.node);
        }
        Ok(())
    }

    /// Removes from a directory, however deep, what lower layers brought.
    fn hide_below(&mut self, directory: u32) {
        let layer = self.here();
        let mut waiting = vec![directory];
        while let Some(id) = waiting.pop() {
            let Body::Directory { children, opaque_in } = &mut self.nodes[id as usize].body else { continue };
            // INVARIANT: each directory is gone through once per layer, however often it is hidden.
            if opaque_in.replace(layer) == Some(layer) {
                continue;
            }
            children.retain(|_, child| child.layer >= layer);
            waiting.extend(children.values().map(|child| child.node));
        }
    }

    fn children(&mut self, directory: u32) -> &mut std::collections::BTreeMap<Box<str>, Child> {
        // INVARIANT: callers hold the id of a directory.
        match &mut self.nodes[directory as usize].body {
            Body::Directory { children, .. } => children,
            Body::File(_) | Body::Symlink(_) => unreachable!("only directories are asked for their entries"),
        }
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        // The limit of entries and their depth keeps the number of nodes below 2^32.
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// Counts a member and its content against the limits.
    fn count(&mut self, path: &str, size: u64) -> Result<(), TreeError> {
        self.entries += 1;
        let parts = path.split('/').filter(|part| !part.is_empty()).count();
        let exceeded = [
            ("entries", self.entries, self.limits.entries),
            ("components in a path", parts as u64, self.limits.depth as u64),
            ("bytes in a path", path.len() as u64, self.limits.path as u64),
            // Missing parents make nodes of their own.
            (
                "directories",
                self.nodes.len() as u64,
                self.limits.entries.saturating_mul(2).min(u32::MAX.into()),
            ),
        ];
        for (what, is, limit) in exceeded {
            if is > limit {
                return Err(self.limit(what, limit, path));
            }
        }
        self.hold(path, size)
    }

    fn hold(&self, path: &str, size: u64) -> Result<(), TreeError> {
        if size > self.limits.file {
            return Err(self.limit("bytes in one file", self.limits.file, path));
        }
        if self.end.saturating_add(size) > self.limits.bytes {
            return Err(self.limit("bytes in all files", self.limits.bytes, path));
        }
        Ok(())
    }

    fn limit(&self, what: &'static str, limit: u64, path: &str) -> TreeError {
        let path: String = path.chars().take(200).collect();
        let layer = (self.layers > 0).then(|| self.here() as usize);
        TreeError::Limit { layer, what, limit, path }
    }

    fn note(&mut self, path: &[u8], oddity: Oddity) {
        if self.notes.len() >= KEPT {
            self.notes_dropped += 1;
            return;
        }
        let path: String = String::from_utf8_lossy(path).chars().take(500).collect();
        self.notes.push(Note { layer: self.here() as usize, path, oddity });
    }

    fn spool_from(&mut self, content: &mut dyn Read, path: &str) -> Result<u64, TreeError> {
        let mut buffer = vec![0; 64 << 10];
        let mut length = 0;
        loop {
            match content.read(&mut buffer) {
                Ok(0) => return Ok(length),
                Ok(got) => {
                    self.spool.write_all(&buffer[..got]).map_err(TreeError::Spool)?;
                    length += got as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(TreeError::Content { path: path.to_owned(), cause }),
            }
        }
    }
}

fn node(body: Body, metadata: Metadata) -> Node {
    let Metadata { mode, uid, gid, modified } = metadata;
    Node { body, mode, uid, gid, modified }
}

fn directory(metadata: Metadata) -> Node {
    node(Body::Directory { children: std::collections::BTreeMap::new(), opaque_in: None }, metadata)
}
