//! No bytes of an archive make opening, reading or unpacking it panic, and nothing is made outside of the directory.
#![no_main]

use std::io::Write as _;

use launchpath_fetch::unpack::{Ownership, unpack};
use launchpath_fetch::{Options, open};
use launchpath_image::tree::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("archive");
    let mut file = std::fs::File::create(&path).expect("a file");
    file.write_all(bytes).expect("written");
    let Some(name) = path.to_str() else { return };
    let Ok(mut artifact) = open(name, &Options::default()) else { return };
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    let Ok(tree) = artifact.tree(limits) else { return };
    let root = place.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    let _ = unpack(&tree, &root, Ownership::Caller);
    let beside = std::fs::read_dir(place.path()).expect("a folder").count();
    assert_eq!(beside, 2, "the archive and the root");
});
