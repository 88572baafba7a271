//! A registry that somebody else wrote: Debian's `docker-registry`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use launchpath_fetch::{Artifact, Options, open};
use launchpath_image::digest::Digest;
use launchpath_image::tree::Limits;
use serde_json::json;

use crate::image::{GZIP, Image, descriptor, gzip, layer};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The registry's process; it dies with this value.
struct Registry {
    process: Child,
    host: String,
}

impl Registry {
    /// Nothing where the program is missing and nobody promised it.
    fn start(folder: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let config = json!({
            "version": 0.1, "log": { "level": "error" }, "http": { "addr": host },
            "storage": { "filesystem": { "rootdirectory": folder.join("store") } },
        });
        // YAML reads JSON.
        fs::write(folder.join("config.yml"), config.to_string()).unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.join("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            assert!(std::env::var_os("CI").is_none(), "docker-registry is missing: run .ci/setup");
            return None;
        };
        let registry = Self { process, host };
        let begun = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the registry does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    fn ask(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            self.host,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
        answer
    }

    fn push_blob(&self, repository: &str, blob: &[u8]) {
        let answer = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/"), "application/json", b"");
        let location = answer
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("location")))
            .map(|(_, value)| value.trim().to_owned())
            .unwrap();
        let path = location.split_once(&self.host).map_or(location.as_str(), |(_, path)| path);
        let path = format!("{path}&digest={}", Digest::of(blob));
        self.ask("PUT", &path, "application/octet-stream", blob);
    }

    fn push(&self, repository: &str, selector: &str, image: &Image) {
        for blob in &image.blobs {
            self.push_blob(repository, blob);
        }
        let path = format!("/v2/{repository}/manifests/{selector}");
        self.ask("PUT", &path, MANIFEST, &image.manifest_bytes());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_was_pushed_to_a_real_registry_is_fetched() {
    let place = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(place.path()) else {
        println!("skipped: docker-registry is missing: run .ci/setup");
        return;
    };
    let arm = Image::with_files(&[("app/main.py", "import os\n")]);
    let plain = layer(&[("amd", "")]);
    let amd = Image::of("amd64", &[(GZIP, gzip(&plain), &plain)]);
    let mut entries = Vec::new();
    for (image, architecture) in [(&amd, "amd64"), (&arm, "arm64")] {
        registry.push("team/agent", &Digest::of(&image.manifest_bytes()).to_string(), image);
        let mut entry = descriptor(MANIFEST, &image.manifest_bytes());
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        entries.push(entry);
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string();
    registry.ask("PUT", "/v2/team/agent/manifests/v1", INDEX, index.as_bytes());
    let reference = format!("{}/team/agent:v1", registry.host);
    let mut artifact = open(&reference, &Options::default()).unwrap();
    let tree = artifact.tree(Limits::default()).unwrap();
    assert_eq!(tree.read("/app/main.py", 100).unwrap(), b"import os\n");
    let Artifact::Container(container) = artifact else { panic!("no container image") };
    let documents = container.documents();
    assert_eq!(documents.indexes[0].digest, Digest::of(index.as_bytes()));
    assert_eq!(documents.manifest.as_ref().unwrap().digest, Digest::of(&arm.manifest_bytes()));
    let error =
        open(&format!("{}/team/agent:v2", registry.host), &Options::default()).err().unwrap().to_string();
    assert!(error.contains("team/agent:v2 (manifest unknown) is missing"), "{error}");
}
