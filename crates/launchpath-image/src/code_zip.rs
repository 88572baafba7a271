//! A zip of code, as direct code deployment takes it, to a file tree.
//!
//! What it is: strict reading. A name that leads out, an entry that is encrypted or shares bytes with another refuses the whole
//! zip: no build tool writes such a thing, and what the service would do with it is unknown. What it is not: a judgement of size
//! or content.
//!
//! Start with [`read`].

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::tree::{Limits, Metadata, Oddity, Spool, Tree, TreeError};

/// A symbolic link is a short file.
const MAX_LINK: u64 = 4096;

/// Why a zip cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CodeZipError {
    /// It is no zip, or a damaged one.
    #[error("this is no valid zip: {0}")]
    Damaged(String),
    /// A name that leads out of the place where it is unpacked.
    #[error("the entry `{0}` has a name that leads out of the zip; expected names relative to its root")]
    Name(String),
    /// A password is needed.
    #[error("the entry `{0}` is encrypted; the service cannot read it either")]
    Encrypted(String),
    /// Entries that share bytes: how a small zip becomes a huge one.
    #[error("entries of the zip share their bytes, as zip bombs do")]
    Overlapping,
    /// Two entries of one name: which one counts depends on the reader.
    #[error("two entries of the zip have the same name")]
    Duplicate,
    /// More than a tree may hold.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Whether the bytes are the beginning of a zip.
pub fn is_zip(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06")
}

/// The files of a zip, with its root as root. Contents go to `spool`.
pub fn read(
    input: impl Read + Seek,
    spool: impl Spool + 'static,
    limits: Limits,
) -> Result<Tree, CodeZipError> {
    let damaged = |error: ZipError| CodeZipError::Damaged(error.to_string());
    let mut archive = ZipArchive::new(input).map_err(damaged)?;
    if archive.has_duplicate_names() {
        return Err(CodeZipError::Duplicate);
    }
    if archive.has_overlapping_files().map_err(damaged)? {
        return Err(CodeZipError::Overlapping);
    }
    let mut tree = Tree::builder(spool).limits(limits);
    for index in 0..archive.len() {
        let name = {
            let entry = archive.by_index_raw(index).map_err(damaged)?;
            let name = entry.name().map_err(damaged)?.into_owned();
            if entry.encrypted() {
                return Err(CodeZipError::Encrypted(shortened(&name)));
            }
            if leads_out(&name) {
                return Err(CodeZipError::Name(shortened(&name)));
            }
            name
        };
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let mode = entry.unix_mode().map(|mode| mode & 0o7777);
        if entry.is_dir() {
            tree.add_directory(&name, Metadata::of_mode(mode.unwrap_or(0o755)))?;
        } else if entry.is_symlink() {
            let mut target = Vec::new();
            let read = Read::by_ref(&mut entry).take(MAX_LINK).read_to_end(&mut target);
            read.map_err(|error| CodeZipError::Damaged(error.to_string()))?;
            tree.add_note(&name, Oddity::LinkInZip);
            match std::str::from_utf8(&target) {
                Ok(target) => tree.add_symlink(&name, target, Metadata::of_mode(0o777))?,
                Err(_) => tree.add_note(&name, Oddity::NameNotText),
            }
        } else {
            tree.add_file(&name, Metadata::of_mode(mode.unwrap_or(0o644)), &mut entry)?;
        }
    }
    Ok(tree.finish()?)
}

fn leads_out(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with(['/', '\\']) || drive || name.split(['/', '\\']).any(|part| part == "..")
}

fn shortened(name: &str) -> String {
    name.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::{is_zip, read};
    use crate::tree::{Limits, Oddity};

    fn zipped(write: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        write(&mut writer);
        writer.finish().unwrap().into_inner()
    }

    fn with(files: &[(&str, &[u8])]) -> Vec<u8> {
        zipped(|writer| {
            for (name, content) in files {
                writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
                writer.write_all(content).unwrap();
            }
        })
    }

    fn error(bytes: &[u8], limits: Limits) -> String {
        read(Cursor::new(bytes), Cursor::new(Vec::new()), limits).unwrap_err().to_string()
    }

    #[test]
    fn files_links_and_permissions_arrive() {
        let bytes = zipped(|writer| {
            let options = SimpleFileOptions::default();
            writer.add_directory("pkg/", options).unwrap();
            writer.start_file("pkg/main.py", options.unix_permissions(0o640)).unwrap();
            writer.write_all(b"import os\n").unwrap();
            writer.add_symlink("link", "pkg/main.py", options).unwrap();
        });
        assert!(is_zip(&bytes) && !is_zip(b"PK"));
        let tree = read(Cursor::new(bytes), Cursor::new(Vec::new()), Limits::default()).unwrap();
        assert_eq!(tree.read("/link", 100).unwrap(), b"import os\n");
        assert_eq!(tree.lookup("/pkg/main.py").unwrap().mode(), 0o640);
        assert_eq!(tree.notes()[0].oddity, Oddity::LinkInZip);
    }

    #[test]
    fn what_no_tool_writes_is_refused() {
        for name in ["../evil", "/etc/passwd", "a/../../b", "..\\evil", "C:\\evil", "\\evil"] {
            let text = error(&with(&[(name, b"x")]), Limits::default());
            assert!(text.contains("leads out of the zip"), "{name}: {text}");
        }
        let mut sealed = with(&[("a", b"x")]);
        // The flag of an encrypted entry, in both of its headers.
        let central = sealed.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
        sealed[6] |= 1;
        sealed[central + 8] |= 1;
        assert!(error(&sealed, Limits::default()).contains("is encrypted"));
        assert!(error(b"PK\x03\x04 and nothing else", Limits::default()).contains("no valid zip"));
    }

    #[test]
    fn a_zip_bomb_meets_a_limit() {
        let bytes = with(&[("zeros", &vec![0; 4 << 20])]);
        assert!(bytes.len() < 100_000);
        let limits = Limits { file: 1 << 20, ..Limits::default() };
        assert_eq!(error(&bytes, limits), "more than 1048576 bytes in one file (at zeros)");
        // The size that an entry claims is not what counts.
        let mut liar = bytes.clone();
        let central = liar.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
        liar[central + 24..central + 28].copy_from_slice(&10u32.to_le_bytes());
        let text = read(Cursor::new(liar), Cursor::new(Vec::new()), limits);
        assert!(text.is_err());
    }
}
