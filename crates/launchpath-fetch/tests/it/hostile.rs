//! Images made to do harm: limits hold, and the message says which.

use launchpath_image::tree::Limits;
use serde_json::json;

use crate::image::{GZIP, Image, descriptor, from_layout, gzip, layer, layout_files};

#[test]
fn a_gzip_bomb_meets_a_limit() {
    let limits = Limits { bytes: 8 << 20, file: 8 << 20, ..Limits::default() };
    // Content.
    let plain = layer(&[("zeros", &"\0".repeat(64 << 20))]);
    let image = Image::new(&[(GZIP, gzip(&plain), &plain)]);
    let error = from_layout(&image.layout_files()).unwrap().tree(limits).unwrap_err().to_string();
    assert!(error.contains("more than 8388608 bytes in one file (at zeros)"), "{error}");
}

#[test]
fn an_index_that_never_ends_is_left() {
    let mut inner = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
    let mut blobs = vec![inner.clone()];
    for _ in 0..10 {
        let entry = descriptor("application/vnd.oci.image.index.v1+json", &inner);
        inner = json!({ "schemaVersion": 2, "manifests": [entry] }).to_string().into_bytes();
        blobs.push(inner.clone());
    }
    let top = descriptor("application/vnd.oci.image.index.v1+json", &inner);
    let error = from_layout(&layout_files(&[top], blobs)).err().unwrap().to_string();
    assert!(error.contains("more than 4 indexes inside each other"), "{error}");
}

#[test]
fn a_document_that_claims_to_be_huge_is_not_read() {
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", b"{}");
    entry["size"] = json!(1u64 << 40);
    let error = from_layout(&layout_files(&[entry], [b"{}".to_vec()])).err().unwrap().to_string();
    assert!(error.contains("the manifest is larger than 4194304 bytes"), "{error}");
}

#[test]
fn documents_of_random_bytes_are_errors() {
    let image = Image::with_files(&[("a", "")]);
    let files = image.layout_files();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..300 {
        let mut changed = files.clone();
        for _ in 0..=round % 5 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let bytes = &mut changed[1].1;
            let at = usize::try_from(state >> 8).unwrap() % bytes.len();
            bytes[at] = state.to_le_bytes()[0];
        }
        // Never a panic; an index that still leads to the same manifest is fine.
        let _ = from_layout(&changed).and_then(|mut image| image.tree(Limits::default()));
    }
}

#[test]
fn a_config_that_lists_other_layers_is_refused() {
    let mut image = Image::with_files(&[("a", "")]);
    image.config["rootfs"]["diff_ids"] = json!([]);
    let config = image.config.to_string().into_bytes();
    image.manifest["config"] = descriptor("application/vnd.oci.image.config.v1+json", &config);
    image.blobs.push(config);
    let error = from_layout(&image.layout_files()).unwrap().tree(Limits::default()).unwrap_err().to_string();
    assert!(error.contains("the manifest has 1 layers, its config lists 0"), "{error}");
}
