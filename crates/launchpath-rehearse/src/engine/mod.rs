//! The fallback where no sandbox can be had: a container engine (Docker, Podman) over its socket.
//!
//! It runs the same [`Plan`] and is a [`Subject`] like the sandbox, but sees and holds less, and says so ([`BlindSpot`]): sockets
//! inside are not seen, attempts on the network are neither recorded nor held back, there is no metadata service, and traces
//! of the engine (`/.dockerenv`) are visible inside, for which some servers bind otherwise.
//!
//! Start with [`start`].

mod client;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::sandbox::Plan;
use crate::subject::{
    Attempt, BlindSpot, Ending, Exit, Listener, Printed, StartFailure, Stream, Subject, Usage,
};
use client::Client;

/// Pieces of output that may wait to be taken.
const WAITING: usize = 1024;

/// Why a container could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine cannot be reached, or the connection broke.
    #[error("failed to {step} at the container engine on {}: {source}", socket.display())]
    Unreachable {
        /// What was to be done.
        step: &'static str,
        /// The engine's socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The engine refused.
    #[error("the container engine refused to {step} (status {status}): {message}")]
    Refused {
        /// What was to be done.
        step: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
}

/// A process in a container. Dropping it removes the container and its image.
#[derive(Debug)]
pub struct Container {
    client: Client,
    id: Option<String>,
    image: String,
    started: Instant,
    exit: Arc<Mutex<Option<Exit>>>,
    out_of_memory: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    output: Option<Receiver<Printed>>,
    published: Vec<(u16, SocketAddr)>,
}

/// Starts the plan's process in a container of the engine on `socket`; `ports` are those that can be connected to.
pub fn start(plan: &Plan, socket: &Path, ports: &[u16]) -> Result<Container, EngineError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let client = Client::new(socket);
    let tag = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let unreachable =
        |step| move |source| EngineError::Unreachable { step, socket: socket.to_path_buf(), source };

    let step = "import the image";
    let path = format!("/images/create?fromSrc=-&repo=localhost/launchpath-rehearsal-{tag}&tag=latest");
    let (status, text) =
        client.upload(&path, |writer| archive(&plan.root, writer)).map_err(unreachable(step))?;
    let image = imported(&text).filter(|_| status < 300);
    let Some(image) = image else { return Err(EngineError::Refused { step, status, message: cut(&text) }) };
    // From here on an error drops the container, which removes what there is.
    let mut container = Container::new(client, image);
    if plan.argv.first().is_none_or(String::is_empty) {
        container.not_started(StartFailure::NoCommand);
        return Ok(container);
    }
    let step = "create a container";
    let (status, answer) = container
        .client
        .ask("POST", "/containers/create", Some(&configuration(plan, &container.image, ports)))
        .map_err(unreachable(step))?;
    let Some(id) = answer.get("Id").and_then(Value::as_str).filter(|_| status < 300).map(str::to_owned)
    else {
        return Err(EngineError::Refused { step, status, message: message(&answer) });
    };
    container.id = Some(id.clone());

    let step = "start the container";
    container.started = Instant::now();
    let (status, answer) =
        container.client.ask("POST", &format!("/containers/{id}/start"), None).map_err(unreachable(step))?;
    if status >= 300 {
        let message = message(&answer);
        return match failure(plan, &message) {
            Some(failure) => {
                container.not_started(failure);
                Ok(container)
            }
            None => Err(EngineError::Refused { step, status, message }),
        };
    }
    let step = "look at the container";
    let (_, seen) =
        container.client.ask("GET", &format!("/containers/{id}/json"), None).map_err(unreachable(step))?;
    container.published = published(&seen, ports);
    container.follow(&id);
    Ok(container)
}

/// The image's id: the last thing that an engine says of an import. Podman knows the image by no other name for sure.
fn imported(text: &str) -> Option<String> {
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(Result::ok);
    let last = documents.last()?;
    ["id", "status"].into_iter().find_map(|member| {
        last.get(member)?.as_str().filter(|id| id.starts_with("sha256:")).map(str::to_owned)
    })
}

/// The sockets on which engines usually listen, the one that the environment names first; only those that exist.
pub fn sockets() -> Vec<PathBuf> {
    let named =
        std::env::var("DOCKER_HOST").ok().and_then(|host| host.strip_prefix("unix://").map(PathBuf::from));
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("podman/podman.sock"));
    let usual = ["/var/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from);
    named.into_iter().chain(usual).chain(own).filter(|path| path.exists()).collect()
}

/// The unpacked image as an archive. Sockets, queues and devices are left out.
fn archive(root: &Path, writer: &mut dyn Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(writer);
    archive.follow_symlinks(false);
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let mut entries = std::fs::read_dir(root.join(&folder))?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type()?;
            let path = folder.join(entry.file_name());
            if kind.is_dir() {
                archive.append_dir(&path, entry.path())?;
                folders.push(path);
            } else if kind.is_file() || kind.is_symlink() {
                archive.append_path_with_name(entry.path(), &path)?;
            }
        }
    }
    archive.into_inner()?.flush()
}

