//! What an image costs: its documents from a large archive against `skopeo inspect`, its file tree, its unpacking.
//!
//! `cargo bench -p launchpath-fetch --bench image`. The peer is left out with a word where it is missing
//! (`benches/peers.sh` installs Debian's). Figures for the reader, not a test.
//!
//! Both are started as programs, in turns, and print the same facts: digest, platform, layers, command. This program is its own
//! counterpart: started with an archive as argument it does what `launchpath inspect` does before it reads layers.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its figures and may fail")]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use launchpath_fetch::unpack::{Ownership, unpack};
use launchpath_fetch::{Artifact, Options, open};
use launchpath_image::digest::{Digest, Hasher};
use launchpath_image::tree::{Limits, Tree};
use serde_json::json;

const ROUNDS: usize = 15;
const LAYERS: u64 = 6;
/// Bytes of a layer; with the number of layers 300 MB.
const LAYER: u64 = 50 << 20;
const FILES: u64 = 1_000_000;
/// Set in the copy that only reads documents.
const DOCUMENTS: &str = "LAUNCHPATH_BENCH_DOCUMENTS";

fn main() {
    if let Some(archive) = std::env::var_os(DOCUMENTS) {
        print_documents(&PathBuf::from(archive));
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let archive = place.path().join("image.tar");
    let bytes = write_archive(&archive);
    println!("an OCI archive of {} MB in {LAYERS} gzip layers", bytes / 1_000_000);

    let own = |archive: &Path| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(DOCUMENTS, archive);
        command
    };
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..ROUNDS {
        ours.push(timed(own(&archive)).unwrap());
        let mut skopeo = Command::new("skopeo");
        skopeo.arg("inspect").arg(format!("oci-archive:{}", archive.display()));
        theirs.extend(timed(skopeo));
    }
    let ours = median(&mut ours);
    println!("documents, launchpath:      {ours:>9.1?}");
    if theirs.is_empty() {
        println!("documents, skopeo inspect:  missing (benches/peers.sh installs it)");
    } else {
        let theirs = median(&mut theirs);
        println!(
            "documents, skopeo inspect:  {theirs:>9.1?}  (ratio {:.3})",
            ours.as_secs_f64() / theirs.as_secs_f64()
        );
    }

    let mut artifact = open(archive.to_str().unwrap(), &Options::default()).unwrap();
    let begun = Instant::now();
    let tree = artifact.tree(Limits::default()).unwrap();
    let took = begun.elapsed();
    let rate = u128::from(tree.bytes()) / took.as_micros().max(1);
    println!("file tree, digests checked: {took:>9.1?}  ({rate} MB/s decompressed)");
    unpacked("unpacking it", &tree);
    let mut many = Tree::builder(tempfile::tempfile().unwrap());
    let begun = Instant::now();
    many.layer(Crowd { left: FILES, rest: Vec::new() }).unwrap();
    let many = many.finish().unwrap();
    println!("a tree of {FILES} files:    {:>9.1?}", begun.elapsed());
    unpacked("unpacking them", &many);
}

fn unpacked(what: &str, tree: &Tree) {
    let place = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    unpack(tree, place.path(), Ownership::Caller).unwrap();
    println!("{what}:{:width$}{:>9.1?}", "", begun.elapsed(), width = 27 - what.len());
}

fn print_documents(archive: &Path) {
    let Ok(Artifact::Container(container)) = open(archive.to_str().unwrap(), &Options::default()) else {
        panic!("the archive holds a container image")
    };
    let documents = container.documents();
    let manifest = documents.manifest.as_ref().unwrap();
    let config = &documents.config.value;
    let layers: Vec<&str> = manifest.value.layers.iter().map(|layer| layer.digest.as_str()).collect();
    let process = config.config.clone().unwrap_or_default();
    let facts = json!({ "Digest": manifest.digest.as_str(), "Architecture": config.architecture, "Os": config.os,
        "Layers": layers, "Env": process.env, "Cmd": process.cmd });
    println!("{facts:#}");
}

