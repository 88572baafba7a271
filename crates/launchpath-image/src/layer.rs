//! The members of one layer: a bounded reader of tar streams.
//!
//! What it is: ustar, GNU and PAX headers to [`Member`]s, one pass, nothing allocated beyond [`SPECIAL_LIMIT`] whatever a
//! header claims. What it is not: it knows no file tree (see [`crate::tree`]), decompresses nothing and writes nowhere.
//!
//! It reads as the container runtimes do (Go's `archive/tar`), because two readers that disagree about one archive are how
//! hostile archives hide a member. A general archive crate reads long names of any length into memory.
//!
//! Start with [`LayerReader::next_member`].

use std::io::{self, Read, Write};

/// The size of a header and the unit of contents.
const BLOCK: usize = 512;
/// The most a long name or a PAX header may hold; Go's reader has the same limit.
pub const SPECIAL_LIMIT: u64 = 1 << 20;

/// Why a layer cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The stream failed: a broken download, a broken compression.
    #[error("the layer's stream cannot be read at byte {at}: {cause}")]
    Stream {
        /// The offset in the decompressed stream.
        at: u64,
        /// What failed.
        cause: io::Error,
    },
    /// The bytes are no tar stream, or a damaged one.
    #[error("the layer is no valid tar stream at byte {at}: {what}")]
    Malformed {
        /// The offset in the decompressed stream.
        at: u64,
        /// What was expected and not found.
        what: String,
    },
    /// A file's content cannot be kept.
    #[error("the content of a layer cannot be written to its spool: {0}")]
    Spool(io::Error),
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A file with contents.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of an earlier member.
    HardLink,
    /// A character device, a block device or a named pipe.
    Device,
    /// A file with holes, which no image builder writes.
    Sparse,
    /// A type nobody defined, as its byte.
    Other(u8),
}

/// One member of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, as written.
    pub path: Vec<u8>,
    /// What a link points to, as written.
    pub link: Vec<u8>,
    /// What it is.
    pub kind: MemberKind,
    /// Permission bits with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Seconds since 1970.
    pub modified: i64,
    /// Bytes of content.
    pub size: u64,
}

/// Reads a layer's members in order.
pub struct LayerReader<R> {
    input: R,
    /// Bytes read so far.
    at: u64,
    /// Content of the current member not yet read, then its padding.
    content: u64,
    padding: u64,
    /// Records of global PAX headers.
    global: Extension,
    buffer: Vec<u8>,
}

/// What PAX and GNU headers say about the next member.
#[derive(Clone, Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    modified: Option<i64>,
    sparse: bool,
}

impl<R: Read> LayerReader<R> {
    /// Reads from `input`, a decompressed stream.
    pub fn new(input: R) -> Self {
        let buffer = vec![0; 256 << 10];
        Self { input, at: 0, content: 0, padding: 0, global: Extension::default(), buffer }
    }

    /// How many bytes of the stream were read.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The next member; `None` at the end of the archive. What was left of the previous content is passed over.
    pub fn next_member(&mut self) -> Result<Option<Member>, LayerError> {
        let mut extension = self.global.clone();
        loop {
            let rest = self.content + self.padding;
            self.pass_over(rest)?;
            (self.content, self.padding) = (0, 0);
            let begun = self.at;
            let Some(header) = self.header()? else { return Ok(None) };
            let size =
                number(&header[124..136]).ok_or_else(|| malformed(begun, "a size that is a number"))?;
            match header[156] {
                b'L' => extension.path = Some(self.special(size, begun).map(until_nul)?),
                b'K' => extension.link = Some(self.special(size, begun).map(until_nul)?),
                b'x' => extend(&mut extension, &self.special(size, begun)?, begun)?,
                b'g' => {
                    let records = self.special(size, begun)?;
                    extend(&mut self.global, &records, begun)?;
                    extend(&mut extension, &records, begun)?;
                }
                _ => return self.member(&header, size, &extension, begun).map(Some),
            }
        }
    }

