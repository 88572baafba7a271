//! Images of a container engine on this machine: Docker's interface, which Podman speaks too.
//!
//! The engine exports an image as `docker save` does. Nothing of it is changed.

use std::fs::File;
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::decompress::Measured;
use crate::error::FetchError;
use crate::http::{self, Body, USER_AGENT};

/// An exported image; the service takes 2 GB compressed.
const MAX_EXPORT: u64 = 12 << 30;

/// Where engines listen, the first first: what `DOCKER_HOST` says, Docker's place, Podman's places.
pub fn sockets() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let given = variable("DOCKER_HOST").and_then(|text| text.strip_prefix("unix://").map(PathBuf::from));
    let own = variable("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("podman/podman.sock"));
    let usual = ["/var/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from);
    given.into_iter().chain([usual[0].clone()]).chain(own).chain([usual[1].clone()]).collect()
}

/// The engine's export of an image, in a temporary file. Nothing when no engine listens.
pub(crate) fn export(sockets: &[PathBuf], name: &str) -> Result<Option<File>, FetchError> {
    let Some(socket) = sockets.iter().find(|socket| socket.exists()) else { return Ok(None) };
    let at = format!("{} of the engine at {}", name, socket.display());
    let failed = |why: String| FetchError::Engine { at: at.clone(), why };
    let runtime = http::runtime().map_err(|error| failed(error.to_string()))?;
    let answer = runtime.block_on(async {
        let stream = UnixStream::connect(socket).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| http::chain(&error))?;
        tokio::spawn(connection);
        let request = Request::get(format!("/images/{}/get", escaped(name)))
            .header("host", "localhost")
            .header("user-agent", USER_AGENT)
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        sender.send_request(request).await.map_err(|error| http::chain(&error))
    });
    let answer = answer.map_err(failed)?;
    let status = answer.status();
    let body = Body::new(&runtime, answer.into_body());
    if status == hyper::StatusCode::NOT_FOUND {
        return Err(FetchError::Missing {
            at: format!("the engine at {}", socket.display()),
            what: name.to_owned(),
        });
    }
    if !status.is_success() {
        let text = body.all(64 << 10).unwrap_or_default();
        let text: String =
            String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control()).take(300).collect();
        return Err(failed(format!("it answers {status} {text}")));
    }
    let mut spool = tempfile::tempfile().map_err(FetchError::Scratch)?;
    let copied = io::copy(&mut Measured::new(body, None, MAX_EXPORT), &mut spool);
    copied.map_err(|error| failed(format!("the export broke off: {error}")))?;
    spool.rewind().map_err(FetchError::Scratch)?;
    Ok(Some(spool))
}

/// A name in a path: `/` and `:` stay, as the engine expects them.
fn escaped(name: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
