//! Images in one file: OCI archives and what `docker save` writes.

use std::fs;
use std::path::{Path, PathBuf};

use launchpath_fetch::FetchError;
use launchpath_image::tree::Limits;

use crate::image::{Image, archive, fetch, gzip};

fn saved(place: &Path, bytes: &[u8]) -> PathBuf {
    let path = place.join("image.tar");
    fs::write(&path, bytes).unwrap();
    path
}

fn files(path: &Path) -> Result<Vec<String>, FetchError> {
    let tree = fetch(path.to_str().unwrap())?.tree(Limits::default())?;
    Ok(tree.walk("/").map(|entry| entry.path().to_owned()).collect())
}

#[test]
fn a_layout_in_an_archive_is_read_compressed_or_not() {
    let image = Image::with_files(&[("app/main.py", "import os\n")]);
    let bytes = archive(&image.layout_files());
    let place = tempfile::tempdir().unwrap();
    for bytes in [bytes.clone(), gzip(&bytes)] {
        let path = saved(place.path(), &bytes);
        assert_eq!(files(&path).unwrap(), ["/app", "/app/main.py"]);
    }
}

#[test]
fn an_archive_of_old_docker_has_a_config_and_layers() {
    let image = Image::with_files(&[("app/main.py", "")]);
    let place = tempfile::tempdir().unwrap();
    let path = saved(place.path(), &archive(&image.docker_files()));
    let container = fetch(path.to_str().unwrap()).unwrap();
    let documents = container.documents();
    assert!(documents.manifest.is_none());
    assert_eq!((documents.layers, documents.compressed_bytes()), (1, None));
    assert_eq!(files(&path).unwrap(), ["/app", "/app/main.py"]);
    for name in ["v1", "agent:v1"] {
        assert!(fetch(&format!("docker-archive:{}:{name}", path.display())).is_ok(), "{name}");
    }
    let error = fetch(&format!("{}:v2", path.display())).err().unwrap().to_string();
    assert!(error.contains("no image is called `v2`; there: agent:v1"), "{error}");
    // A layer that is not the one the config names.
    let mut forged = image.docker_files();
    forged[2].1 = crate::image::layer(&[("evil", "")]);
    let path = saved(place.path(), &archive(&forged));
    let error = files(&path).unwrap_err().to_string();
    assert!(error.contains("layer 0, decompressed, has the digest"), "{error}");
}

#[test]
fn documents_are_read_without_the_layers() {
    let image = Image::with_files(&[("a", "x")]);
    let mut files = image.layout_files();
    // The layer's content is a hole: reading it would take long, and its digest is wrong.
    files.remove(2);
    let mut bytes = archive(&files);
    bytes.truncate(bytes.len() - 1024);
    let mut header = tar::Header::new_gnu();
    let name = image.manifest["layers"][0]["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
    header.set_path(name).unwrap();
    header.set_size(300 << 30);
    header.set_cksum();
    bytes.extend(header.as_bytes());
    let place = tempfile::tempdir().unwrap();
    let path = saved(place.path(), &bytes);
    let sparse = fs::OpenOptions::new().write(true).open(&path).unwrap();
    if sparse.set_len(bytes.len() as u64 + (300 << 30)).is_err() {
        println!("skipped: no files with holes here");
        return;
    }
    let begun = std::time::Instant::now();
    let container = fetch(path.to_str().unwrap()).unwrap();
    assert_eq!(container.documents().layers, 1);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
fn what_is_no_archive_says_so() {
    let place = tempfile::tempdir().unwrap();
    for (bytes, expected) in [
        (b"hello, this is text and no archive".repeat(30), "expected a tar archive"),
        (archive(&[("file".to_owned(), b"x".to_vec())]), "has neither index.json (OCI) nor manifest.json"),
        (gzip(b"not a tar archive"), "expected a tar archive"),
        (gzip(&[0; 5000])[..20].to_vec(), "cannot be read"),
    ] {
        let path = saved(place.path(), &bytes);
        let error = fetch(path.to_str().unwrap()).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let whole = archive(&Image::with_files(&[("a", "x")]).layout_files());
    let path = saved(place.path(), &whole[..whole.len() - 2000]);
    let error = files(&path).unwrap_err().to_string();
    assert!(error.contains("ends"), "{error}");
}