    fn member(
        &mut self,
        header: &[u8; BLOCK],
        size: u64,
        extension: &Extension,
        begun: u64,
    ) -> Result<Member, LayerError> {
        let field = |name: &str, range: std::ops::Range<usize>| {
            number(&header[range]).ok_or_else(|| malformed(begun, &format!("{name} that is a number")))
        };
        let path = extension.path.clone().unwrap_or_else(|| name(header));
        let link = extension.link.clone().unwrap_or_else(|| until_nul(header[157..257].to_vec()));
        let mut kind = match header[156] {
            b'0' | 0 | b'7' if path.ends_with(b"/") => MemberKind::Directory,
            b'0' | 0 | b'7' => MemberKind::File,
            b'1' => MemberKind::HardLink,
            b'2' => MemberKind::Symlink,
            b'3' | b'4' | b'6' => MemberKind::Device,
            b'5' => MemberKind::Directory,
            b'S' => MemberKind::Sparse,
            other => MemberKind::Other(other),
        };
        if header[156] == b'S' {
            let mut more = header[482] != 0;
            while more {
                let block = self.block()?.ok_or_else(|| malformed(self.at, "the rest of a sparse header"))?;
                more = block[504] != 0;
            }
        }
        if extension.sparse && kind == MemberKind::File {
            kind = MemberKind::Sparse;
        }
        // As Go reads it: only these have content, whatever the size field of the others says.
        let size = match kind {
            MemberKind::File | MemberKind::Sparse | MemberKind::Other(_) => extension.size.unwrap_or(size),
            _ => 0,
        };
        self.content = size;
        self.padding = padding(size);
        if size.checked_add(self.padding).is_none() {
            return Err(malformed(begun, "a size that fits into the archive"));
        }
        let id = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Ok(Member {
            path,
            link,
            kind,
            mode: u32::try_from(field("a mode", 100..108)? & 0o7777).unwrap_or(0),
            uid: id(extension.uid.map_or_else(|| field("an owner", 108..116), Ok)?),
            gid: id(extension.gid.map_or_else(|| field("a group", 116..124), Ok)?),
            modified: extension
                .modified
                .map_or_else(|| field("a time", 136..148).map(|time| i64::try_from(time).unwrap_or(0)), Ok)?,
            size,
        })
    }

    /// Writes the current member's content to `output`.
    pub fn copy_content(&mut self, output: &mut impl Write) -> Result<(), LayerError> {
        while self.content > 0 {
            let want = usize::try_from(self.content).unwrap_or(usize::MAX).min(self.buffer.len());
            let got = self.input.read(&mut self.buffer[..want]);
            let got = match got {
                Ok(0) => return Err(malformed(self.at, "the rest of a file's content, but the stream ends")),
                Ok(got) => got,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(LayerError::Stream { at: self.at, cause }),
            };
            self.at += got as u64;
            self.content -= got as u64;
            output.write_all(&self.buffer[..got]).map_err(LayerError::Spool)?;
        }
        Ok(())
    }

    /// The content of a header that describes the next member.
    fn special(&mut self, size: u64, begun: u64) -> Result<Vec<u8>, LayerError> {
        if size > SPECIAL_LIMIT {
            let what = format!("a long name or PAX header of at most {SPECIAL_LIMIT} bytes, not {size}");
            return Err(malformed(begun, &what));
        }
        self.content = size;
        self.padding = padding(size);
        let mut bytes = Vec::new();
        self.copy_content(&mut bytes)?;
        Ok(bytes)
    }

    fn pass_over(&mut self, bytes: u64) -> Result<(), LayerError> {
        let mut left = bytes;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            match self.input.read(&mut self.buffer[..want]) {
                // Archives whose last padding was cut off are common and harmless.
                Ok(0) if left <= self.padding => return Ok(()),
                Ok(0) => return Err(malformed(self.at, "the rest of a file's content, but the stream ends")),
                Ok(got) => {
                    self.at += got as u64;
                    left -= got as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(LayerError::Stream { at: self.at, cause }),
            }
        }
        Ok(())
    }

