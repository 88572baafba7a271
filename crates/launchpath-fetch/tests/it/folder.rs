//! Root file systems in directories, and code zips.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use launchpath_fetch::{Artifact, Locator, Options, open};
use launchpath_image::tree::{Kind, Limits, Oddity};

#[test]
fn a_root_file_system_is_read_without_leaving_it() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    fs::write(root.join("usr/bin/agent"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("usr/bin/agent"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::hard_link(root.join("usr/bin/agent"), root.join("usr/bin/other")).unwrap();
    symlink(outside.path().join("secret"), root.join("link")).unwrap();
    symlink(outside.path(), root.join("folder")).unwrap();
    std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    for argument in [root.display().to_string(), format!("rootfs:{}", root.display())] {
        let mut artifact = open(&argument, &Options::default()).unwrap();
        assert!(matches!(artifact, Artifact::RootFs(_)));
        let tree = artifact.tree(Limits::default()).unwrap();
        let agent = tree.lookup("/usr/bin/agent").unwrap();
        assert_eq!((agent.mode(), agent.size()), (0o750, 10));
        assert_eq!(agent.inode(), tree.lookup("/usr/bin/other").unwrap().inode());
        assert!(
            matches!(tree.entry("/link").unwrap().kind(), Kind::Symlink(_)) && tree.lookup("/link").is_none()
        );
        assert!(tree.lookup("/folder/secret").is_none());
        assert_eq!(tree.notes().iter().map(|note| note.oddity).collect::<Vec<_>>(), [Oddity::Device]);
    }
}

#[test]
fn a_zip_is_told_by_its_first_bytes() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("code");
    let mut writer = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    writer.start_file("main.py", zip::write::SimpleFileOptions::default()).unwrap();
    writer.finish().unwrap();
    let mut artifact = open(path.to_str().unwrap(), &Options::default()).unwrap();
    assert!(artifact.tree(Limits::default()).unwrap().lookup("/main.py").is_some());
    let Artifact::CodeZip(mut code) = artifact else { panic!("no code zip") };
    let bytes = fs::read(&path).unwrap();
    assert_eq!(code.bytes(), bytes.len() as u64);
    assert_eq!(code.digest().unwrap(), launchpath_image::digest::Digest::of(&bytes));
}

#[test]
fn a_name_after_a_path_is_told_from_the_path() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a:b.tar");
    fs::write(&path, "").unwrap();
    let text = path.display().to_string();
    assert_eq!(Locator::read(&text).unwrap(), Locator::File(path.clone(), None));
    let named = format!("{text}:registry.test/agent:v1");
    assert_eq!(Locator::read(&named).unwrap(), Locator::File(path, Some("registry.test/agent:v1".into())));
}
