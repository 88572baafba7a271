//! Images in the making: layers, documents, layouts and archives, each as a tool would write it or with one thing wrong.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use launchpath_fetch::{Artifact, Container, FetchError, Options, open};
use launchpath_image::digest::Digest;
use serde_json::{Value, json};

pub(crate) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const ZSTANDARD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub(crate) const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layer of these files.
pub(crate) fn layer(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One Zstandard frame of a raw block, as the format allows for what does not compress.
pub(crate) fn zstandard(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    let mut chunks = bytes.chunks(1 << 16).peekable();
    while let Some(chunk) = chunks.next() {
        let last = u32::from(chunks.peek().is_none());
        let header = u32::try_from(chunk.len()).unwrap() << 3 | last;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(chunk);
    }
    frame
}

/// The parts of an image, to be written in some form.
pub(crate) struct Image {
    pub(crate) blobs: Vec<Vec<u8>>,
    pub(crate) config: Value,
    pub(crate) manifest: Value,
    pub(crate) layers: Vec<Vec<u8>>,
}

impl Image {
    /// An arm64 image of layers as they are stored: media type, stored bytes, plain bytes.
    pub(crate) fn new(layers: &[(&str, Vec<u8>, &[u8])]) -> Self {
        Self::of("arm64", layers)
    }

    pub(crate) fn of(architecture: &str, layers: &[(&str, Vec<u8>, &[u8])]) -> Self {
        let diff_ids: Vec<String> =
            layers.iter().map(|(_, _, plain)| Digest::of(plain).to_string()).collect();
        let config = json!({
            "os": "linux", "architecture": architecture,
            "config": { "Cmd": ["/app/main"], "User": "1000", "ExposedPorts": { "8080/tcp": {} } },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let entries: Vec<Value> =
            layers.iter().map(|(media_type, stored, _)| descriptor(media_type, stored)).collect();
        let bytes = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &bytes), "layers": entries,
        });
        let stored = layers.iter().map(|(_, stored, _)| stored.clone());
        let blobs = stored.chain([bytes]).collect();
        let plain = layers.iter().map(|(.., plain)| plain.to_vec()).collect();
        Self { blobs, config, manifest, layers: plain }
    }

    /// An image of one gzip layer with these files.
    pub(crate) fn with_files(files: &[(&str, &str)]) -> Self {
        let plain = layer(files);
        Self::new(&[(GZIP, gzip(&plain), &plain)])
    }

    pub(crate) fn manifest_bytes(&self) -> Vec<u8> {
        self.manifest.to_string().into_bytes()
    }

    /// The files of an OCI layout whose index points to the manifest.
    pub(crate) fn layout_files(&self) -> Vec<(String, Vec<u8>)> {
        let manifest = self.manifest_bytes();
        let entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
        layout_files(&[entry], self.blobs.iter().cloned().chain([manifest]))
    }

    /// The files that old versions of `docker save` write.
    pub(crate) fn docker_files(&self) -> Vec<(String, Vec<u8>)> {
        let config = self.config.to_string().into_bytes();
        let name = format!("{}.json", Digest::of(&config).hex());
        let layers: Vec<String> = (0..self.layers.len()).map(|index| format!("{index}/layer.tar")).collect();
        let saved = json!([{ "Config": name, "RepoTags": ["agent:v1"], "Layers": layers }]);
        let mut files = vec![(name, config), ("manifest.json".to_owned(), saved.to_string().into_bytes())];
        files.extend(layers.into_iter().zip(self.layers.iter().cloned()));
        files
    }
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len() })
}

pub(crate) fn layout_files(
    entries: &[Value],
    blobs: impl IntoIterator<Item = Vec<u8>>,
) -> Vec<(String, Vec<u8>)> {
    let index = json!({ "schemaVersion": 2, "manifests": entries });
    let mut files = vec![
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".to_owned(), index.to_string().into_bytes()),
    ];
    files.extend(blobs.into_iter().map(|blob| (format!("blobs/sha256/{}", Digest::of(&blob).hex()), blob)));
    files
}

pub(crate) fn write(folder: &Path, files: &[(String, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

pub(crate) fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn fetch(argument: &str) -> Result<Container, FetchError> {
    match open(argument, &Options::default())? {
        Artifact::Container(container) => Ok(*container),
        _ => panic!("{argument} is no container image"),
    }
}

/// A container in a directory that goes when it goes.
pub(crate) struct Kept {
    container: Container,
    _place: tempfile::TempDir,
}

impl std::ops::Deref for Kept {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.container
    }
}

impl std::ops::DerefMut for Kept {
    fn deref_mut(&mut self) -> &mut Container {
        &mut self.container
    }
}

/// The container in a layout of `files`.
pub(crate) fn from_layout(files: &[(String, Vec<u8>)]) -> Result<Kept, FetchError> {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), files);
    let container = fetch(place.path().to_str().unwrap())?;
    Ok(Kept { container, _place: place })
}
