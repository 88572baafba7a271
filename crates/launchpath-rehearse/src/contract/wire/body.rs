//! How long a body is, and reading it.

use super::response::{Limits, Trouble, Wire};

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// Longest line before a chunk: its size and extensions.
const MAX_CHUNK_LINE: usize = 4096;
/// Lines after the last chunk.
const MAX_TRAILERS: usize = 100;
/// What is read beyond what is kept, as a multiple of it.
const READ_ON: u64 = 16;

impl Framing {
    pub(super) fn of(status: u16, headers: &[(String, String)], method: &str) -> Result<Self, String> {
        if method == "HEAD" || status == 101 || status == 204 || status == 304 {
            return Ok(Self::None);
        }
        let all = |name: &'static str| headers.iter().filter(move |(known, _)| known == name);
        let codings: Vec<String> = all("transfer-encoding")
            .flat_map(|(_, value)| value.split(',').map(|coding| coding.trim().to_ascii_lowercase()))
            .collect();
        if !codings.is_empty() {
            if codings != ["chunked"] {
                return Err(format!("the transfer encoding {:?}", codings.join(", ")));
            }
            if all("content-length").next().is_some() {
                return Err("both a length and chunks".to_owned());
            }
            return Ok(Self::Chunked);
        }
        let mut lengths = all("content-length").flat_map(|(_, value)| value.split(',').map(str::trim));
        let Some(first) = lengths.next() else { return Ok(Self::UntilClose) };
        if lengths.any(|other| other != first) {
            return Err("two different lengths".to_owned());
        }
        let digits = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
        match first.parse().ok().filter(|_| digits) {
            Some(length) => Ok(Self::Length(length)),
            None => Err(format!("the length {first:?}")),
        }
    }
}

/// What is kept of a body, and whether that is all of it.
struct Kept {
    bytes: Vec<u8>,
    limit: usize,
    seen: u64,
    until: Option<fn(&[u8]) -> bool>,
}

impl Kept {
    fn add(&mut self, piece: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len()).min(piece.len());
        self.bytes.extend_from_slice(&piece[..room]);
        self.seen += piece.len() as u64;
    }

    /// Whether what matters is here, or reading on would be endless.
    fn is_enough(&self) -> bool {
        self.seen > (self.limit as u64).saturating_mul(READ_ON)
            || self.until.is_some_and(|until| !self.bytes.is_empty() && until(&self.bytes))
    }

    fn end(self, finished: Finished) -> (Vec<u8>, bool) {
        let whole = finished == Finished::Yes && self.seen == self.bytes.len() as u64;
        (self.bytes, whole)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Finished {
    Yes,
    No,
}

/// Reads a body. Out of time in the middle of one is no failure: what came is kept, marked as not whole.
pub(super) fn read(wire: &mut Wire, framing: Framing, limits: Limits) -> Result<(Vec<u8>, bool), Trouble> {
    let mut kept = Kept { bytes: Vec::new(), limit: limits.body, seen: 0, until: limits.until };
    let finished = match framing {
        Framing::None => Ok(Finished::Yes),
        Framing::Length(length) => length_given(wire, length, &mut kept),
        Framing::Chunked => chunks(wire, &mut kept),
        Framing::UntilClose => until_close(wire, &mut kept),
    };
    match finished {
        Ok(finished) => Ok(kept.end(finished)),
        Err(Trouble::Time) if kept.seen > 0 => Ok(kept.end(Finished::No)),
        Err(trouble) => Err(trouble),
    }
}

fn length_given(wire: &mut Wire, length: u64, kept: &mut Kept) -> Result<Finished, Trouble> {
    while kept.seen < length {
        if kept.is_enough() {
            return Ok(Finished::No);
        }
        let left = usize::try_from(length - kept.seen).unwrap_or(usize::MAX);
        let piece = wire.take(left)?;
        if piece.is_empty() {
            let seen = kept.seen;
            return Err(Trouble::Invalid(format!("a body of {seen} bytes that was announced as {length}")));
        }
        kept.add(&piece);
    }
    Ok(Finished::Yes)
}

fn chunks(wire: &mut Wire, kept: &mut Kept) -> Result<Finished, Trouble> {
    loop {
        let line = cut(wire.line(MAX_CHUNK_LINE))?;
        let size = chunk_size(&line)?;
        if size == 0 {
            for _ in 0..MAX_TRAILERS {
                if cut(wire.line(MAX_CHUNK_LINE))?.is_empty() {
                    return Ok(Finished::Yes);
                }
            }
            return Err(Trouble::Invalid("trailers without end".to_owned()));
        }
        let mut left = size;
        while left > 0 {
            if kept.is_enough() {
                return Ok(Finished::No);
            }
            let piece = wire.take(usize::try_from(left).unwrap_or(usize::MAX))?;
            if piece.is_empty() {
                return Err(Trouble::Invalid("a chunk that was cut off".to_owned()));
            }
            left -= piece.len() as u64;
            kept.add(&piece);
        }
        match cut(wire.line(0)) {
            Ok(rest) if rest.is_empty() => {}
            Ok(_) | Err(Trouble::Invalid(_)) => {
                return Err(Trouble::Invalid("a chunk longer than announced".to_owned()));
            }
            Err(other) => return Err(other),
        }
    }
}

/// A stream that ends between chunks is an answer cut off, not a connection closed before one.
fn cut<T>(read: Result<T, Trouble>) -> Result<T, Trouble> {
    read.map_err(|trouble| match trouble {
        Trouble::Closed => Trouble::Invalid("chunks without the last one".to_owned()),
        other => other,
    })
}

fn chunk_size(line: &[u8]) -> Result<u64, Trouble> {
    let digits: &[u8] = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let text = std::str::from_utf8(digits).unwrap_or_default().trim_end();
    let is_hex = !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = u64::from_str_radix(text, 16).ok().filter(|_| is_hex);
    size.ok_or_else(|| {
        let shown = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
        Trouble::Invalid(format!("the chunk size {shown:?}"))
    })
}

fn until_close(wire: &mut Wire, kept: &mut Kept) -> Result<Finished, Trouble> {
    loop {
        if kept.is_enough() {
            return Ok(Finished::No);
        }
        let piece = wire.take(usize::MAX)?;
        if piece.is_empty() {
            return Ok(Finished::Yes);
        }
        kept.add(&piece);
    }
}