fn configuration(plan: &Plan, image: &str, ports: &[u16]) -> Value {
    let port = |port: &u16| format!("{port}/tcp");
    let exposed: serde_json::Map<String, Value> =
        ports.iter().map(|number| (port(number), json!({}))).collect();
    let published: serde_json::Map<String, Value> =
        ports.iter().map(|number| (port(number), json!([{"HostIp": "127.0.0.1", "HostPort": ""}]))).collect();
    let limits = &plan.limits;
    json!({
        "Image": image,
        "Entrypoint": plan.argv.get(..1),
        "Cmd": plan.argv.get(1..),
        "Env": plan.environment,
        "WorkingDir": plan.working_directory.as_deref().unwrap_or(""),
        "User": plan.user.as_deref().unwrap_or(""),
        "Hostname": "localhost",
        "ExposedPorts": exposed,
        "HostConfig": {
            "Memory": limits.memory,
            "MemorySwap": limits.memory,
            "NanoCpus": u64::from(limits.processors) * 1_000_000_000,
            "PidsLimit": limits.processes,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "PortBindings": published,
            "Ulimits": [
                {"Name": "nofile", "Soft": 1024, "Hard": 4096},
                {"Name": "nproc", "Soft": limits.processes, "Hard": limits.processes},
            ],
        },
    })
}

/// What the engine says when a program cannot be started, in the words of the runtimes below it.
fn failure(plan: &Plan, message: &str) -> Option<StartFailure> {
    let program = || plan.argv.first().cloned().unwrap_or_default();
    let says = |text: &str| message.to_ascii_lowercase().contains(text);
    Some(
        if says("unable to find user")
            || says("no matching entries in passwd")
            || says("unable to find group")
        {
            StartFailure::UnknownUser(plan.user.clone().unwrap_or_default())
        } else if says("chdir") || says("workdir") || says("working directory") {
            StartFailure::WorkingDirectory(plan.working_directory.clone().unwrap_or_default())
        } else if says("exec format error") {
            StartFailure::ExecFormat(program())
        } else if says("permission denied") {
            StartFailure::PermissionDenied(program())
        } else if says("executable file not found") || says("no such file or directory") {
            // An interpreter that is missing sounds the same.
            StartFailure::NotFound(program())
        } else {
            return None;
        },
    )
}

fn published(seen: &Value, ports: &[u16]) -> Vec<(u16, SocketAddr)> {
    let at = |port: &u16| {
        let binding = seen.get("NetworkSettings")?.get("Ports")?.get(format!("{port}/tcp"))?.get(0)?;
        let number = binding.get("HostPort")?.as_str()?.parse().ok()?;
        Some((*port, SocketAddr::from((Ipv4Addr::LOCALHOST, number))))
    };
    ports.iter().filter_map(at).collect()
}

fn message(answer: &Value) -> String {
    cut(answer.get("message").and_then(Value::as_str).unwrap_or("no reason given"))
}

fn cut(text: &str) -> String {
    text.trim().chars().take(400).collect()
}

impl Container {
    fn new(client: Client, image: String) -> Self {
        Self {
            client,
            id: None,
            image,
            started: Instant::now(),
            exit: Arc::default(),
            out_of_memory: Arc::default(),
            lost: Arc::default(),
            output: None,
            published: Vec::new(),
        }
    }

    fn not_started(&mut self, failure: StartFailure) {
        let exit = Exit { at: self.started.elapsed(), how: Ending::NotStarted(failure) };
        *self.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(exit);
        let (_, output) = sync_channel(1);
        self.output = Some(output);
    }

    /// Reads output and waits for the end, in a thread that ends when the container does.
    fn follow(&mut self, id: &str) {
        let (printed, output) = sync_channel(WAITING);
        self.output = Some(output);
        let (client, id, started) = (self.client.clone(), id.to_owned(), self.started);
        let (exit, out_of_memory, lost) =
            (Arc::clone(&self.exit), Arc::clone(&self.out_of_memory), Arc::clone(&self.lost));
        std::thread::spawn(move || {
            let path = format!("/containers/{id}/logs?follow=1&stdout=1&stderr=1");
            // Silent as long as the process is. What cannot be read any more ends with the container.
            if let Ok(mut logs) = client.open("GET", &path, None, None) {
                let _broken = read_logs(&mut logs.body, started, &printed, &lost);
            }
            drop(printed);
            let waited = client.open("POST", &format!("/containers/{id}/wait"), None, None);
            let code = waited.ok().and_then(|mut answer| {
                let mut text = String::new();
                answer.body.read_to_string(&mut text).ok()?;
                serde_json::from_str::<Value>(&text).ok()?.get("StatusCode")?.as_i64()
            });
            let Some(code) = code else { return };
            let at = started.elapsed();
            if let Ok((_, seen)) = client.ask("GET", &format!("/containers/{id}/json"), None)
                && seen.get("State").and_then(|state| state.get("OOMKilled")).and_then(Value::as_bool)
                    == Some(true)
            {
                out_of_memory.store(1, Ordering::Relaxed);
            }
            // An engine gives a signal as 128 and its number, and so does a shell that exits for it.
            let how = match i32::try_from(code) {
                Ok(code @ 129..=192) => Ending::Signal(code - 128),
                Ok(code) => Ending::Code(code),
                Err(_) => Ending::Code(i32::MAX),
            };
            *exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Exit { at, how });
        });
    }
}

