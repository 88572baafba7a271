//! The emulator: an AWS that nobody here wrote, on loopback, with worlds built by `tests/moto/world.py`.

#![expect(clippy::print_stderr, reason = "a skipped test says why")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Run, launchpath_with, repository};

/// A running emulator; it dies with this value.
pub(crate) struct Emulator {
    server: Child,
    pub(crate) url: String,
}

impl Emulator {
    /// Starts it. `None`, with the reason, where the virtual environment is missing and this is not CI.
    pub(crate) fn start() -> Option<Self> {
        let program = venv().join("bin/moto_server");
        if !program.exists() {
            assert!(std::env::var_os("CI").is_none(), "{} is missing: run .ci/setup", program.display());
            eprintln!("skipped: {} is missing: run .ci/setup", program.display());
            return None;
        }
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        let emulator = Self { server, url: format!("http://127.0.0.1:{port}") };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "the emulator does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(emulator)
    }

    /// Forgets everything, builds a world and returns what the script says of it.
    pub(crate) fn world(&self, options: &[&str]) -> Value {
        self.reset();
        let output = Command::new(venv().join("bin/python"))
            .arg(repository("tests/moto/world.py"))
            .arg(&self.url)
            .args(options)
            .stderr(Stdio::inherit())
            .output()
            .expect("python runs");
        assert!(output.status.success(), "the world could not be built: {options:?}");
        serde_json::from_slice(&output.stdout).expect("one line of JSON")
    }

    fn reset(&self) {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the emulator answers");
        let request = format!(
            "POST /moto-api/reset HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Runs `launchpath` against it.
    pub(crate) fn launchpath(&self, words: &[&str]) -> Run {
        let mut all = words.to_vec();
        all.extend(["--endpoint-url", &self.url]);
        let variables = [
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_REGION", "us-east-1"),
        ];
        launchpath_with(&all, &variables)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn venv() -> PathBuf {
    std::env::var_os("LAUNCHPATH_VENV").map_or_else(|| repository(".venv"), PathBuf::from)
}