    /// The next header whose checksum holds; `None` at the end.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, LayerError> {
        let begun = self.at;
        let Some(block) = self.block()? else { return Ok(None) };
        if block.iter().all(|byte| *byte == 0) {
            return match self.block()? {
                None => Ok(None),
                Some(next) if next.iter().all(|byte| *byte == 0) => Ok(None),
                Some(_) => Err(malformed(begun, "two empty blocks at the end of the archive, not one")),
            };
        }
        if !holds(&block) {
            return Err(malformed(begun, "a header whose checksum holds"));
        }
        Ok(Some(block))
    }

    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, LayerError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(malformed(self.at, "a whole block, but the stream ends")),
                Ok(got) => {
                    filled += got;
                    self.at += got as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(LayerError::Stream { at: self.at, cause }),
            }
        }
        Ok(Some(block))
    }
}

fn malformed(at: u64, expected: &str) -> LayerError {
    LayerError::Malformed { at, what: format!("expected {expected}") }
}

/// Whether a header's checksum holds: the sum of its bytes with blanks for the checksum itself. Old programs summed signed bytes.
fn holds(block: &[u8; BLOCK]) -> bool {
    let Some(stored) = number(&block[148..156]) else { return false };
    let others = || block[..148].iter().chain(&block[156..]);
    let blanks = u32::from(b' ') * 8;
    let unsigned = blanks + others().map(|byte| u32::from(*byte)).sum::<u32>();
    stored == u64::from(unsigned) || {
        let signed = blanks.cast_signed() + others().map(|byte| i32::from(byte.cast_signed())).sum::<i32>();
        i64::try_from(stored) == Ok(i64::from(signed))
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

/// A header's name: with the prefix that POSIX headers have and GNU headers do not.
fn name(header: &[u8; BLOCK]) -> Vec<u8> {
    let name = until_nul(header[..100].to_vec());
    let prefix = until_nul(header[345..500].to_vec());
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() {
        return [prefix.as_slice(), b"/", name.as_slice()].concat();
    }
    name
}

/// A number field: octal text, or binary when the first bit is set. A negative number counts as 0.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        if field[0] & 0x40 != 0 {
            return Some(0);
        }
        let mut value = u64::from(field[0] & 0x3f);
        for byte in &field[1..] {
            value = value.checked_mul(256)? | u64::from(*byte);
        }
        return Some(value);
    }
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    if text.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

/// Lays the records of a PAX header into `extension`: `LENGTH KEY=VALUE\n`, the length counting all of it.
fn extend(extension: &mut Extension, mut records: &[u8], at: u64) -> Result<(), LayerError> {
    let bad = || malformed(at, "PAX records (LENGTH KEY=VALUE)");
    while !records.is_empty() && records[0] != 0 {
        let space = records.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
        let length: usize =
            std::str::from_utf8(&records[..space]).ok().and_then(|t| t.parse().ok()).ok_or_else(bad)?;
        if length <= space + 1 || length > records.len() || records[length - 1] != b'\n' {
            return Err(bad());
        }
        let record = &records[space + 1..length - 1];
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        let decimal = || std::str::from_utf8(value).ok().and_then(|t| t.parse::<u64>().ok()).ok_or_else(bad);
        match key {
            b"path" | b"linkpath" if value.contains(&0) => return Err(bad()),
            // An empty value takes an earlier record back.
            b"path" => extension.path = (!value.is_empty()).then(|| value.to_vec()),
            b"linkpath" => extension.link = (!value.is_empty()).then(|| value.to_vec()),
            b"size" => extension.size = Some(decimal()?),
            b"uid" => extension.uid = Some(decimal()?),
            b"gid" => extension.gid = Some(decimal()?),
            b"mtime" => extension.modified = seconds(value),
            _ if key.starts_with(b"GNU.sparse.") => extension.sparse = true,
            _ => {}
        }
        records = &records[length..];
    }
    Ok(())
}

/// The whole seconds of `1700000000.123`.
fn seconds(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.split('.').next()?.parse().ok()
}
