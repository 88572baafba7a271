//! No bytes make a layer panic, hang or grow without bound; every path of a tree leads back to its entry, and never out.
#![no_main]

use launchpath_image::tree::{Limits, TreeBuilder};
use libfuzzer_sys::fuzz_target;

/// Every block with the checksum that a header would have: no fuzzer guesses one.
fn with_checksums(mut layer: Vec<u8>) -> Vec<u8> {
    for block in layer.chunks_exact_mut(512) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    layer
}

/// Between two layers of one input: a corpus of tar files is a corpus of layers.
const MARK: &[u8] = b"--layer--";

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { entries: 10_000, bytes: 4 << 20, file: 1 << 20, depth: 64, path: 1024 };
    let mut builder = TreeBuilder::in_memory().limits(limits);
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.windows(MARK.len()).position(|window| window == MARK);
        let (layer, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after.get(MARK.len()..).unwrap_or_default();
        let layer = match layer.strip_prefix(b"raw") {
            Some(raw) => raw.to_vec(),
            None => with_checksums(layer.to_vec()),
        };
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
