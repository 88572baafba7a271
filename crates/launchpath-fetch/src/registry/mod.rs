//! Images in a registry, through the distribution interface.
//!
//! OCI: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>. Plain HTTP only to this machine. A token or a
//! password goes to the registry and its token service, never to where a redirection leads (layers lie on other hosts).
//!
//! Start with [`Registry::open`].

mod challenge;
mod credentials;
mod reference;

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE,
};
use hyper::{Method, StatusCode, Uri};
use launchpath_image::document::{self, media_type};
use serde::Deserialize;

pub use credentials::{Credentials, Secret, credential_files};
pub use reference::Reference;

use crate::error::FetchError;
use crate::http::{Answer, Http, HttpError, Loopback, is_loopback};
use crate::store::{DocumentKind, Layer, MAX_DOCUMENT, Start, Store};
use challenge::Challenge;
use credentials::Kept;

/// Redirections of one request.
const MAX_REDIRECTS: usize = 5;
/// An error's text, or a token.
const MAX_ANSWER: u64 = 256 << 10;
/// Waiting times before a request is sent again.
const PAUSES: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(1500)];

/// An image in a registry.
pub(crate) struct Registry {
    http: Http,
    reference: Reference,
    kept: Kept,
    /// What proved to be right, for the requests that follow.
    authorization: Mutex<Option<HeaderValue>>,
}

