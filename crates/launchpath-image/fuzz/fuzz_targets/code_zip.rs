//! No bytes make a zip panic, hang or grow without bound; no name of it leads out.
#![no_main]

use std::io::Cursor;

use launchpath_image::code_zip::read;
use launchpath_image::tree::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { entries: 10_000, bytes: 4 << 20, file: 1 << 20, depth: 64, path: 1024 };
    if let Ok(tree) = read(Cursor::new(bytes), Cursor::new(Vec::new()), limits) {
        assert!(tree.walk("/").all(|entry| !entry.path().split('/').any(|part| part == "..")));
    }
});
