//! Directories of this machine as the tree of an image.

use std::fs;
use std::path::Path;
use std::process::Command;

use launchpath_image::tree::{Metadata, TreeBuilder};

/// The real interpreter: its program, its standard library.
pub(crate) struct Python {
    pub(crate) program: String,
    pub(crate) library: String,
}

/// The interpreter on the path; `None` after saying why the test is skipped.
pub(crate) fn python() -> Option<Python> {
    let script = "import os, sys, sysconfig; print(os.path.realpath(sys.executable)); print(sysconfig.get_path('stdlib'))";
    let found =
        Command::new("python3").args(["-c", script]).output().ok().filter(|output| output.status.success());
    let Some(output) = found else {
        assert!(std::env::var_os("CI").is_none(), "CI has python3");
        println!("skipped: there is no python3 to compare with");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines().map(str::to_owned);
    Some(Python { program: lines.next()?, library: lines.next()? })
}

/// Adds a file or a directory with everything below but `without`, at the path it has on disk.
pub(crate) fn add(builder: &mut TreeBuilder, path: &Path, without: &[&str]) {
    let Ok(kind) = fs::symlink_metadata(path) else { return };
    let name = path.to_str().unwrap();
    if kind.is_symlink() {
        let target = fs::read_link(path).unwrap();
        builder.add_symlink(name, target.to_str().unwrap(), Metadata::of_mode(0o777)).unwrap();
    } else if kind.is_dir() {
        if path.ends_with("__pycache__") || without.iter().any(|without| path.ends_with(without)) {
            return;
        }
        builder.add_directory(name, Metadata::of_mode(0o755)).unwrap();
        let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for entry in entries {
            add(builder, &entry, without);
        }
    } else {
        // Of a compiled file only the header counts here.
        let mut content = fs::read(path).unwrap();
        if content.starts_with(b"\x7fELF") {
            content.truncate(4096);
        }
        builder.add_file(name, Metadata::of_mode(0o755), &mut content.as_slice()).unwrap();
    }
}

/// The interpreter with its standard library.
pub(crate) fn add_python(builder: &mut TreeBuilder, python: &Python) {
    add(builder, Path::new(&python.program), &[]);
    let library = Path::new(&python.library);
    let test = library.join("test");
    let site = library.join("site-packages");
    let without = [test.to_str().unwrap(), site.to_str().unwrap()];
    add(builder, library, &without);
}
