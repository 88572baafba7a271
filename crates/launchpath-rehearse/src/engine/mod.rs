//! The fallback where no sandbox can be had: a container engine (Docker, Podman) over its socket.
//!
//! It runs the same [`Plan`] and is a [`Subject`] like the sandbox, but sees and holds less, and says so ([`BlindSpot`]): sockets
//! inside are not seen, attempts on the network are not recorded, there is no metadata service, and traces of the engine
//! (`/.dockerenv`) are visible inside, for which some servers bind otherwise. Where this machine carries the containers' network
//! the process gets one without a way out; elsewhere (an engine in a virtual machine, one without privileges) it does not.
//!
//! Start with [`start`].

mod client;
mod leavings;
mod way;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::maker;
use crate::sandbox::Plan;
use crate::subject::{
    Attempt, BlindSpot, Ending, Exit, Listener, Printed, StartFailure, Stream, Subject, Usage,
};
use client::{Client, escaped};
use way::Way;

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

/// A process in a container. Dropping it removes the container, its network and its image.
#[derive(Debug)]
pub struct Container {
    client: Client,
    image: String,
    network: Option<String>,
    id: Option<String>,
    started: Instant,
    exit: Arc<Mutex<Option<Exit>>>,
    out_of_memory: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    output: Option<Receiver<Printed>>,
    way: Way,
    blind_spots: BTreeSet<BlindSpot>,
}

/// Starts the plan's process in a container of the engine on `socket`; `ports` are those that can be connected to, `platform`
/// (`linux/arm64`) the image's. The plan's network, credentials and emulator are the sandbox's matter and not looked at.
pub fn start(
    plan: &Plan,
    socket: &Path,
    ports: &[u16],
    platform: Option<&str>,
) -> Result<Container, EngineError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let client = Client::new(socket);
    let name =
        format!("launchpath-rehearsal-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    leavings::sweep(&client);
    let image = import(&client, plan, &name, platform)?;
    // From here on an error drops the container, which removes what there is.
    let mut container = Container::new(client, image, plan);
    if plan.argv.first().is_none_or(String::is_empty) {
        container.not_started(StartFailure::NoCommand);
        return Ok(container);
    }
    container.network = container.isolated(&name);
    if let Some(network) = container.network.clone() {
        let own = json!({ "NetworkMode": network });
        let Some(seen) = container.begin(plan, &json!({}), &own)? else { return Ok(container) };
        if let Some(way) = way::straight(&seen, &network) {
            container.way = way;
            container.follow();
            return Ok(container);
        }
        // It runs where nothing of it can be reached: once more, with its ports published.
        container.remove();
    }
    let bindings = way::bindings(ports);
    let exposed = ports.iter().map(|port| (format!("{port}/tcp"), json!({}))).collect();
    let own = json!({ "PortBindings": bindings });
    let Some(seen) = container.begin(plan, &Value::Object(exposed), &own)? else { return Ok(container) };
    container.way = way::published(&seen, ports);
    container.blind_spots.extend([BlindSpot::Proxied, BlindSpot::OpenNetwork]);
    container.follow();
    Ok(container)
}

/// Hands the unpacked image over; its id at the engine.
fn import(client: &Client, plan: &Plan, name: &str, platform: Option<&str>) -> Result<String, EngineError> {
    let step = "import the image";
    let mut path = format!("/images/create?fromSrc=-&repo=localhost/{name}&tag=latest");
    if let Some(platform) = platform {
        path.push_str(&format!("&platform={}", escaped(platform)));
    }
    if let Some(mark) = maker::own() {
        path.push_str(&format!("&changes={}", escaped(&format!("LABEL {}={mark}", leavings::LABEL))));
    }
    let (status, text) = client
        .upload(&path, |writer| archive(&plan.root, writer))
        .map_err(|source| client.unreachable(step, source))?;
    let image = imported(&text).filter(|_| status < 300);
    image.ok_or_else(|| EngineError::Refused { step, status, message: cut(&text) })
}

