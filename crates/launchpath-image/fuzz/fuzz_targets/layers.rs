//! No bytes make a layer panic, hang or grow without bound; every path of a tree leads back to its entry, and never out.
#![no_main]

use launchpath_image::tree::{Limits, TreeBuilder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|layers: Vec<Vec<u8>>| {
    let limits = Limits { entries: 10_000, bytes: 4 << 20, file: 1 << 20, depth: 64, path: 1024 };
    let mut builder = TreeBuilder::in_memory().limits(limits);
    for layer in &layers {
        // What was laid before an error stays, as a tree must be sound whatever happened.
        let _ = builder.layer(layer.as_slice());
    }
    let tree = builder.finish().expect("memory is no disk that fails");
    for entry in tree.walk("/") {
        assert!(entry.path().starts_with('/') && !entry.path().split('/').any(|part| part == ".."));
        let same = tree.entry(entry.path()).expect("a path of the tree leads somewhere");
        assert_eq!((same.inode(), same.path()), (entry.inode(), entry.path()));
        if entry.is_file() {
            let bytes = tree.read_entry(&entry, limits.file).expect("a file has its bytes");
            assert_eq!(bytes.len() as u64, entry.size());
        }
        let _ = tree.resolve(entry.path());
    }
});
