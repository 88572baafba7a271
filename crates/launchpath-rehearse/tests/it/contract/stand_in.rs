//! A stand-in for a process: a thread that listens, and an end and output that the test scripts.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use launchpath_rehearse::contract::terms::Artifact;
use launchpath_rehearse::contract::{Keep, Mask, Observations, Progress, Protocol, Terms, hold};
use launchpath_rehearse::subject::{Attempt, BlindSpot, Exit, Listener, Printed, Stream, Subject, Usage};

pub(crate) const SESSION: &str = "launchpath-test-session-0000000000001";

/// The stand-in.
pub(crate) struct StandIn {
    started: Instant,
    /// What each port of the contract leads to here.
    pub(crate) ports: Arc<Mutex<Vec<(u16, u16)>>>,
    pub(crate) listeners: Option<Vec<Listener>>,
    pub(crate) exit: Arc<Mutex<Option<Exit>>>,
    pub(crate) attempts: Option<Vec<Attempt>>,
    pub(crate) usage: Usage,
    pub(crate) blind: BTreeSet<BlindSpot>,
    output: Option<Receiver<Printed>>,
}

impl StandIn {
    /// A process that prints this and listens nowhere.
    pub(crate) fn printing(text: &str) -> Self {
        let (send, receive) = channel();
        let bytes = text.as_bytes().to_vec();
        send.send(Printed { at: Duration::ZERO, stream: Stream::Out, bytes }).unwrap();
        Self {
            started: Instant::now(),
            ports: Arc::default(),
            listeners: Some(Vec::new()),
            exit: Arc::default(),
            attempts: Some(Vec::new()),
            usage: Usage::default(),
            blind: BTreeSet::new(),
            output: Some(receive),
        }
    }

    /// A process whose `port` is answered by `serve`, one connection per thread.
    pub(crate) fn serving(port: u16, serve: impl Fn(Call) + Send + Sync + 'static) -> Self {
        let mut stand_in = Self::printing("listening\n");
        stand_in.serve(port, serve);
        stand_in
    }

    pub(crate) fn serve(&mut self, port: u16, serve: impl Fn(Call) + Send + Sync + 'static) {
        let here = listen(serve);
        self.ports.lock().unwrap().push((port, here));
        let at = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        self.listeners.get_or_insert_default().push(Listener { at });
    }

    /// Probes it for a second or two at most and returns what was seen.
    pub(crate) fn hold(mut self, terms: &Terms) -> Observations {
        let stop = AtomicBool::new(false);
        let mask = Mask::of([("API_KEY", "very-secret-value")]);
        hold(&mut self, terms, &mask, Keep::Tail, &stop, &mut |_: Progress<'_>| {})
    }
}

impl Subject for StandIn {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn address(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2))
    }

    fn connect(&self, port: u16, timeout: Duration) -> io::Result<TcpStream> {
        let ports = self.ports.lock().unwrap();
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let (_, here) = ports.iter().find(|(known, _)| *known == port).ok_or_else(refused)?;
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, *here)), timeout)
    }

    fn listeners(&self) -> Option<Vec<Listener>> {
        self.listeners.clone()
    }

    fn take_output(&mut self) -> Option<Receiver<Printed>> {
        self.output.take()
    }

    fn exited(&mut self) -> Option<Exit> {
        self.exit.lock().unwrap().clone()
    }

    fn attempts(&self) -> Option<Vec<Attempt>> {
        self.attempts.clone()
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn blind_spots(&self) -> BTreeSet<BlindSpot> {
        self.blind.clone()
    }

    fn stop(&mut self) {}
}

/// Listens on a free port of loopback and serves each connection on a thread.
pub(crate) fn listen(serve: impl Fn(Call) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || {
                if let Some(call) = Call::read(stream) {
                    serve(call);
                }
            });
        }
    });
    port
}

/// A request as a server read it, and the way to answer.
pub(crate) struct Call {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
    pub(crate) stream: TcpStream,
}

impl Call {
    fn read(mut stream: TcpStream) -> Option<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head
            .lines()
            .find_map(|line| {
                line.to_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
            })
            .unwrap_or(0);
        while bytes.len() < end + 4 + length {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
        }
        let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
        let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        Some(Self { line, head, body, stream })
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Answers with raw bytes.
    pub(crate) fn raw(mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Answers with JSON.
    pub(crate) fn json(self, status: u16, body: &str) {
        self.typed(status, "application/json", body);
    }

    /// Answers with a body of a type.
    pub(crate) fn typed(self, status: u16, kind: &str, body: &str) {
        let head = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        self.raw(format!("{head}{body}").as_bytes());
    }
}

/// The terms of a protocol with little patience.
pub(crate) fn terms(protocol: Protocol) -> Terms {
    let mut terms = Terms::of(protocol, Artifact::Container, SESSION);
    terms.patience = Duration::from_secs(2);
    terms.request_patience = Duration::from_secs(20);
    terms
}

/// A sound HTTP agent.
pub(crate) fn sound(call: Call) {
    match call.line.as_str() {
        "GET /ping" => call.json(200, r#"{"status": "Healthy"}"#),
        "POST /invocations" => call.json(200, r#"{"result": "fine"}"#),
        _ => call.json(404, "{}"),
    }
}
