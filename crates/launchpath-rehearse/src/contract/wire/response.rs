//! One exchange: the request out, the answer back, within limits.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::body::{self, Framing};
use super::request::Request;

/// How much is read at most, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From sending to the last byte.
    pub time: Duration,
    /// Bytes of the body that are kept; what follows is read and counted, up to sixteen times as much.
    pub body: usize,
    /// Reading may stop once this holds of the body so far: an answer on a stream that stays open.
    pub until: Option<fn(&[u8]) -> bool>,
}

/// Bytes of status line and headers.
const MAX_HEAD: usize = 64 * 1024;
/// Headers of one answer.
const MAX_HEADERS: usize = 200;
/// Interim answers (100, 103) before the real one.
const MAX_INTERIM: usize = 8;
/// Bytes kept of what is not HTTP.
const FOREIGN_KEPT: usize = 160;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it is kept.
    pub body: Vec<u8>,
    /// False when the body went on past what is kept, or was still coming when the time was up.
    pub whole: bool,
    /// From sending to the last byte read.
    pub took: Duration,
}

impl Answer {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The media type, in lower case and without parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What came of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Answered(Answer),
    /// Nothing, or no whole answer, within the time.
    NoAnswer {
        /// How long it was waited for.
        waited: Duration,
        /// Bytes that came.
        received: usize,
    },
    /// The connection was closed before an answer.
    Closed {
        /// When.
        after: Duration,
    },
    /// Bytes that are not HTTP; the first of them.
    NotHttp(Vec<u8>),
    /// HTTP that breaks its own rules, and how.
    Invalid(String),
    /// No connection.
    NotConnected(String),
}

/// Sends a request and reads the answer.
pub fn exchange(stream: TcpStream, request: &Request, limits: Limits) -> Outcome {
    let mut wire = match Wire::send(stream, request, limits.time) {
        Ok(wire) => wire,
        Err(outcome) => return outcome,
    };
    match wire.answer(request, limits) {
        Ok(answer) => Outcome::Answered(answer),
        Err(Trouble::Time) => Outcome::NoAnswer { waited: wire.spent(), received: wire.received },
        Err(Trouble::Closed) => Outcome::Closed { after: wire.spent() },
        Err(Trouble::Foreign(bytes)) => Outcome::NotHttp(bytes),
        Err(Trouble::Invalid(how)) => Outcome::Invalid(how),
    }
}

/// Why reading ended early.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Time,
    Closed,
    Foreign(Vec<u8>),
    Invalid(String),
}

/// A connection with a deadline.
pub(super) struct Wire {
    stream: TcpStream,
    started: Instant,
    deadline: Instant,
    /// Bytes read and not used yet.
    pending: Vec<u8>,
    at: usize,
    pub(super) received: usize,
}

impl Wire {
    pub(super) fn send(mut stream: TcpStream, request: &Request, time: Duration) -> Result<Self, Outcome> {
        let started = Instant::now();
        // Without it a small request can wait 40 ms for an acknowledgement; that it cannot be set is no failure.
        let _ = stream.set_nodelay(true);
        let sent =
            stream.set_write_timeout(Some(at_least(time))).and_then(|()| stream.write_all(&request.bytes()));
        match sent {
            Ok(()) => {}
            // A server may answer, and close, before it has read the whole request.
            Err(error) if is_closed(&error) => {}
            Err(error) if is_time(&error) => {
                return Err(Outcome::NoAnswer { waited: started.elapsed(), received: 0 });
            }
            Err(error) => return Err(Outcome::NotConnected(error.to_string())),
        }
        Ok(Self { stream, started, deadline: started + time, pending: Vec::new(), at: 0, received: 0 })
    }

