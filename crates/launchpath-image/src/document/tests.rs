//! Documents that real tools wrote, and documents that none would.

use std::path::Path;

use serde_json::{Value, json};

use super::{Document, DocumentError, Index, SelectError, Wanted, Wished, config, platform_text};
use crate::digest::Digest;

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

fn entry(letter: char, platform: &Value) -> Value {
    json!({ "digest": digest(letter), "size": 7, "platform": platform })
}

fn index(entries: &[Value]) -> Index {
    let bytes = json!({ "schemaVersion": 2, "manifests": entries }).to_string();
    match Document::read(bytes.as_bytes(), None).unwrap() {
        Document::Index(index) => index,
        Document::Manifest(_) => panic!("an index is no manifest"),
    }
}

fn arm64() -> Value {
    json!({ "os": "linux", "architecture": "arm64" })
}

fn amd64() -> Value {
    json!({ "os": "linux", "architecture": "amd64" })
}

fn chosen(index: &Index, wanted: &Wanted) -> Result<char, SelectError> {
    index.select(wanted).map(|entry| entry.digest.hex().chars().next().unwrap())
}

#[test]
fn the_services_architecture_is_chosen_first() {
    let unknown = json!({ "os": "unknown", "architecture": "unknown" });
    let both = index(&[entry('a', &amd64()), entry('b', &unknown), entry('c', &arm64())]);
    assert_eq!(chosen(&both, &Wanted::default()), Ok('c'));
    assert_eq!((both.attestations(), both.platforms().join(" ")), (1, "linux/amd64 linux/arm64".into()));
    let native = Wanted { name: None, platform: Some("linux/amd64".parse().unwrap()) };
    assert_eq!(chosen(&both, &native), Ok('a'));
    let riscv = Wanted { name: None, platform: Some(Wished::linux("riscv64")) };
    let error = chosen(&both, &riscv).unwrap_err();
    assert_eq!(error.to_string(), "no image is for linux/riscv64; there: linux/amd64, linux/arm64");
    assert_eq!(chosen(&index(&[entry('a', &amd64())]), &Wanted::default()), Ok('a'));
    let error = chosen(&index(&[entry('b', &unknown)]), &Wanted::default()).unwrap_err();
    assert_eq!(error.to_string(), "the index holds no image, only 1 build attestations");
    assert!("linux".parse::<Wished>().is_err());
}

#[test]
fn a_variant_counts_when_it_is_asked_for() {
    let v8 = json!({ "os": "linux", "architecture": "arm64", "variant": "v8" });
    let there = index(&[entry('a', &arm64()), entry('b', &v8)]);
    for (text, expected) in [("linux/arm64/v8", Some('a')), ("linux/arm64/v9", None)] {
        let wanted = Wanted { name: None, platform: Some(text.parse().unwrap()) };
        assert_eq!(chosen(&there, &wanted).ok(), expected, "{text}");
    }
    assert_eq!(platform_text(there.entries[1].platform.as_ref()), "linux/arm64/v8");
}

#[test]
fn a_layout_is_searched_by_name() {
    let named = |letter: char, name: &str| {
        json!({ "digest": digest(letter), "size": 1,
            "annotations": { "org.opencontainers.image.ref.name": name } })
    };
    let there = index(&[named('a', "v1"), named('b', "registry.test/agent:v2")]);
    let by_name = |name: &str| chosen(&there, &Wanted { name: Some(name.into()), platform: None });
    assert_eq!(by_name("v1"), Ok('a'));
    assert_eq!(by_name("v2"), Ok('b'));
    assert_eq!(by_name("registry.test/agent:v2"), Ok('b'));
    let error = by_name("v3").unwrap_err().to_string();
    assert_eq!(error, "no image is called `v3`; there: v1, registry.test/agent:v2");
    let error = chosen(&there, &Wanted::default()).unwrap_err().to_string();
    assert_eq!(error, "there are several images; name one: v1, registry.test/agent:v2");
}

