//! A tar archive that is read at random: an image that was saved to one file.
//!
//! Opening it reads the headers only and jumps over the contents, so that the documents of a large archive cost nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use launchpath_image::layer::{LayerError, LayerReader, MemberKind};

use crate::decompress::{self, Compression, Measured};
use crate::error::FetchError;
use crate::files::{FileReader, Files};

/// Members beyond this are no saved image.
const MAX_MEMBERS: usize = 100_000;
/// A compressed archive is decompressed first; larger ones are no image the service takes.
const MAX_DECOMPRESSED: u64 = 12 << 30;
/// Links from member to member that are followed; old versions of Docker wrote one for a layer that occurs twice.
const MAX_LINKS: usize = 8;

/// A tar archive with the places of its members.
pub(crate) struct Archive {
    path: PathBuf,
    file: File,
    members: BTreeMap<String, Place>,
}

enum Place {
    Content { offset: u64, size: u64 },
    Link(String),
}

impl Archive {
    /// Indexes the archive in `file`, which is decompressed to a temporary file when it must be.
    pub(crate) fn open(path: &Path, mut file: File) -> Result<Self, FetchError> {
        let failed = |cause| FetchError::Read { path: path.to_owned(), cause };
        let mut start = [0; 4];
        let length = file.read(&mut start).map_err(failed)?;
        file.rewind().map_err(failed)?;
        if Compression::of(&start[..length]) != Compression::None {
            file = decompressed(path, file)?;
        }
        let members = index(path, &mut file)?;
        Ok(Self { path: path.to_owned(), file, members })
    }

    /// Whether it has a member of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    fn find(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = name;
        for _ in 0..=MAX_LINKS {
            match self.members.get(name)? {
                Place::Content { offset, size } => return Some((*offset, *size)),
                Place::Link(target) => name = target,
            }
        }
        None
    }
}

impl Files for Archive {
    fn at(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&mut self, name: &str) -> Result<Option<FileReader<'_>>, FetchError> {
        let Some((offset, size)) = self.find(name) else { return Ok(None) };
        let sought = self.file.seek(SeekFrom::Start(offset));
        sought.map_err(|cause| FetchError::Read { path: self.path.clone(), cause })?;
        Ok(Some(FileReader { size, bytes: Box::new((&self.file).take(size)) }))
    }
}

fn decompressed(path: &Path, file: File) -> Result<File, FetchError> {
    let failed = |cause| FetchError::Read { path: path.to_owned(), cause };
    let reader = decompress::reader(file).map_err(failed)?;
    let mut spool = tempfile::tempfile().map_err(FetchError::Scratch)?;
    // A failure may be the disk's or the archive's; the archive's is likelier.
    std::io::copy(&mut Measured::new(reader, None, MAX_DECOMPRESSED), &mut spool).map_err(failed)?;
    spool.rewind().map_err(FetchError::Scratch)?;
    Ok(spool)
}

/// The places of all members. A name that occurs twice stands for the last one, as when the archive is unpacked.
fn index(path: &Path, file: &mut File) -> Result<BTreeMap<String, Place>, FetchError> {
    let failed = |cause| FetchError::Read { path: path.to_owned(), cause };
    let format = |why: String| FetchError::Format { at: path.display().to_string(), why };
    let length = file.metadata().map_err(failed)?.len();
    let mut members = BTreeMap::new();
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut reader = LayerReader::new(&mut *file);
        let Some(member) = reader.next_member().map_err(|error| format(not_tar(at, &error)))? else {
            return Ok(members);
        };
        let offset = at + reader.position();
        if member.size > length.saturating_sub(offset) {
            return Err(format(format!("the archive ends inside {}", name_text(&member.path))));
        }
        at = offset + member.size.next_multiple_of(512);
        let place = match member.kind {
            MemberKind::File => Place::Content { offset, size: member.size },
            MemberKind::HardLink => Place::Link(normal(&name_text(&member.link), "")),
            MemberKind::Symlink => Place::Link(normal(&name_text(&member.link), &name_text(&member.path))),
            _ => continue,
        };
        if members.len() >= MAX_MEMBERS {
            return Err(format(format!("more than {MAX_MEMBERS} members; a saved image has hundreds")));
        }
        members.insert(normal(&name_text(&member.path), ""), place);
    }
}

fn not_tar(at: u64, error: &LayerError) -> String {
    match error {
        _ if at == 0 => {
            "expected a tar archive (`docker save`, OCI) or a zip of code, and this is neither".to_owned()
        }
        LayerError::Malformed { at: further, what } => {
            format!("no valid tar archive at byte {}: {what}", at.saturating_add(*further))
        }
        error => error.to_string(),
    }
}

fn name_text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A name without `.` and `..`, relative to the folder of `base`. Names only select members: nothing is opened by them.
fn normal(name: &str, base: &str) -> String {
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    let start = if name.starts_with('/') { "" } else { folder };
    for part in start.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn a_link_is_relative_to_its_folder() {
        assert_eq!(normal("../abc/layer.tar", "def/layer.tar"), "abc/layer.tar");
        assert_eq!(normal("./blobs//x", ""), "blobs/x");
        assert_eq!(normal("../../../etc/passwd", "a/b"), "etc/passwd");
        assert_eq!(normal("/abs", "a/b"), "abs");
    }
}