/// What the registry may be asked for.
#[derive(Clone, Copy)]
enum Part<'p> {
    Manifest(&'p str),
    Blob(&'p str),
}

impl Registry {
    /// Prepares for asking; nothing is sent yet. Credentials that are given win over those that are kept.
    pub(crate) fn open(
        reference: Reference,
        given: Option<Credentials>,
        files: &[std::path::PathBuf],
    ) -> Result<Self, FetchError> {
        let local =
            reference.host().parse::<hyper::http::uri::Authority>().is_ok_and(|a| is_loopback(a.host()));
        let loopback = if local { Loopback::Allowed } else { Loopback::Refused };
        let http = Http::new(loopback).map_err(|error| unreachable(&reference, &error))?;
        let kept = match given {
            Some(credentials) => Kept { credentials: Some(credentials), helper: None },
            None => credentials::kept(files, &reference.registry, &reference.repository),
        };
        Ok(Self { http, reference, kept, authorization: Mutex::new(None) })
    }

    fn uri(&self, part: Part<'_>) -> Result<Uri, FetchError> {
        let host = self.reference.host();
        let local = host.parse::<hyper::http::uri::Authority>().is_ok_and(|a| is_loopback(a.host()));
        let scheme = if local { "http" } else { "https" };
        let (kind, name) = match part {
            Part::Manifest(name) => ("manifests", name),
            Part::Blob(name) => ("blobs", name),
        };
        let text = format!("{scheme}://{host}/v2/{}/{kind}/{name}", self.reference.repository);
        text.parse().map_err(|_| self.refused(&format!("{text} is no valid address")))
    }

    /// Asks, proving who asks when the registry wants that, and takes only an answer that says yes.
    fn get(&self, part: Part<'_>) -> Result<Answer<'_>, FetchError> {
        let uri = self.uri(part)?;
        let known = self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = self.send(&uri, known.as_ref())?;
        // Once more when a token was missing, or has expired.
        if answer.status != StatusCode::UNAUTHORIZED {
            return self.accept(answer, part);
        }
        let texts = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenge = Challenge::read(texts)
            .ok_or_else(|| self.refused("it wants a proof of identity of a kind that is not known here"))?;
        let proof = self.prove(&challenge)?;
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof.clone());
        self.accept(self.send(&uri, Some(&proof))?, part)
    }

    fn accept<'a>(&self, answer: Answer<'a>, part: Part<'_>) -> Result<Answer<'a>, FetchError> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let status = answer.status;
        let text = message(&answer.body.all(MAX_ANSWER).unwrap_or_default());
        Err(match (status, part) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => self.denied(&text),
            (StatusCode::NOT_FOUND, Part::Manifest(_)) => FetchError::Missing {
                at: self.reference.registry.clone(),
                what: format!("{}{}", self.reference, dash(&text)),
            },
            (StatusCode::TOO_MANY_REQUESTS, _) => {
                self.refused(&format!("the registry limits the rate of requests{}", dash(&text)))
            }
            _ => self.refused(&format!("the registry answers {status}{}", dash(&text))),
        })
    }

    /// One request, its redirections followed, repeated when the registry stumbles.
    fn send(&self, uri: &Uri, authorization: Option<&HeaderValue>) -> Result<Answer<'_>, FetchError> {
        let mut pauses = PAUSES.iter();
        loop {
            let answer = self.follow(uri, authorization);
            let again = match &answer {
                Ok(answer) => answer.status.is_server_error(),
                Err(HttpError::Connection(_) | HttpError::Timeout(_)) => true,
                Err(_) => false,
            };
            match pauses.next() {
                Some(pause) if again => sleep(*pause),
                _ => return answer.map_err(|error| unreachable(&self.reference, &error)),
            }
        }
    }

    fn follow(&self, uri: &Uri, authorization: Option<&HeaderValue>) -> Result<Answer<'_>, HttpError> {
        let accept = [
            media_type::OCI_INDEX,
            media_type::OCI_MANIFEST,
            media_type::DOCKER_LIST,
            media_type::DOCKER_MANIFEST,
            "*/*;q=0.1",
        ];
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&accept.join(", ")) {
            headers.insert(ACCEPT, value);
        }
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.clone());
        }
        let mut at = uri.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.http.send(Method::GET, &at, &headers, Bytes::new())?;
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let next = location.and_then(|text| joined(&at, text));
            let next =
                next.ok_or_else(|| HttpError::Connection("a redirection that leads nowhere".to_owned()))?;
            if next.authority() != at.authority() || next.scheme() != at.scheme() {
                headers.remove(AUTHORIZATION);
            }
            at = next;
        }
        Err(HttpError::Connection(format!("more than {MAX_REDIRECTS} redirections")))
    }

    fn prove(&self, challenge: &Challenge) -> Result<HeaderValue, FetchError> {
        let credentials = self.kept.credentials.as_ref();
        let text = match (challenge, credentials) {
            (Challenge::Basic, Some(credentials)) => basic(credentials),
            (Challenge::Basic, None) => return Err(self.denied("it wants a user and a password")),
            (Challenge::Bearer { realm, service, scope }, _) => {
                let own = format!("repository:{}:pull", self.reference.repository);
                let scope = scope.as_deref().unwrap_or(&own);
                let token = self.token(realm, service.as_deref().unwrap_or_default(), scope)?;
                format!("Bearer {token}")
            }
        };
        let mut value =
            HeaderValue::from_str(&text).map_err(|_| self.denied("its token is no valid header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A token of the registry's token service.
    fn token(&self, realm: &str, service: &str, scope: &str) -> Result<String, FetchError> {
        let query = format!("service={}&scope={}", escaped(service), escaped(scope));
        let mut headers = HeaderMap::new();
        let (method, address, body) = match &self.kept.credentials {
            Some(Credentials { secret: Secret::Refresh(token), .. }) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
                let body = format!(
                    "grant_type=refresh_token&client_id=launchpath&{query}&refresh_token={}",
                    escaped(token)
                );
                (Method::POST, realm.to_owned(), body)
            }
            credentials => {
                if let Some(mut value) =
                    credentials.as_ref().and_then(|c| HeaderValue::from_str(&basic(c)).ok())
                {
                    value.set_sensitive(true);
                    headers.insert(AUTHORIZATION, value);
                }
                let separator = if realm.contains('?') { '&' } else { '?' };
                (Method::GET, format!("{realm}{separator}{query}"), String::new())
            }
        };
        let uri: Uri = address.parse().map_err(|_| self.refused("its token service has no valid address"))?;
        let answer = self.http.send(method, &uri, &headers, Bytes::from(body));
        let answer = answer.map_err(|error| self.refused(&format!("its token service: {error}")))?;
        let status = answer.status;
        let bytes = answer.body.all(MAX_ANSWER).unwrap_or_default();
        if !status.is_success() {
            return Err(self.denied(&message(&bytes)));
        }
        let token: Token = serde_json::from_slice(&bytes).unwrap_or_default();
        let token = token.token.or(token.access_token).filter(|token| !token.is_empty());
        token.ok_or_else(|| self.refused("its token service gives no token"))
    }

    fn denied(&self, text: &str) -> FetchError {
        let kept = match (&self.kept.credentials, &self.kept.helper) {
            (Some(credentials), _) => format!("as user `{}`", credentials.user),
            (None, Some(helper)) => format!(
                "without credentials; the credential helper `{helper}` would know some, and is not run"
            ),
            (None, None) => "without credentials".to_owned(),
        };
        FetchError::Denied { at: self.reference.to_string(), why: format!("asked {kept}{}", dash(text)) }
    }

    fn refused(&self, why: &str) -> FetchError {
        FetchError::Registry { at: self.reference.to_string(), why: why.to_owned() }
    }
}

impl Store for Registry {
    fn at(&self) -> String {
        self.reference.to_string()
    }

    fn start(&mut self) -> Result<Start, FetchError> {
        let reference = &self.reference;
        let answer = self.get(Part::Manifest(reference.selector()))?;
        let declared = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let declared = declared.map(|text| text.split(';').next().unwrap_or_default().trim().to_owned());
        let bytes = body(reference, answer)?;
        Ok(Start::Document { bytes, media_type: declared, digest: reference.digest.clone() })
    }

    fn document(&mut self, kind: DocumentKind, wanted: &document::Reference) -> Result<Vec<u8>, FetchError> {
        let digest = wanted.digest.as_str();
        let part = match kind {
            DocumentKind::Manifest => Part::Manifest(digest),
            DocumentKind::Config => Part::Blob(digest),
        };
        body(&self.reference, self.get(part)?)
    }

    fn layer(&mut self, layer: &Layer) -> Result<Box<dyn Read + Send + '_>, FetchError> {
        let digest = layer.reference.as_ref().map(|reference| reference.digest.to_string());
        let digest = digest.unwrap_or_default();
        let answer = self.get(Part::Blob(&digest))?;
        Ok(Box::new(answer.body))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

fn body(reference: &Reference, answer: Answer<'_>) -> Result<Vec<u8>, FetchError> {
    let broken = |error: std::io::Error| FetchError::Registry {
        at: reference.to_string(),
        why: format!("its answer cannot be read: {error}"),
    };
    answer.body.all(MAX_DOCUMENT).map_err(broken)
}

fn unreachable(reference: &Reference, error: &HttpError) -> FetchError {
    FetchError::Registry { at: reference.to_string(), why: error.to_string() }
}

fn basic(credentials: &Credentials) -> String {
    let secret = match &credentials.secret {
        Secret::Password(text) | Secret::Refresh(text) => text,
    };
    let pair = format!("{}:{secret}", credentials.user);
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Where a redirection leads. Paths are relative to the host.
fn joined(at: &Uri, location: &str) -> Option<Uri> {
    if location.starts_with('/') && !location.starts_with("//") {
        return format!("{}://{}{location}", at.scheme_str()?, at.authority()?).parse().ok();
    }
    let next: Uri = location.parse().ok()?;
    next.authority().is_some().then_some(next)
}

/// A value of a query, as a form writes it.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// What an error says: the registry's first message, printable and short.
fn message(bytes: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Errors {
        errors: Vec<One>,
        details: Option<String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct One {
        code: Option<String>,
        message: Option<String>,
    }
    let errors: Errors = serde_json::from_slice(bytes).unwrap_or_default();
    let first = errors.errors.into_iter().next().and_then(|one| one.message.or(one.code));
    let text = first.or(errors.details).unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn dash(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}
