//! OCI layouts: directories, indexes in them, digests.

use launchpath_fetch::{Artifact, Options, open};
use launchpath_image::digest::Digest;
use launchpath_image::tree::Limits;
use serde_json::json;

use crate::image::{
    GZIP, Image, PLAIN, ZSTANDARD, descriptor, fetch, from_layout, gzip, layer, layout_files, write,
    zstandard,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[test]
fn layers_of_every_compression_are_laid_over_each_other() {
    let plain = [
        layer(&[("app/a", "gzip"), ("app/z", "old")]),
        layer(&[("app/b", "zstandard"), ("app/z", "new")]),
        layer(&[("app/c", "none"), ("app/.wh.a", "")]),
    ];
    let image = Image::new(&[
        (GZIP, [gzip(&plain[0][..700]), gzip(&plain[0][700..])].concat(), &plain[0]),
        (ZSTANDARD, [b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &zstandard(&plain[1])].concat(), &plain[1]),
        (PLAIN, plain[2].clone(), &plain[2]),
    ]);
    let mut container = from_layout(&image.layout_files()).unwrap();
    let documents = container.documents();
    assert_eq!(documents.manifest.as_ref().unwrap().digest, Digest::of(&image.manifest_bytes()));
    assert_eq!(documents.config.value.architecture.as_deref(), Some("arm64"));
    assert_eq!((documents.indexes.len(), documents.layers, documents.media_type()), (0, 3, MANIFEST));
    let tree = container.tree(Limits::default()).unwrap();
    let paths: Vec<String> = tree.walk("/").map(|entry| entry.path().to_owned()).collect();
    assert_eq!(paths, ["/app", "/app/b", "/app/c", "/app/z"]);
    assert_eq!(tree.read("/app/z", 10).unwrap(), b"new");
    assert_eq!(tree.read("/app/b", 10).unwrap(), b"zstandard");
}

#[test]
fn an_index_leads_to_the_services_platform() {
    let arm = Image::with_files(&[("arm", "")]);
    let plain = layer(&[("amd", "")]);
    let amd = Image::of("amd64", &[(GZIP, gzip(&plain), &plain)]);
    let entry = |image: &Image, architecture: &str| {
        let mut entry = descriptor(MANIFEST, &image.manifest_bytes());
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        entry
    };
    let mut attestation = descriptor(MANIFEST, b"{}");
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let index = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&amd, "amd64"), entry(&arm, "arm64"), attestation] });
    let index = index.to_string().into_bytes();
    let top = descriptor("application/vnd.oci.image.index.v1+json", &index);
    let blobs = [&arm, &amd]
        .into_iter()
        .flat_map(|image| image.blobs.iter().cloned().chain([image.manifest_bytes()]).collect::<Vec<_>>());
    let place = tempfile::tempdir().unwrap();
    write(place.path(), &layout_files(&[top], blobs.chain([index.clone()])));
    let at = place.path().to_str().unwrap();
    let container = fetch(at).unwrap();
    let documents = container.documents();
    assert_eq!(documents.indexes[0].digest, Digest::of(&index));
    assert_eq!(documents.indexes[0].value.attestations(), 1);
    assert_eq!(documents.platform().architecture.as_deref(), Some("arm64"));
    let native =
        |text: &str| open(at, &Options { platform: Some(text.parse().unwrap()), ..Options::default() });
    let Artifact::Container(container) = native("linux/amd64").unwrap() else { panic!("no container") };
    assert_eq!(container.documents().platform().architecture.as_deref(), Some("amd64"));
    let error = native("linux/s390x").err().unwrap();
    assert!(
        error.to_string().contains("no image is for linux/s390x; there: linux/amd64, linux/arm64"),
        "{error}"
    );
}

#[test]
fn a_named_image_of_a_layout_is_found() {
    let images = [Image::with_files(&[("one", "")]), Image::with_files(&[("two", "")])];
    let entries = [("v1", 0), ("v2", 1)].map(|(name, index): (&str, usize)| {
        let mut entry = descriptor(MANIFEST, &images[index].manifest_bytes());
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        entry
    });
    let blobs = images
        .iter()
        .flat_map(|image| image.blobs.iter().cloned().chain([image.manifest_bytes()]).collect::<Vec<_>>());
    let place = tempfile::tempdir().unwrap();
    write(place.path(), &layout_files(&entries, blobs));
    let at = place.path().to_str().unwrap();
    for (argument, file) in [(format!("{at}:v2"), "/two"), (format!("oci:{at}:v1"), "/one")] {
        let tree = fetch(&argument).unwrap().tree(Limits::default()).unwrap();
        assert!(tree.lookup(file).is_some(), "{argument}");
    }
    let error = fetch(at).err().unwrap().to_string();
    assert!(error.contains("there are several images; name one: v1, v2"), "{error}");
    let error = fetch(&format!("{at}:v3")).err().unwrap().to_string();
    assert!(error.contains("no image is called `v3`; there: v1, v2"), "{error}");
}

#[test]
fn every_changed_byte_is_noticed() {
    let image = Image::with_files(&[("a", "content")]);
    let files = image.layout_files();
    // Layer, config, manifest: the last three files.
    for (index, what) in [(2, "layer 0"), (3, "the config"), (4, "the manifest")] {
        let mut changed = files.clone();
        let last = changed[index].1.len() - 1;
        changed[index].1[last] ^= 1;
        let error = from_layout(&changed).and_then(|mut image| image.tree(Limits::default())).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("{what} has the digest sha256:")), "{text}");
        let mut longer = files.clone();
        longer[index].1.push(b' ');
        let error = from_layout(&longer).and_then(|mut image| image.tree(Limits::default())).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        let mut gone = files.clone();
        gone.remove(index);
        let error = from_layout(&gone).and_then(|mut image| image.tree(Limits::default())).unwrap_err();
        assert!(error.to_string().ends_with("is missing"), "{error}");
    }
}

#[test]
fn a_layer_that_decompresses_to_something_else_is_noticed() {
    let plain = layer(&[("a", "what the config says")]);
    let other = layer(&[("a", "what is in the image")]);
    let image = Image::new(&[(GZIP, gzip(&other), &plain)]);
    let error = from_layout(&image.layout_files()).unwrap().tree(Limits::default()).unwrap_err().to_string();
    assert!(error.contains("layer 0, decompressed, has the digest"), "{error}");
}

#[test]
fn what_is_no_image_says_so() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().to_str().unwrap();
    let error = fetch(at).err().unwrap();
    assert!(error.to_string().contains("index.json"), "{error}");
    assert!(error.advice().is_some());
    for argument in ["", "/nowhere/at/all", "oci:/nowhere"] {
        let error = fetch(argument).err().unwrap().to_string();
        assert!(error.starts_with(&format!("`{argument}` names no image")), "{error}");
    }
    write(place.path(), &[("index.json".to_owned(), br#"{"schemaVersion":1}"#.to_vec())]);
    let error = fetch(at).err().unwrap().to_string();
    assert!(error.contains("schema 1"), "{error}");
}
