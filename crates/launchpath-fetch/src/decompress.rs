//! A layer as it is stored to a tar stream: gzip, Zstandard or neither, told by its first bytes as runtimes do.

use std::io::{self, BufReader, Chain, Cursor, Read};

use launchpath_image::digest::{Digest, Hasher};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// A window that decoders must hold in memory; the format's recommendation is 8 MB.
const MAX_WINDOW: u64 = 128 << 20;

/// How something is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstandard,
}

impl Compression {
    /// Told by the first bytes.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A Zstandard frame, or a skippable frame (which seekable layers begin or end with).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstandard,
            _ => Self::None,
        }
    }
}

/// The decompressed bytes of `input`.
pub(crate) fn reader<'r>(mut input: impl Read + Send + 'r) -> io::Result<Box<dyn Read + Send + 'r>> {
    let (start, length) = four(&mut input)?;
    let compression = Compression::of(&start[..length]);
    let whole = Cursor::new(start).take(length as u64).chain(input);
    let whole = BufReader::with_capacity(256 << 10, whole);
    Ok(match compression {
        Compression::None => Box::new(whole),
        // Layers of several gzip members are common: parallel compressors and seekable formats write them.
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(whole)),
        Compression::Zstandard => Box::new(Zstandard { input: Some(whole), frame: None }),
    })
}

/// Four bytes, or as many as there are.
fn four(input: &mut impl Read) -> io::Result<([u8; 4], usize)> {
    let mut start = [0; 4];
    let mut length = 0;
    while length < start.len() {
        match input.read(&mut start[length..]) {
            Ok(0) => break,
            Ok(got) => length += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((start, length))
}

type Frame<R> = StreamingDecoder<Chain<Cursor<[u8; 4]>, R>, FrameDecoder>;

/// All frames of a stream, one after the other.
struct Zstandard<R: Read> {
    input: Option<R>,
    frame: Option<Frame<R>>,
}

impl<R: Read> Read for Zstandard<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let got = frame.read(output)?;
                if got > 0 || output.is_empty() {
                    return Ok(got);
                }
                self.input = self.frame.take().map(|frame| frame.into_inner().into_inner().1);
            }
            let Some(mut input) = self.input.take() else { return Ok(0) };
            let (start, length) = four(&mut input)?;
            if length == 0 {
                return Ok(0);
            }
            if let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = start {
                skip(&mut input)?;
                self.input = Some(input);
                continue;
            }
            let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
            let frame = Frame::new_with_max_window_size(Cursor::new(start).chain(input), MAX_WINDOW);
            self.frame = Some(frame.map_err(|error| invalid(error.to_string()))?);
        }
    }
}

/// Passes over the rest of a skippable frame: its length and so many bytes.
fn skip(input: &mut impl Read) -> io::Result<()> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let passed = io::copy(&mut input.take(length), &mut io::sink())?;
    if passed < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// Counts and hashes what passes, and ends with an error where there is more than there may be.
pub(crate) struct Measured<R> {
    inner: R,
    hasher: Hasher,
    bytes: u64,
    limit: u64,
}

impl<R: Read> Measured<R> {
    /// At most `limit` bytes of `inner`, with a digest like `like`.
    pub(crate) fn new(inner: R, like: Option<&Digest>, limit: u64) -> Self {
        Self { inner, hasher: like.map_or_else(Hasher::sha256, Digest::hasher), bytes: 0, limit }
    }

    /// Reads what is left.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(|_| ())
    }

    /// What passed.
    pub(crate) fn finish(self) -> (Digest, u64) {
        (self.hasher.finish(), self.bytes)
    }
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(output)?;
        self.bytes += got as u64;
        if self.bytes > self.limit {
            let text = format!("more than {} bytes", self.limit);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        self.hasher.update(&output[..got]);
        Ok(got)
    }
}
