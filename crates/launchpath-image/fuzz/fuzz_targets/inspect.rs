//! Any files in an image, any command: an answer, never a panic, and the same one twice.
//! `cargo +nightly fuzz run inspect` in `crates/launchpath-image`. The text is cut at NUL: the command, then files in turn.
#![no_main]

use launchpath_image::inspect::{Asked, Subject, inspect};
use launchpath_image::tree::TreeBuilder;
use libfuzzer_sys::fuzz_target;

const FILES: &[&str] = &[
    "/app/main.py",
    "/app/pkg/__init__.py",
    "/app/pkg/module.py",
    "/app/run.sh",
    "/app/package.json",
    "/app/server.js",
    "/app/requirements.txt",
    "/etc/passwd",
    "/usr/local/lib/python3.12/site-packages/x.pth",
    "/usr/local/lib/python3.12/site-packages/x-1.dist-info/METADATA",
    "/usr/bin/program",
    "/app/node_modules/a/package.json",
    "/app/node_modules/a/index.js",
    "/usr/lib/python3.12/site-packages/y.cpython-312-x86_64-linux-gnu.so",
];

fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let argv: Vec<String> = parts.next().unwrap_or_default().split('\n').map(str::to_owned).collect();
    let mut builder = TreeBuilder::in_memory()
        .executable("/usr/bin/python3.12", "")
        .executable("/usr/bin/node", "")
        .executable("/bin/sh", "")
        .file("/usr/lib/python3.12/os.py", "");
    for (path, content) in FILES.iter().zip(parts) {
        builder = builder.executable(path, content);
    }
    let Ok(tree) = builder.finish() else { return };
    let container = Subject::RootFs { argv: &argv };
    let zip = Subject::CodeZip { bytes: 1, entry_point: &argv };
    for subject in [container, zip] {
        assert_eq!(inspect(&subject, &tree, &Asked::default()), inspect(&subject, &tree, &Asked::default()));
    }
});
