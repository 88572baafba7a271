//! `inspect`: an image in files, its record, its text, its exit code.

use std::fs;
use std::path::Path;

use launchpath_image::digest::Digest;
use serde_json::{Value, json};

use crate::program::launchpath;

/// An OCI layout of one plain layer with a Python agent that imports `import`.
fn layout(folder: &Path, import: &str) {
    let site = "usr/lib/python3.12/site-packages";
    let mut layer = tar::Builder::new(Vec::new());
    let mut elf = vec![0; 64];
    elf[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0");
    let main = format!("import http.server\nfrom langchain.{import} import x\n").into_bytes();
    for (name, mode, content) in [
        ("usr/bin/python3.12".to_owned(), 0o755, elf),
        ("usr/lib/python3.12/os.py".to_owned(), 0o644, Vec::new()),
        ("usr/lib/python3.12/http/__init__.py".to_owned(), 0o644, Vec::new()),
        ("usr/lib/python3.12/http/server.py".to_owned(), 0o644, Vec::new()),
        (format!("{site}/langchain/__init__.py"), 0o644, Vec::new()),
        (format!("{site}/langchain/chains.py"), 0o644, b"x = 1\n".to_vec()),
        (
            format!("{site}/langchain-1.0.0.dist-info/METADATA"),
            0o644,
            b"Name: langchain\nVersion: 1.0.0\n".to_vec(),
        ),
        ("app/main.py".to_owned(), 0o644, main),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        layer.append_data(&mut header, name, content.as_slice()).expect("a member");
    }
    let layer = layer.into_inner().expect("a layer");
    let config = json!({ "os": "linux", "architecture": "arm64",
        "config": { "Cmd": ["python3.12", "main.py"], "WorkingDir": "/app", "Env": ["PATH=/usr/bin", "KEY=s3cret"] },
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).as_str()] } });
    let config = config.to_string().into_bytes();
    let descriptor = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": Digest::of(bytes).as_str(), "size": bytes.len() });
    let manifest = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)] });
    let manifest = manifest.to_string().into_bytes();
    let index = json!({ "schemaVersion": 2,
        "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", &manifest)] });
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    for bytes in [layer, config, manifest] {
        fs::write(blobs.join(Digest::of(&bytes).hex()), bytes).expect("a blob");
    }
    fs::write(folder.join("index.json"), index.to_string()).expect("an index");
}

#[test]
fn an_import_that_must_fail_is_found_without_running() {
    let place = tempfile::tempdir().expect("a folder");
    layout(place.path(), "callbacks");
    let image = place.path().display().to_string();
    let run = launchpath(&["inspect", &image, "--format", "json"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    let record = run.json();
    assert_eq!(record["kind"], "container");
    assert_eq!(record["platform"], json!({ "os": "linux", "architecture": "arm64", "variant": null }));
    assert_eq!(record["config"]["environment_names"], json!(["PATH", "KEY"]));
    assert!(!run.stdout.contains("s3cret"), "{}", run.stdout);
    assert_eq!(record["start"]["file"], "/app/main.py");
    assert_eq!(record["distributions"], json!({ "langchain": "1.0.0" }));
    let finding = &record["findings"][0];
    assert_eq!((&finding["kind"], &finding["certainty"]), (&json!("missing_submodule"), &json!("certain")));
    assert_eq!((&finding["file"], &finding["line"]), (&json!("/app/main.py"), &json!(2)));
    let text = launchpath(&["inspect", &image]);
    assert_eq!(text.code, 1);
    for part in [
        "1 thing will keep this from launching",
        "langchain.callbacks is imported",
        "/app/main.py:2",
        "linux/arm64",
    ] {
        assert!(text.stdout.contains(part), "{part}\n{}", text.stdout);
    }
}

#[test]
fn a_sound_image_has_nothing_certain_and_its_record_is_evidence() {
    let place = tempfile::tempdir().expect("a folder");
    layout(&place.path().join("image"), "chains");
    let image = place.path().join("image").display().to_string();
    let bundle = place.path().join("case.json").display().to_string();
    for calls in 1..=2 {
        let run = launchpath(&["inspect", &image, "--bundle", &bundle]);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        let saved: Value = serde_json::from_slice(&fs::read(&bundle).expect("a bundle")).expect("JSON");
        assert_eq!(saved["calls"].as_array().map(Vec::len), Some(calls));
        let call = &saved["calls"][calls - 1];
        assert_eq!((&call["service"], &call["operation"]), (&json!("launchpath"), &json!("InspectImage")));
        assert_eq!(call["request"], json!({ "image": image }));
        assert_eq!(call["response"]["distributions"]["langchain"], "1.0.0");
    }
}

#[test]
fn what_is_no_image_says_so_with_its_code() {
    let place = tempfile::tempdir().expect("a folder");
    layout(place.path(), "chains");
    let image = place.path().display().to_string();
    assert_eq!(launchpath(&["inspect", "/nowhere/at.tar"]).code, 252);
    assert_eq!(launchpath(&["inspect", &image, "--platform", "linux"]).code, 252);
    assert_eq!(launchpath(&["inspect", "s3://bucket"]).code, 252);
    let index: Value =
        serde_json::from_slice(&fs::read(place.path().join("index.json")).expect("read")).expect("JSON");
    let digest = index["manifests"][0]["digest"].as_str().unwrap_or_default().replace("sha256:", "");
    let path = place.path().join("blobs/sha256").join(digest);
    let mut bytes = fs::read(&path).expect("a manifest");
    let last = bytes.len() - 1;
    bytes[last] = b' ';
    fs::write(&path, bytes).expect("written");
    let run = launchpath(&["inspect", &image]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("the manifest has the digest") && run.stderr.contains("damaged"),
        "{}",
        run.stderr
    );
}
