//! Starting the emulator, building a world in it, collecting from it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use launchpath_aws::{Request, Settings, Silent};
use serde_json::Value;

/// An emulator of our own; it dies with this value.
pub(crate) struct Moto {
    server: Child,
    /// Its address.
    pub(crate) url: String,
}

impl Moto {
    /// Starts the emulator on a free port. `None`, with the reason on standard error, where the
    /// virtual environment is missing and nobody promised it.
    pub(crate) fn start() -> Result<Option<Self>> {
        let program = venv().join("bin/moto_server");
        if !program.exists() {
            let missing = format!("{} is missing: run .ci/setup", program.display());
            ensure!(std::env::var_os("CI").is_none(), missing);
            eprintln!("skipped: {missing}");
            return Ok(None);
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let moto = Self { server, url: format!("http://127.0.0.1:{port}") };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(begun.elapsed() < Duration::from_mins(1), "the emulator does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(moto))
    }

    /// Builds a world and returns what it says about itself.
    pub(crate) fn world(&self, options: &[&str]) -> Result<Value> {
        let output = Command::new(venv().join("bin/python"))
            .arg(script("world.py"))
            .arg(&self.url)
            .args(options)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "the world could not be built");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Adds to a world what few VPCs have; returns the id of a second runtime, from a zip archive.
    pub(crate) fn extras(&self, world: &Value) -> Result<String> {
        let output = Command::new(venv().join("bin/python"))
            .arg(script("extras.py"))
            .arg(&self.url)
            .args([text(world, "/vpc")?, text(world, "/subnets/0")?, text(world, "/security_group")?])
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "the extras could not be built");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Collects a runtime of the emulator.
    pub(crate) fn collect(&self, request: Request) -> Result<Value> {
        collect(settings(&self.url), request)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Settings for something on loopback that takes any credentials.
pub(crate) fn settings(url: &str) -> Settings {
    let credentials = Credentials::new("testing", "testing", None, None, "test");
    Settings {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(url.to_owned()),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        ..Settings::default()
    }
}

/// Collects, on a runtime of its own.
pub(crate) fn collect(settings: Settings, request: Request) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    Ok(runtime.block_on(launchpath_aws::collect(settings, request, &Silent))?)
}

/// A script of `tests/moto`.
pub(crate) fn script(name: &str) -> PathBuf {
    workspace().join("tests/moto").join(name)
}

/// The project's virtual environment.
pub(crate) fn venv() -> PathBuf {
    std::env::var_os("LAUNCHPATH_VENV").map_or_else(|| workspace().join(".venv"), PathBuf::from)
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The text of a member that a world or a bundle must have.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer}"))
}
