//! No bytes make a document panic; what is read names nothing but digests.
#![no_main]

use launchpath_image::document::{Document, Wanted, config};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = config(bytes);
    match Document::read(bytes, None) {
        Ok(Document::Index(index)) => {
            if let Ok(entry) = index.select(&Wanted::default()) {
                assert!(entry.digest.hex().bytes().all(|byte| byte.is_ascii_hexdigit()));
            }
            let _ = index.platforms();
        }
        Ok(Document::Manifest(manifest)) => {
            let _ = (manifest.check_layers(), manifest.compressed_bytes());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