#[test]
fn what_is_no_image_is_refused_by_name() {
    let read = |value: Value| Document::read(value.to_string().as_bytes(), None);
    assert_eq!(read(json!({ "schemaVersion": 1, "fsLayers": [] })), Err(DocumentError::Schema1));
    let chart =
        json!({ "mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest('a'), "size": 1 });
    let error = read(json!({ "config": chart, "layers": [] })).unwrap_err().to_string();
    assert_eq!(
        error,
        "this is no container image but an artifact of type application/vnd.cncf.helm.config.v1+json"
    );
    let blob = json!({ "digest": digest('a'), "size": 1 });
    let error = read(json!({ "config": blob, "manifests": [] })).unwrap_err().to_string();
    assert_eq!(error, "the manifest cannot be read: it is an index and a manifest at once");
    let bad = json!({ "digest": "sha256:../../etc/passwd", "size": 1 });
    let error = read(json!({ "config": bad })).unwrap_err().to_string();
    assert!(error.starts_with("the config: `sha256:../../etc/passwd` is no digest"), "{error}");
    let bad = json!({ "digest": digest('a'), "size": -1 });
    assert_eq!(read(json!({ "config": bad })), Err(DocumentError::Size("the config".into())));
    assert!(Document::read(b"\xff\xd8\xff", None).unwrap_err().to_string().contains("cannot be read"));
    let many: Vec<Value> = (0..1025).map(|_| blob.clone()).collect();
    assert!(matches!(read(json!({ "config": blob, "layers": many })), Err(DocumentError::TooMany { .. })));
}

#[test]
fn layers_that_are_elsewhere_or_sealed_are_refused() {
    let check = |media_type: &str| {
        let blob = json!({ "digest": digest('a'), "size": 1 });
        let layer = json!({ "digest": digest('b'), "size": 1, "mediaType": media_type });
        let bytes = json!({ "config": blob, "layers": [layer] }).to_string();
        match Document::read(bytes.as_bytes(), None).unwrap() {
            Document::Manifest(manifest) => manifest.check_layers(),
            Document::Index(_) => panic!("a manifest is no index"),
        }
    };
    for fine in
        ["application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar.gzip"]
    {
        assert_eq!(check(fine), Ok(()), "{fine}");
    }
    for foreign in [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ] {
        assert!(matches!(check(foreign), Err(DocumentError::ForeignLayer { layer: 0, .. })), "{foreign}");
    }
    let sealed = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
    assert!(matches!(check(sealed), Err(DocumentError::LayerType { .. })));
    assert!(matches!(check("application/vnd.in-toto+json"), Err(DocumentError::Artifact(_))));
}

/// 132 documents of other people's repositories, with labels.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test may read its data")]
fn documents_from_the_field_are_read_as_they_are_labelled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/oci");
    let Ok(labels) = std::fs::read_to_string(folder.join("labels.jsonl")) else {
        println!("skipped: {} is not here", folder.display());
        return;
    };
    let mut seen = 0;
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let id = label["id"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(label["file"].as_str().unwrap())).unwrap();
        let expected = &label["expected"];
        if let Some(hex) = label["sha256"].as_str() {
            assert_eq!(Digest::of(&bytes).hex(), hex, "{id}");
        }
        seen += 1;
        match label["kind"].as_str().unwrap() {
            "index" => check_index(id, &bytes, expected),
            "manifest" => check_manifest(id, &bytes, label["media_type"].as_str(), expected),
            "manifest-schema1" => {
                assert_eq!(Document::read(&bytes, None), Err(DocumentError::Schema1), "{id}");
            }
            "config" => check_config(id, &bytes, expected),
            other => panic!("{id}: a kind of its own: {other}"),
        }
    }
    assert!(seen >= 132, "{seen}");
}