/// How long a program takes; nothing when it is missing.
fn timed(mut command: Command) -> Option<Duration> {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status().ok()?;
    assert!(status.success(), "{command:?}");
    Some(begun.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Bytes that hardly compress, so that the archive is as long as its files.
struct Noise {
    state: u64,
    left: u64,
}

impl Read for Noise {
    fn read(&mut self, output: &mut [u8]) -> std::io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(output.len());
        for piece in output[..length].chunks_mut(8) {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            let bytes = (self.state & 0x3f3f_3f3f_3f3f_3f3f).to_le_bytes();
            piece.copy_from_slice(&bytes[..piece.len()]);
        }
        self.left -= length as u64;
        Ok(length)
    }
}

/// A layer of very many small files, made while it is read.
struct Crowd {
    left: u64,
    rest: Vec<u8>,
}

impl Read for Crowd {
    fn read(&mut self, output: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            let Some(left) = self.left.checked_sub(1) else { return Ok(0) };
            self.left = left;
            let mut header = tar::Header::new_ustar();
            header.set_path(format!("d{}/f{left}", left % 1000))?;
            header.set_size(100);
            header.set_mode(0o644);
            header.set_cksum();
            self.rest = [header.as_bytes().as_slice(), &[b'x'; 512]].concat();
        }
        let length = output.len().min(self.rest.len());
        output[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

/// Writes an OCI archive; returns its size.
fn write_archive(path: &Path) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = tar::Builder::new(BufWriter::new(File::create(path).unwrap()));
    let mut layers = Vec::new();
    let mut diff_ids = Vec::new();
    for index in 0..LAYERS {
        let stored = folder.path().join("layer");
        let mut plain = Hashing(
            flate2::write::GzEncoder::new(File::create(&stored).unwrap(), flate2::Compression::fast()),
            Hasher::sha256(),
        );
        let mut layer = tar::Builder::new(&mut plain);
        for file in 0..LAYER / (2 << 20) {
            let mut header = tar::Header::new_gnu();
            header.set_size(2 << 20);
            header.set_mode(0o644);
            let noise = Noise { state: 1 + index * 1000 + file, left: 2 << 20 };
            layer.append_data(&mut header, format!("usr/lib/l{index}/f{file}.so"), noise).unwrap();
        }
        layer.finish().unwrap();
        drop(layer);
        plain.0.finish().unwrap();
        diff_ids.push(plain.1.finish().to_string());
        let mut file = File::open(&stored).unwrap();
        let mut hasher = Hasher::sha256();
        std::io::copy(&mut file, &mut hasher).unwrap();
        let (digest, size) = (hasher.finish(), file.metadata().unwrap().len());
        append(&mut archive, &blob(&digest), size, File::open(&stored).unwrap());
        layers.push(json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest.as_str(), "size": size }));
    }
    let config = json!({ "os": "linux", "architecture": "arm64", "config": { "Cmd": ["/app"], "Env": ["PATH=/usr/bin"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    let config = config.to_string();
    let manifest = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config), "layers": layers });
    let manifest = manifest.to_string();
    let index = json!({ "schemaVersion": 2,
        "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", &manifest)] });
    for text in [&config, &manifest] {
        append(&mut archive, &blob(&Digest::of(text.as_bytes())), text.len() as u64, text.as_bytes());
    }
    let index = index.to_string();
    append(&mut archive, "index.json", index.len() as u64, index.as_bytes());
    let layout = r#"{"imageLayoutVersion":"1.0.0"}"#;
    append(&mut archive, "oci-layout", layout.len() as u64, layout.as_bytes());
    archive.into_inner().unwrap().flush().unwrap();
    std::fs::metadata(path).unwrap().len()
}

fn blob(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn descriptor(media_type: &str, text: &str) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": Digest::of(text.as_bytes()).as_str(), "size": text.len() })
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, size: u64, content: impl Read) {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content).unwrap();
}

/// Hashes what is written on its way.
struct Hashing<W>(W, Hasher);

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.update(bytes);
        self.0.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
