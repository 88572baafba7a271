//! As much of WebSocket (RFC 6455) as the probe needs: the handshake, one message out, the first frame back.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use super::request::Request;
use super::response::{Outcome, Trouble, Wire};

/// The key of RFC 6455, section 1.3, and the answer to it. The key need not be secret, only the answer be derived from it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Masks what a client sends; against caches in between, of which there are none here.
const MASK: [u8; 4] = [0x1f, 0x2e, 0x3d, 0x4c];

/// What came of opening a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebSocket {
    /// It opened; the first frame that came, if one did.
    Opened(Option<Frame>),
    /// The server answered without switching protocols: it has no WebSocket here.
    NotOffered(u16),
    /// It switched, and broke the protocol's rules.
    Invalid(String),
    /// No answer at all.
    Failed(Outcome),
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// Opens a WebSocket, sends `message` as text and waits for a frame.
pub fn open(
    stream: TcpStream,
    request: Request,
    message: &[u8],
    time: Duration,
    largest: usize,
) -> WebSocket {
    let request = request
        .with("Connection", "Upgrade")
        .with("Upgrade", "websocket")
        .with("Sec-WebSocket-Version", "13")
        .with("Sec-WebSocket-Key", KEY);
    let mut wire = match Wire::send(stream, &request, time) {
        Ok(wire) => wire,
        Err(outcome) => return WebSocket::Failed(outcome),
    };
    let limits = super::Limits { time, body: 4096, until: None };
    let answer = match wire.answer(&request, limits) {
        Ok(answer) => answer,
        Err(Trouble::Time) => {
            return WebSocket::Failed(Outcome::NoAnswer { waited: wire.spent(), received: wire.received });
        }
        Err(Trouble::Closed) => return WebSocket::Failed(Outcome::Closed { after: wire.spent() }),
        Err(Trouble::Foreign(bytes)) => return WebSocket::Failed(Outcome::NotHttp(bytes)),
        Err(Trouble::Invalid(how)) => return WebSocket::Failed(Outcome::Invalid(how)),
    };
    if answer.status != 101 {
        return WebSocket::NotOffered(answer.status);
    }
    if answer.header("sec-websocket-accept") != Some(ACCEPT) {
        return WebSocket::Invalid("a handshake whose key was not answered".to_owned());
    }
    if wire.stream().write_all(&text_frame(message)).is_err() {
        return WebSocket::Opened(None);
    }
    match frame(&mut wire, largest) {
        Ok(frame) => WebSocket::Opened(Some(frame)),
        Err(Trouble::Invalid(how)) => WebSocket::Invalid(how),
        Err(_) => WebSocket::Opened(None),
    }
}

fn text_frame(message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match u16::try_from(message.len()) {
        Ok(length) if length < 126 => bytes.push(0x80 | u8::try_from(length).unwrap_or_default()),
        Ok(length) => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0xff);
            bytes.extend((message.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(message.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn frame(wire: &mut Wire, largest: usize) -> Result<Frame, Trouble> {
    let head = exactly(wire, 2)?;
    if head[0] & 0x70 != 0 {
        return Err(Trouble::Invalid("reserved bits in a frame".to_owned()));
    }
    if head[1] & 0x80 != 0 {
        return Err(Trouble::Invalid("a masked frame from a server".to_owned()));
    }
    let length = match head[1] & 0x7f {
        126 => {
            let bytes = exactly(wire, 2)?;
            u64::from(u16::from_be_bytes([bytes[0], bytes[1]]))
        }
        127 => exactly(wire, 8)?.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
        short => u64::from(short),
    };
    match usize::try_from(length) {
        Ok(length) if length <= largest => {
            Ok(Frame { opcode: head[0] & 0x0f, payload: exactly(wire, length)? })
        }
        _ => Err(Trouble::Invalid(format!("a frame of {length} bytes; at most {largest} are allowed"))),
    }
}

fn exactly(wire: &mut Wire, count: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let piece = wire.take(count - bytes.len())?;
        if piece.is_empty() {
            return Err(Trouble::Closed);
        }
        bytes.extend(piece);
    }
    Ok(bytes)
}