fn check_index(id: &str, bytes: &[u8], expected: &Value) {
    let index = match Document::read(bytes, None) {
        Ok(Document::Index(index)) => index,
        // Transcribed records left sizes or whole digests out.
        Err(DocumentError::Digest { .. } | DocumentError::Size(_)) if id.starts_with("ociidx") => return,
        other => panic!("{id}: {other:?}"),
    };
    if let Some(count) = expected["attestations"].as_u64() {
        assert_eq!(index.attestations() as u64, count, "{id}");
    }
    let Some(entries) = expected["entries"].as_array() else { return };
    assert_eq!(index.entries.len(), entries.len(), "{id}");
    for (entry, label) in index.entries.iter().zip(entries) {
        // Other companions of an image (`unknown/unknown`) are told from images in the same way.
        let companion = label["attestation"] == true || label["platform"] == "unknown/unknown";
        assert_eq!(entry.attestation, companion, "{id}");
        let platform = entry.platform.as_ref().map(|p| platform_text(Some(p)));
        let plain = |text: Option<&str>| text.map(|t| t.split('/').take(2).collect::<Vec<_>>().join("/"));
        assert_eq!(plain(platform.as_deref()), plain(label["platform"].as_str()), "{id}");
    }
    let linux_arm64 =
        index.entries.iter().any(|e| e.platform.as_ref().is_some_and(|p| Wished::linux("arm64").accepts(p)));
    assert_eq!(Some(linux_arm64), expected["has_linux_arm64"].as_bool(), "{id}");
    if linux_arm64 && index.entries.iter().all(|entry| entry.artifact_type.is_none()) {
        let entry = index.select(&Wanted::default()).unwrap();
        assert_eq!(entry.platform.as_ref().and_then(|p| p.architecture.as_deref()), Some("arm64"), "{id}");
    }
}

fn check_manifest(id: &str, bytes: &[u8], media_type: Option<&str>, expected: &Value) {
    let read = Document::read(bytes, media_type);
    if expected["is_runnable_image"] == false && expected["is_attestation_manifest"] == false {
        assert!(matches!(read, Err(DocumentError::Artifact(_))), "{id}: {read:?}");
        return;
    }
    if serde_json::from_slice::<Value>(bytes).unwrap()["config"]["size"] == -1 {
        assert_eq!(read, Err(DocumentError::Size("the config".into())), "{id}");
        return;
    }
    let Ok(Document::Manifest(manifest)) = read else { panic!("{id}: {read:?}") };
    assert_eq!(Some(manifest.layers.len() as u64), expected["layers"].as_u64(), "{id}");
    assert_eq!(Some(manifest.compressed_bytes()), expected["total_layer_bytes"].as_u64(), "{id}");
    assert_eq!(Some(manifest.is_attestation()), expected["is_attestation_manifest"].as_bool(), "{id}");
    let types = expected["layer_media_types"].as_array().cloned().unwrap_or_default();
    let refused = |t: &str| ["foreign", "nondistributable", "encrypted"].iter().any(|word| t.contains(word));
    let all_tar = types.iter().filter_map(Value::as_str).all(|t| t.contains(".tar") && !refused(t));
    let usable = expected["is_runnable_image"] == true && all_tar;
    assert_eq!(manifest.check_layers().is_ok(), usable, "{id}: {:?}", manifest.check_layers());
}

fn check_config(id: &str, bytes: &[u8], expected: &Value) {
    let config = config(bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(config.os.as_deref(), expected["os"].as_str(), "{id}");
    assert_eq!(config.architecture.as_deref(), expected["architecture"].as_str(), "{id}");
    assert_eq!(config.variant.as_deref(), expected["variant"].as_str(), "{id}");
    let layers = config.rootfs.and_then(|rootfs| rootfs.diff_ids).unwrap_or_default();
    assert_eq!(Some(layers.len() as u64), expected["layers"].as_u64(), "{id}");
    let process = config.config.unwrap_or_default();
    assert_eq!(json!(process.cmd), expected["cmd"], "{id}");
    assert_eq!(json!(process.entrypoint), expected["entrypoint"], "{id}");
    let ports: Vec<String> = process.exposed_ports.unwrap_or_default().into_keys().collect();
    assert_eq!(json!(ports), expected["exposed_ports"], "{id}");
}
