//! A service on loopback that answers as a test says: for what the emulator never does (throttle,
//! stay silent, page, refuse).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};

/// A request as it came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// `GetCallerIdentity` from a form or a target header, else method and path.
    pub(crate) operation: String,
    pub(crate) body: String,
    pub(crate) path: String,
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
}

/// An answer: status and body.
pub(crate) type Reply = (u16, String);

/// The service.
pub(crate) struct Fake {
    /// Its address.
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Fake {
    /// Starts it; `answer` gets each request and how often its operation was asked before.
    pub(crate) fn start(
        answer: impl Fn(&str, &Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (log, answer, own) = (Arc::clone(&received), Arc::new(answer), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer, own) = (Arc::clone(&log), Arc::clone(&answer), own.clone());
                std::thread::spawn(move || {
                    let _ = serve(&stream, |request| {
                        let before = {
                            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                            log.push(request.clone());
                            log.iter().filter(|other| other.operation == request.operation).count() - 1
                        };
                        answer(&own, request, before)
                    });
                });
            }
        });
        Ok(Self { url, received })
    }

    /// What came in so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often an operation was asked.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.received().iter().filter(|request| request.operation == operation).count()
    }
}

fn serve(stream: &TcpStream, answer: impl FnOnce(&Received) -> Reply) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().context("method")?, words.next().context("path")?);
    let mut request =
        Received { operation: format!("{method} {path}"), path: path.to_owned(), ..Received::default() };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse()?,
            "authorization" => request.authorization = Some(value.to_owned()),
            "x-amz-target" => value.rsplit('.').next().unwrap_or_default().clone_into(&mut request.operation),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    if let Some(action) = request.body.strip_prefix("Action=") {
        action.split('&').next().unwrap_or_default().clone_into(&mut request.operation);
    }
    let (status, body) = answer(&request);
    // A redirect names its Region in a header and has no body, as S3's answer to HEAD.
    let (moved, body) = if status == 301 {
        (format!("x-amz-bucket-region: {body}\r\n"), String::new())
    } else {
        (String::new(), body)
    };
    let head =
        format!("HTTP/1.1 {status} X\r\n{moved}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    (&*stream).write_all(format!("{head}{body}").as_bytes())?;
    Ok(())
}
