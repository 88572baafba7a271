//! HTTP for registries and engines: one request at a time, bounded in time and size.
//!
//! Synchronous outside, a runtime of its own inside; so it must not be used inside another runtime.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin.
const ANSWER: Duration = Duration::from_mins(1);
/// How long a body may say nothing.
const SILENCE: Duration = Duration::from_mins(1);
pub(crate) const USER_AGENT: &str = concat!("launchpath/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// No runtime, no certificates.
    #[error("no connection can be made from here: {0}")]
    Setup(io::Error),
    /// The request cannot be written.
    #[error("the address cannot be asked: {0}")]
    Request(#[from] hyper::http::Error),
    /// Plain HTTP to something that is not on this machine.
    #[error("plain HTTP is used on this machine only")]
    Plain,
    /// No connection, or it broke.
    #[error("no answer: {0}")]
    Connection(String),
    /// Too slow.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
}

type Plain = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;
type Tunnelled = Client<HttpsConnector<Tunnel<HttpConnector>>, Full<Bytes>>;

/// A client with its runtime.
pub(crate) struct Http {
    runtime: Runtime,
    direct: Plain,
    proxies: Matcher,
    loopback: Loopback,
}

/// Whether plain HTTP to this machine is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loopback {
    Allowed,
    Refused,
}

/// An answer whose body is still to come.
pub(crate) struct Answer<'h> {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body<'h>,
}

impl Http {
    /// Reads the machine's certificate authorities.
    pub(crate) fn new(loopback: Loopback) -> Result<Self, HttpError> {
        let runtime = runtime()?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_native_roots().map_err(HttpError::Setup)?;
        let connector = builder.https_or_http().enable_http1().wrap_connector(connector);
        let direct = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { runtime, direct, proxies: Matcher::from_env(), loopback })
    }

    /// Sends a request. Redirections are the caller's.
    pub(crate) fn send(
        &self,
        method: Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer<'_>, HttpError> {
        let local = is_loopback(uri.host().unwrap_or_default());
        let secure = uri.scheme_str() == Some("https");
        if !(secure || local && self.loopback == Loopback::Allowed) {
            return Err(HttpError::Plain);
        }
        let mut request = Request::builder().method(method).uri(uri).header("user-agent", USER_AGENT);
        if let Some(all) = request.headers_mut() {
            all.extend(headers.clone());
        }
        let request = request.body(Full::new(body))?;
        let proxy = if local { None } else { self.proxies.intercept(uri) };
        let sent = async {
            match proxy {
                None => self.direct.request(request).await,
                Some(proxy) => tunnelled(&proxy)?.request(request).await,
            }
            .map_err(|error| HttpError::Connection(chain(&error)))
        };
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(ANSWER, sent).await.map_err(|_| HttpError::Timeout(ANSWER))?
        })?;
        let (parts, body) = answer.into_parts();
        let body = Body { runtime: &self.runtime, body, piece: Bytes::new() };
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

pub(crate) fn runtime() -> Result<Runtime, HttpError> {
    // One worker reads from the network while the caller decompresses.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_io().enable_time().build().map_err(HttpError::Setup)
}

fn tunnelled(proxy: &hyper_util::client::proxy::matcher::Intercept) -> Result<Tunnelled, HttpError> {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.enforce_http(false);
    let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
    if let Some(auth) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(auth.clone());
    }
    let builder = HttpsConnectorBuilder::new().with_native_roots().map_err(HttpError::Setup)?;
    let connector = builder.https_only().enable_http1().wrap_connector(tunnel);
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// An error with its causes: the outermost alone says "client error".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A body, read as it comes.
pub(crate) struct Body<'h> {
    runtime: &'h Runtime,
    body: Incoming,
    piece: Bytes,
}

impl<'h> Body<'h> {
    pub(crate) fn new(runtime: &'h Runtime, body: Incoming) -> Self {
        Self { runtime, body, piece: Bytes::new() }
    }

    /// All of it, when it is not longer than `limit`.
    pub(crate) fn all(self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
        }
        Ok(bytes)
    }
}

impl Read for Body<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let next =
                self.runtime.block_on(async { tokio::time::timeout(SILENCE, self.body.frame()).await });
            let silent = |_| io::Error::from(io::ErrorKind::TimedOut);
            let Some(frame) = next.map_err(silent)? else { return Ok(0) };
            let frame = frame.map_err(|error| io::Error::other(chain(&error)))?;
            self.piece = frame.into_data().unwrap_or_default();
        }
        let length = self.piece.len().min(output.len());
        self.piece.copy_to_slice(&mut output[..length]);
        Ok(length)
    }
}
