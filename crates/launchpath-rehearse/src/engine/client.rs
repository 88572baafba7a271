//! HTTP over the engine's Unix socket: as much of it as the engine's interface needs, one connection for each request.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::EngineError;

/// The version of the interface that both Docker and Podman have had for years.
const VERSION: &str = "/v1.40";

/// How long an engine may think about a request that does not wait for anything.
const PATIENCE: Duration = Duration::from_mins(2);

/// The most that is read of a document.
const LARGEST: u64 = 8 << 20;

/// Where an engine listens.
#[derive(Clone, Debug)]
pub(super) struct Client {
    socket: PathBuf,
}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Body,
}

impl Client {
    pub(super) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_path_buf() }
    }

    /// The error of a request that went nowhere.
    pub(super) fn unreachable(&self, step: &'static str, source: io::Error) -> EngineError {
        EngineError::Unreachable { step, socket: self.socket.clone(), source }
    }

    /// Sends a request with a document, or none, and reads the answer's document.
    pub(super) fn ask(&self, method: &str, path: &str, document: Option<&Value>) -> io::Result<(u16, Value)> {
        let answer = self.open(method, path, document, Some(PATIENCE))?;
        let mut bytes = Vec::new();
        answer.body.take(LARGEST).read_to_end(&mut bytes)?;
        Ok((answer.status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Sends a request whose answer comes as long as something goes on; `patience` is how long it may be silent.
    pub(super) fn open(
        &self,
        method: &str,
        path: &str,
        document: Option<&Value>,
        patience: Option<Duration>,
    ) -> io::Result<Answer> {
        let body = document.map(Value::to_string).unwrap_or_default();
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(patience)?;
        let length = body.len();
        let head = format!(
            "{method} {VERSION}{path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes())?;
        Answer::read(stream)
    }

    /// Sends what `write` writes, of whatever length.
    pub(super) fn upload(
        &self,
        path: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<(u16, String)> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let head = format!(
            "POST {VERSION}{path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\
             Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        let mut pieces = io::BufWriter::with_capacity(256 << 10, Pieces(stream));
        write(&mut pieces)?;
        let mut stream = pieces.into_inner().map_err(io::IntoInnerError::into_error)?.0;
        stream.write_all(b"0\r\n\r\n")?;
        let answer = Answer::read(stream)?;
        let mut text = String::new();
        answer.body.take(LARGEST).read_to_string(&mut text)?;
        Ok((answer.status, text))
    }
}

/// A text as a part of a path or a query.
pub(super) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Writes each piece with its length before it.
struct Pieces(UnixStream);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Answer {
    fn read(stream: UnixStream) -> io::Result<Self> {
        const MOST_HEADERS: usize = 200;
        let mut reader = BufReader::new(stream);
        let status = line(&mut reader)?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no HTTP answer"))?;
        let mut framing = if status == 204 || status == 304 { Framing::Length(0) } else { Framing::ToTheEnd };
        for _ in 0..MOST_HEADERS {
            let header = line(&mut reader)?.to_ascii_lowercase();
            if header.is_empty() {
                return Ok(Self { status, body: Body { reader, framing } });
            }
            match header.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
                Some(("transfer-encoding", "chunked")) => framing = Framing::Pieces(0),
                Some(("content-length", length)) if framing == Framing::ToTheEnd => {
                    framing = length.parse().map_or(Framing::ToTheEnd, Framing::Length);
                }
                _ => {}
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "an HTTP answer with too many headers"))
    }
}

fn line(reader: &mut BufReader<UnixStream>) -> io::Result<String> {
    const LONGEST: u64 = 64 << 10;
    let mut line = String::new();
    if reader.take(LONGEST).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The body of an answer.
pub(super) struct Body {
    reader: BufReader<UnixStream>,
    framing: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// Pieces with their length before them; so many bytes of this one are left.
    Pieces(u64),
    ToTheEnd,
}

impl Read for Body {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if let Framing::Pieces(0) = self.framing {
            let mut length = line(&mut self.reader)?;
            if length.is_empty() {
                // The end of the piece before.
                length = line(&mut self.reader)?;
            }
            let length =
                length.split(';').next().and_then(|length| u64::from_str_radix(length.trim(), 16).ok());
            let length = length
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a piece without a length"))?;
            self.framing = if length == 0 { Framing::Length(0) } else { Framing::Pieces(length) };
        }
        let (Framing::Length(left) | Framing::Pieces(left)) = self.framing else {
            return self.reader.read(bytes);
        };
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let read = self.reader.read(bytes.get_mut(..most).unwrap_or(&mut []))?;
        let left = left.saturating_sub(read as u64);
        self.framing = if matches!(self.framing, Framing::Pieces(_)) {
            Framing::Pieces(left)
        } else {
            Framing::Length(left)
        };
        Ok(read)
    }
}