/// Reads output in the engine's frames: the stream, three empty bytes, a length, so many bytes.
fn read_logs(
    logs: &mut dyn Read,
    started: Instant,
    printed: &SyncSender<Printed>,
    lost: &AtomicU64,
) -> io::Result<()> {
    const LARGEST: u64 = 1 << 20;
    loop {
        let mut head = [0; 8];
        logs.read_exact(&mut head)?;
        let [stream, _, _, _, length @ ..] = head;
        let length = u64::from(u32::from_be_bytes(length));
        let mut bytes = Vec::new();
        logs.take(length.min(LARGEST)).read_to_end(&mut bytes)?;
        let rest = io::copy(&mut logs.take(length.saturating_sub(LARGEST)), &mut io::sink())?;
        lost.fetch_add(rest, Ordering::Relaxed);
        let size = bytes.len() as u64;
        let stream = if stream == 2 { Stream::Error } else { Stream::Out };
        match printed.try_send(Printed { at: started.elapsed(), stream, bytes }) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                lost.fetch_add(size, Ordering::Relaxed);
            }
        }
    }
}

impl Subject for Container {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn address(&self) -> IpAddr {
        // Where the engine publishes: behind it is the container's own address, never its loopback.
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    }

    fn connect(&self, port: u16, timeout: Duration) -> io::Result<TcpStream> {
        let published = self.published.iter().find(|(own, _)| *own == port).map(|(_, at)| at);
        let stream = TcpStream::connect_timeout(published.ok_or(io::ErrorKind::ConnectionRefused)?, timeout)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn listeners(&self) -> Option<Vec<Listener>> {
        None
    }

    fn take_output(&mut self) -> Option<Receiver<Printed>> {
        self.output.take()
    }

    fn lost_output(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn exited(&mut self) -> Option<Exit> {
        self.exit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn attempts(&self) -> Option<Vec<Attempt>> {
        None
    }

    fn usage(&self) -> Usage {
        Usage {
            peak_memory: None,
            out_of_memory: self.out_of_memory.load(Ordering::Relaxed),
            process_limit_met: false,
        }
    }

    fn blind_spots(&self) -> BTreeSet<BlindSpot> {
        [BlindSpot::Listeners, BlindSpot::Attempts, BlindSpot::Metadata, BlindSpot::EngineTraces].into()
    }

    fn stop(&mut self) {
        if let Some(id) = self.id.take() {
            let _gone_already = self.client.ask("DELETE", &format!("/containers/{id}?force=1&v=1"), None);
        }
        if !self.image.is_empty() {
            let image = std::mem::take(&mut self.image);
            let _gone_already = self.client.ask("DELETE", &format!("/images/{image}?force=1"), None);
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imported_image_is_known_by_the_last_word_about_it() {
        assert_eq!(
            imported("{\"status\":\"Importing\"}\r\n{\"status\":\"sha256:ab\"}\r\n").as_deref(),
            Some("sha256:ab")
        );
        assert_eq!(
            imported("{\"status\":\"sha256:ab\",\"progress\":\"\",\"id\":\"sha256:ab\"}").as_deref(),
            Some("sha256:ab")
        );
        assert_eq!(imported("{\"error\":\"no space left\"}"), None);
        assert_eq!(imported("gibberish"), None);
    }

    #[test]
    fn a_runtime_s_words_are_told_apart() {
        let plan = Plan::new("/image", ["agent"]);
        let of = |message: &str| failure(&plan, message);
        let program = || "agent".to_owned();
        assert_eq!(
            of("exec: \"agent\": executable file not found in $PATH"),
            Some(StartFailure::NotFound(program()))
        );
        assert_eq!(of("exec /bin/agent: exec format error"), Some(StartFailure::ExecFormat(program())));
        assert_eq!(
            of("exec: \"/agent\": permission denied: unknown"),
            Some(StartFailure::PermissionDenied(program()))
        );
        assert_eq!(
            of("unable to find user agent: no matching entries in passwd file"),
            Some(StartFailure::UnknownUser(String::new()))
        );
        assert_eq!(of("port is already allocated"), None);
    }

    #[test]
    fn output_in_frames_is_taken_apart_and_broken_frames_end_it() {
        let (printed, output) = sync_channel(8);
        let mut frames = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x05error\x01\0\0".to_vec();
        let lost = AtomicU64::new(0);
        assert!(read_logs(&mut &frames[..], Instant::now(), &printed, &lost).is_err());
        let pieces: Vec<(Stream, Vec<u8>)> =
            output.try_iter().map(|printed| (printed.stream, printed.bytes)).collect();
        assert_eq!(pieces, [(Stream::Out, b"out".to_vec()), (Stream::Error, b"error".to_vec())]);
        frames.truncate(10);
        assert!(read_logs(&mut &frames[..], Instant::now(), &printed, &lost).is_err());
    }
}