/// The image's id: the last thing that an engine says of an import. Podman knows the image by no other name for sure.
fn imported(text: &str) -> Option<String> {
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(Result::ok);
    let last = documents.last()?;
    ["id", "status"].into_iter().find_map(|member| {
        last.get(member)?.as_str().filter(|id| id.starts_with("sha256:")).map(str::to_owned)
    })
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

fn configuration(plan: &Plan, image: &str, exposed: &Value, host: &Value) -> Value {
    let limits = &plan.limits;
    let mut configuration = json!({
        "Image": image,
        "Entrypoint": plan.argv.get(..1),
        "Cmd": plan.argv.get(1..),
        "Env": plan.environment,
        "WorkingDir": plan.working_directory.as_deref().unwrap_or(""),
        "User": plan.user.as_deref().unwrap_or(""),
        "Hostname": "localhost",
        "Labels": leavings::labels(),
        "ExposedPorts": exposed,
        "HostConfig": {
            "Memory": limits.memory,
            "MemorySwap": limits.memory,
            "NanoCpus": u64::from(limits.processors) * 1_000_000_000,
            "PidsLimit": limits.processes,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "Ulimits": [
                {"Name": "nofile", "Soft": 1024, "Hard": 4096},
                {"Name": "nproc", "Soft": limits.processes, "Hard": limits.processes},
            ],
        },
    });
    if let (Some(all), Some(own)) = (configuration["HostConfig"].as_object_mut(), host.as_object()) {
        all.extend(own.clone());
    }
    configuration
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

#[cfg(target_os = "linux")]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Elsewhere the engine runs in a virtual machine, and files are their user's.
#[cfg(not(target_os = "linux"))]
fn is_root() -> bool {
    false
}

fn message(answer: &Value) -> String {
    cut(answer.get("message").and_then(Value::as_str).unwrap_or("no reason given"))
}

fn cut(text: &str) -> String {
    text.trim().chars().take(400).collect()
}

impl Container {
    fn new(client: Client, image: String, plan: &Plan) -> Self {
        let mut blind_spots: BTreeSet<BlindSpot> =
            [BlindSpot::Listeners, BlindSpot::Attempts, BlindSpot::Metadata, BlindSpot::EngineTraces].into();
        // Only root unpacks files for their owners.
        if !is_root() {
            blind_spots.insert(BlindSpot::Owners);
        }
        if plan.emulator.is_some() {
            blind_spots.insert(BlindSpot::Timing);
        }
        Self {
            client,
            image,
            network: None,
            id: None,
            started: Instant::now(),
            exit: Arc::default(),
            out_of_memory: Arc::default(),
            lost: Arc::default(),
            output: None,
            way: Way::none(),
            blind_spots,
        }
    }

    /// A network without a way out, by name; `None` where the engine makes none.
    fn isolated(&self, name: &str) -> Option<String> {
        let wanted =
            json!({ "Name": name, "Driver": "bridge", "Internal": true, "Labels": leavings::labels() });
        let (status, _) = self.client.ask("POST", "/networks/create", Some(&wanted)).ok()?;
        (status < 300).then(|| name.to_owned())
    }

    /// Creates and starts the container; what the engine says of it then, or `None` when its process could not be started.
    fn begin(&mut self, plan: &Plan, exposed: &Value, host: &Value) -> Result<Option<Value>, EngineError> {
        let step = "create a container";
        let wanted = configuration(plan, &self.image, exposed, host);
        let (status, answer) = self.ask(step, "POST", "/containers/create", Some(&wanted))?;
        let Some(id) = answer.get("Id").and_then(Value::as_str).filter(|_| status < 300).map(str::to_owned)
        else {
            return self.refused(plan, step, status, &answer);
        };
        self.id = Some(id.clone());
        if !plan.environment.iter().any(|entry| entry.starts_with("DOCKER_CONTAINER="))
            && self.has_marker(&id)
        {
            self.blind_spots.insert(BlindSpot::EngineMarker);
        }

        let step = "start the container";
        self.started = Instant::now();
        let (status, answer) = self.ask(step, "POST", &format!("/containers/{id}/start"), None)?;
        if status >= 300 {
            return self.refused(plan, step, status, &answer);
        }
        let (_, seen) = self.ask("look at the container", "GET", &format!("/containers/{id}/json"), None)?;
        Ok(Some(seen))
    }

    /// A refusal that is about the image is the end of its process; any other is an error.
    fn refused(
        &mut self,
        plan: &Plan,
        step: &'static str,
        status: u16,
        answer: &Value,
    ) -> Result<Option<Value>, EngineError> {
        let message = message(answer);
        let failure = failure(plan, &message).ok_or(EngineError::Refused { step, status, message })?;
        self.not_started(failure);
        Ok(None)
    }

    /// Whether `/.dockerenv` stands in the container.
    fn has_marker(&self, id: &str) -> bool {
        let path = format!("/containers/{id}/archive?path=%2F.dockerenv");
        self.client
            .open("HEAD", &path, None, Some(Duration::from_secs(20)))
            .is_ok_and(|seen| seen.status == 200)
    }

    fn ask(
        &self,
        step: &'static str,
        method: &str,
        path: &str,
        document: Option<&Value>,
    ) -> Result<(u16, Value), EngineError> {
        self.client.ask(method, path, document).map_err(|source| self.client.unreachable(step, source))
    }

    fn remove(&mut self) {
        if let Some(id) = self.id.take() {
            let _gone_already = self.client.ask("DELETE", &format!("/containers/{id}?force=1&v=1"), None);
        }
        if let Some(network) = self.network.take() {
            let _gone_already = self.client.ask("DELETE", &format!("/networks/{network}"), None);
        }
    }

    fn not_started(&mut self, failure: StartFailure) {
        let exit = Exit { at: self.started.elapsed(), how: Ending::NotStarted(failure) };
        *self.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(exit);
        let (_, output) = sync_channel(1);
        self.output = Some(output);
    }

    /// Reads output and waits for the end, in a thread that ends when the container does.
    fn follow(&mut self) {
        let Some(id) = self.id.clone() else { return };
        let (printed, output) = sync_channel(WAITING);
        self.output = Some(output);
        let (client, started) = (self.client.clone(), self.started);
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
        // Behind what the engine publishes is the container's own address, too, never its loopback.
        self.way.address()
    }

    fn connect(&self, port: u16, timeout: Duration) -> io::Result<TcpStream> {
        let at = self.way.to(port).ok_or(io::ErrorKind::ConnectionRefused)?;
        let stream = TcpStream::connect_timeout(&at, timeout)?;
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
        self.blind_spots.clone()
    }

    fn stop(&mut self) {
        self.remove();
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
