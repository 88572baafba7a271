//! One TCP connection to the service's side, in whichever role it was called.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use super::metadata::{Answer, Metadata, Request};

/// How long a conversation may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most that is read of a request.
const LARGEST: usize = 16 << 10;

/// What the process talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The metadata service.
    Metadata,
    /// The name server, over TCP.
    Resolver,
    /// Something that the plan lets through.
    StandIn,
}

/// A connection.
pub(super) struct Conversation {
    stream: TcpStream,
    role: Role,
    until: Instant,
    read: Vec<u8>,
    to_write: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Until there is a request.
    Reading,
    Writing,
    /// Until the other side has read the answer and closes.
    Closing,
    Over,
}

impl Conversation {
    pub(super) fn new(stream: TcpStream, role: Role) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        let until = Instant::now() + PATIENCE;
        Ok(Self { stream, role, until, read: Vec::new(), to_write: Vec::new(), stage: Stage::Reading })
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub(super) fn is_writing(&self) -> bool {
        self.stage == Stage::Writing
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over || Instant::now() > self.until
    }

    /// Reads or writes what is possible now. `resolve` answers a question about a name.
    pub(super) fn go_on(
        &mut self,
        metadata: &mut Metadata,
        resolve: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
    ) {
        if self.stage == Stage::Reading || self.stage == Stage::Closing {
            self.take_in();
        }
        if self.stage == Stage::Reading
            && let Some(answer) = self.answer(metadata, resolve)
        {
            self.to_write = answer;
            self.stage = Stage::Writing;
        }
        if self.stage == Stage::Writing {
            self.give_out();
        }
    }

    fn take_in(&mut self) {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece) {
            Ok(0) => self.stage = Stage::Over,
            Ok(_) if self.stage == Stage::Closing => {}
            Ok(length) if self.read.len() + length <= LARGEST => {
                self.read.extend(piece.get(..length).unwrap_or(&[]));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(_) | Err(_) => self.stage = Stage::Over,
        }
    }

    fn give_out(&mut self) {
        match self.stream.write(&self.to_write) {
            Ok(length) => {
                self.to_write.drain(..length.min(self.to_write.len()));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
            Err(_) => self.stage = Stage::Over,
        }
        if self.to_write.is_empty() && self.stage == Stage::Writing {
            let closed = self.stream.shutdown(Shutdown::Write);
            self.stage = if closed.is_ok() { Stage::Closing } else { Stage::Over };
        }
    }

    /// The answer, once the request is complete.
    fn answer(
        &self,
        metadata: &mut Metadata,
        resolve: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        match self.role {
            Role::Resolver => {
                let (length, message) = self.read.split_first_chunk::<2>()?;
                let message = message.get(..usize::from(u16::from_be_bytes(*length)))?;
                let answer = resolve(message).unwrap_or_default();
                let length = u16::try_from(answer.len()).unwrap_or(0).to_be_bytes();
                Some(length.into_iter().chain(answer).collect())
            }
            Role::Metadata => {
                let request = Request::parse(&head(&self.read)?);
                Some(http(&request.map_or_else(bad_request, |request| metadata.answer(&request))))
            }
            Role::StandIn => stand_in(&self.read),
        }
    }
}

/// A request up to its empty line, once that has arrived.
fn head(bytes: &[u8]) -> Option<String> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

/// Says that it was reached, in the protocol that it is addressed in, and that nothing is behind it.
fn stand_in(read: &[u8]) -> Option<Vec<u8>> {
    const CLIENT_HELLO: u8 = 22;
    // A fatal alert, version 1.2, "internal error": no certificate for the real name could be shown anyway.
    const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];
    const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH "];
    const TEXT: &str =
        "launchpath rehearsal: this name and port can be reached; a stand-in answers, not the real service\n";
    let first = read.first()?;
    if *first == CLIENT_HELLO {
        return Some(ALERT.to_vec());
    }
    if METHODS.iter().any(|method| read.starts_with(method.as_bytes())) {
        head(read)?;
        return Some(http(&Answer {
            status: "503 Service Unavailable",
            kind: "text/plain",
            header: None,
            body: TEXT.to_owned(),
        }));
    }
    Some(TEXT.as_bytes().to_vec())
}

fn bad_request() -> Answer {
    Answer { status: "400 Bad Request", kind: "text/plain", header: None, body: String::new() }
}

fn http(answer: &Answer) -> Vec<u8> {
    let Answer { status, kind, header, body } = answer;
    let further = header.as_ref().map(|(name, value)| format!("{name}: {value}\r\n")).unwrap_or_default();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{further}Connection: close\r\n\r\n{body}")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stand_in_answers_in_the_protocol_it_is_addressed_in() {
        assert_eq!(stand_in(b""), None);
        assert_eq!(stand_in(&[22, 3, 1]).unwrap()[..3], [21, 3, 3]);
        assert_eq!(stand_in(b"GET / HTTP/1.1\r\nHost: a\r\n"), None, "not complete");
        let answer = String::from_utf8(stand_in(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("stand-in"));
        assert!(stand_in(b"\x00\x00\x00\x08\x04\xd2\x16\x2f").unwrap().starts_with(b"launchpath"));
    }
}