    pub(super) fn spent(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Reads what has come; false at the end of the stream.
    fn fill(&mut self) -> Result<bool, Trouble> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::Time);
        }
        if self.stream.set_read_timeout(Some(at_least(left))).is_err() {
            return Err(Trouble::Closed);
        }
        if self.at > 0 {
            self.pending.drain(..self.at);
            self.at = 0;
        }
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.received += count;
                self.pending.extend_from_slice(&piece[..count]);
                Ok(true)
            }
            Err(error) if is_time(&error) => Err(Trouble::Time),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            // Reset by the server: for a reader the end of the stream.
            Err(_) => Ok(false),
        }
    }

    fn rest(&self) -> &[u8] {
        &self.pending[self.at..]
    }

    /// Takes up to `most` bytes; empty at the end of the stream.
    pub(super) fn take(&mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        while self.rest().is_empty() {
            if !self.fill()? {
                return Ok(Vec::new());
            }
        }
        let count = self.rest().len().min(most);
        let taken = self.rest()[..count].to_vec();
        self.at += count;
        Ok(taken)
    }

    /// Takes a line without its end, of at most `most` bytes.
    pub(super) fn line(&mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        loop {
            if let Some(end) = self.rest().iter().take(most + 2).position(|byte| *byte == b'\n') {
                let line = self.rest()[..end].to_vec();
                self.at += end + 1;
                return Ok(line.strip_suffix(b"\r").map_or(line.clone(), <[u8]>::to_vec));
            }
            if self.rest().len() > most + 1 {
                return Err(Trouble::Invalid(format!("a line of more than {most} bytes in the head")));
            }
            if !self.fill()? {
                return Err(Trouble::Closed);
            }
        }
    }

    pub(super) fn answer(&mut self, request: &Request, limits: Limits) -> Result<Answer, Trouble> {
        let mut head = self.head()?;
        for _ in 0..MAX_INTERIM {
            if head.status >= 200 || head.status == 101 {
                break;
            }
            head = self.head()?;
        }
        if head.status < 200 && head.status != 101 {
            return Err(Trouble::Invalid("interim answers without end".to_owned()));
        }
        let framing = Framing::of(head.status, &head.headers, request.method).map_err(Trouble::Invalid)?;
        let (body, whole) = body::read(self, framing, limits)?;
        Ok(Answer { status: head.status, headers: head.headers, body, whole, took: self.spent() })
    }

    fn head(&mut self) -> Result<Head, Trouble> {
        self.expect_http()?;
        let mut left = MAX_HEAD;
        let status_line = self.line(left)?;
        left = left.saturating_sub(status_line.len());
        let status = status(&status_line)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line(left)?;
            left = left.saturating_sub(line.len() + 2);
            if line.is_empty() {
                return Ok(Head { status, headers });
            }
            if left == 0 || headers.len() >= MAX_HEADERS {
                return Err(Trouble::Invalid(format!(
                    "headers of more than {MAX_HEAD} bytes or {MAX_HEADERS} lines"
                )));
            }
            headers.push(header(&line)?);
        }
    }

    /// Looks at the first bytes before a line is waited for that may never end.
    fn expect_http(&mut self) -> Result<(), Trouble> {
        const START: &[u8] = b"HTTP/1.";
        loop {
            let seen = self.rest().len().min(START.len());
            if self.rest()[..seen] != START[..seen] {
                // What follows the first bytes at once says more about what it is.
                if self.rest().len() < FOREIGN_KEPT {
                    let pause = Instant::now() + Duration::from_millis(100);
                    let deadline = std::mem::replace(&mut self.deadline, pause);
                    let _ = self.fill();
                    self.deadline = deadline;
                }
                let kept = self.rest().len().min(FOREIGN_KEPT);
                return Err(Trouble::Foreign(self.rest()[..kept].to_vec()));
            }
            if seen == START.len() {
                return Ok(());
            }
            if !self.fill()? {
                return Err(match self.rest() {
                    [] => Trouble::Closed,
                    some => Trouble::Foreign(some.to_vec()),
                });
            }
        }
    }
}

struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

/// `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Result<u16, Trouble> {
    let invalid = || Trouble::Invalid(format!("the status line {:?}", shown(line)));
    let text = std::str::from_utf8(line).or_else(|error| std::str::from_utf8(&line[..error.valid_up_to()]));
    let text = text.map_err(|_| invalid())?;
    let mut words = text.split(' ');
    let version = words.next().unwrap_or_default();
    let digits = words.next().unwrap_or_default();
    if !matches!(version, "HTTP/1.0" | "HTTP/1.1") || digits.len() != 3 {
        return Err(invalid());
    }
    digits.parse().ok().filter(|status| (100..1000).contains(status)).ok_or_else(invalid)
}

fn header(line: &[u8]) -> Result<(String, String), Trouble> {
    let invalid = || Trouble::Invalid(format!("the header line {:?}", shown(line)));
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(invalid)?;
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| invalid())?;
    let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token {
        return Err(invalid());
    }
    let value = String::from_utf8_lossy(&line[colon + 1..]).trim().to_owned();
    if value.chars().any(|c| c == '\0' || c == '\r') {
        return Err(invalid());
    }
    Ok((name.to_ascii_lowercase(), value))
}

/// The beginning of what came, for a message.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned()
}

/// The system takes no time-out of zero.
fn at_least(time: Duration) -> Duration {
    time.max(Duration::from_millis(1))
}

fn is_time(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
