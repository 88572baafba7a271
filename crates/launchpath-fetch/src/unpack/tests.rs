//! Trees in directories: what arrives, and what must not.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use launchpath_image::tree::{Metadata, Tree, TreeBuilder};

use super::{Ownership, UnpackError, Unpacked, unpack};

fn archive(members: &[(tar::EntryType, &str, &str, u32, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name, link, mode, content) in members {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_mtime(1_600_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn tree(members: &[(tar::EntryType, &str, &str, u32, &str)]) -> Tree {
    let mut builder = TreeBuilder::in_memory();
    builder.layer(archive(members).as_slice()).unwrap();
    builder.finish().unwrap()
}

/// Everything below a directory, with what it is.
fn listed(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let name = entry.path().strip_prefix(directory).unwrap().display().to_string();
            found.push(if kind.is_symlink() { format!("{name}@") } else { name });
            if kind.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

const FILE: tar::EntryType = tar::EntryType::Regular;
const FOLDER: tar::EntryType = tar::EntryType::Directory;
const SYMLINK: tar::EntryType = tar::EntryType::Symlink;
const HARD_LINK: tar::EntryType = tar::EntryType::Link;

#[test]
fn everything_arrives_with_permissions_and_times() {
    let tree = tree(&[
        (FOLDER, "sealed", "", 0o555, ""),
        (FILE, "sealed/run", "", 0o750, "#!/bin/sh\n"),
        (HARD_LINK, "again", "sealed/run", 0, ""),
        (SYMLINK, "link", "sealed/run", 0o777, ""),
        (FOLDER, "tmp", "", 0o1777, ""),
    ]);
    let place = tempfile::tempdir().unwrap();
    let made = unpack(&tree, place.path(), Ownership::Caller).unwrap();
    assert_eq!(made, Unpacked { files: 1, hard_links: 1, directories: 2, symlinks: 1, bytes: 10 });
    assert_eq!(listed(place.path()), ["again", "link@", "sealed", "sealed/run", "tmp"]);
    let run = fs::metadata(place.path().join("link")).unwrap();
    assert_eq!((run.mode() & 0o7777, run.mtime(), run.nlink()), (0o750, 1_600_000_000, 2));
    assert_eq!(fs::read_to_string(place.path().join("again")).unwrap(), "#!/bin/sh\n");
    assert_eq!(fs::metadata(place.path().join("sealed")).unwrap().mode() & 0o7777, 0o555);
    assert_eq!(fs::metadata(place.path().join("tmp")).unwrap().mode() & 0o7777, 0o1777);
    // Otherwise the temporary directory cannot be removed by anybody but root.
    fs::set_permissions(place.path().join("sealed"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn nothing_leaves_the_directory() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let out = outside.path().to_str().unwrap();
    let escape = format!("{out}/made");
    let secret = format!("{out}/secret");
    let tree = tree(&[
        // A link out of the tree, then files through it.
        (SYMLINK, "out", out, 0o777, ""),
        (FILE, "out/through", "", 0o644, "x"),
        (SYMLINK, "up", "../../../../../..", 0o777, ""),
        (FILE, "up/etc/through", "", 0o644, "x"),
        (HARD_LINK, "stolen", &secret, 0, ""),
        (HARD_LINK, "stolen2", "out/secret", 0, ""),
        (FILE, &escape, "", 0o644, "x"),
        (FILE, "../made", "", 0o644, "x"),
        (tar::EntryType::Block, "disk", "", 0o666, ""),
        (FILE, "root", "", 0o6755, "x"),
    ]);
    let place = tempfile::tempdir().unwrap();
    unpack(&tree, place.path(), Ownership::Caller).unwrap();
    assert_eq!(listed(outside.path()), ["secret"]);
    let inside = listed(place.path());
    assert!(inside.contains(&"out@".to_owned()) && !inside.iter().any(|name| name.starts_with("stolen")));
    assert!(!inside.contains(&"disk".to_owned()), "{inside:?}");
    // A path through `..` of the root stays inside: the same file a process with this root would have made.
    assert!(inside.contains(&"etc/through".to_owned()), "{inside:?}");
    assert_eq!(fs::metadata(place.path().join("root")).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn only_an_empty_directory_will_do() {
    let tree = TreeBuilder::in_memory().file("/a", "x").finish().unwrap();
    let place = tempfile::tempdir().unwrap();
    unpack(&tree, place.path(), Ownership::Caller).unwrap();
    let error = unpack(&tree, place.path(), Ownership::Caller).unwrap_err();
    assert!(matches!(error, UnpackError::NotEmpty(_)), "{error}");
    let link = place.path().join("link");
    let other = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(other.path(), &link).unwrap();
    let error = unpack(&tree, &link, Ownership::Caller).unwrap_err();
    assert!(matches!(error, UnpackError::Directory { .. }), "{error}");
    assert_eq!(listed(other.path()), [""; 0]);
}

#[test]
fn owners_are_kept_for_those_who_may() {
    let owner = Metadata { mode: 0o600, uid: 1234, gid: 2345, modified: 5 };
    let tree = TreeBuilder::in_memory().file_with("/a", "x", owner).symlink("/l", "a").finish().unwrap();
    let place = tempfile::tempdir().unwrap();
    if !rustix::process::geteuid().is_root() {
        assert!(unpack(&tree, place.path(), Ownership::Image).is_err());
        return;
    }
    unpack(&tree, place.path(), Ownership::Image).unwrap();
    let file = fs::metadata(place.path().join("a")).unwrap();
    assert_eq!((file.uid(), file.gid(), file.mode() & 0o7777, file.mtime()), (1234, 2345, 0o600, 5));
}

#[test]
fn a_path_as_deep_as_allowed_arrives() {
    let deep = vec!["d"; 500].join("/");
    let tree = TreeBuilder::in_memory().file(&deep, "deep").finish().unwrap();
    let place = tempfile::tempdir().unwrap();
    let made = unpack(&tree, place.path(), Ownership::Caller).unwrap();
    assert_eq!((made.directories, made.files), (499, 1));
}
