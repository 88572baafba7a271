//! Layers that another program's code wrote, laid over each other.

use super::{Kind, Limits, Oddity, Tree, TreeBuilder, TreeError};

/// A layer in the making.
struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn raw(mut self, kind: tar::EntryType, name: &[u8], link: &[u8], content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(0o640);
        header.set_uid(1000);
        header.set_gid(1001);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.raw(tar::EntryType::Regular, name.as_bytes(), b"", content.as_bytes())
    }

    fn directory(self, name: &str) -> Self {
        self.raw(tar::EntryType::Directory, name.as_bytes(), b"", b"")
    }

    fn symlink(self, name: &str, target: &str) -> Self {
        self.raw(tar::EntryType::Symlink, name.as_bytes(), target.as_bytes(), b"")
    }

    fn hard_link(self, name: &str, target: &str) -> Self {
        self.raw(tar::EntryType::Link, name.as_bytes(), target.as_bytes(), b"")
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn merge(layers: impl IntoIterator<Item = Layer>) -> Tree {
    try_merge(layers, Limits::default()).unwrap()
}

fn try_merge(layers: impl IntoIterator<Item = Layer>, limits: Limits) -> Result<Tree, TreeError> {
    let mut builder = TreeBuilder::in_memory().limits(limits);
    for layer in layers {
        builder.layer(layer.bytes().as_slice())?;
    }
    builder.finish()
}

fn paths(tree: &Tree) -> Vec<String> {
    tree.walk("/").map(|entry| entry.path().to_owned()).collect()
}

fn text(tree: &Tree, path: &str) -> String {
    String::from_utf8(tree.read(path, 1000).unwrap()).unwrap()
}

fn oddities(tree: &Tree) -> Vec<(&str, Oddity)> {
    tree.notes().iter().map(|note| (note.path.as_str(), note.oddity)).collect()
}

#[test]
fn a_later_layer_replaces_and_hides() {
    let lower = Layer::new()
        .directory("app/")
        .file("app/main.py", "old")
        .file("app/gone.py", "gone")
        .directory("cache")
        .file("cache/a/b", "hidden");
    let upper = Layer::new()
        .file("app/main.py", "new!")
        .file("app/.wh.gone.py", "")
        .file("cache/c", "stays")
        .file("cache/.wh..wh..opq", "");
    let tree = merge([lower, upper]);
    assert_eq!(paths(&tree), ["/app", "/app/main.py", "/cache", "/cache/c"]);
    assert_eq!(text(&tree, "/app/main.py"), "new!");
    let main = tree.lookup("/app/main.py").unwrap();
    assert_eq!((main.layer(), main.mode(), main.uid(), main.gid()), (1, 0o640, 1000, 1001));
    assert_eq!((main.size(), main.modified()), (4, 1_700_000_000));
    assert_eq!((tree.layers(), tree.bytes(), tree.entries()), (2, 9, 5));
    assert_eq!(oddities(&tree), []);
}

#[test]
fn a_whiteout_hides_lower_layers_only() {
    let lower = Layer::new().file("d/low", "1").file("x", "low");
    let upper =
        Layer::new().directory("d").file("d/high", "2").file(".wh.d", "").file("x", "high").file(".wh.x", "");
    let tree = merge([lower, upper]);
    assert_eq!(paths(&tree), ["/d", "/d/high", "/x"]);
    assert_eq!(text(&tree, "/x"), "high");
}

#[test]
fn names_resolve_through_links_inside_the_tree() {
    let lower = Layer::new()
        .file("usr/lib/libc.so", "elf")
        .symlink("lib", "usr/lib")
        .symlink("usr/up", "../../../../etc")
        .symlink("abs", "/usr/lib/libc.so")
        .file("etc/passwd", "root:x:0:0");
    let upper = Layer::new().file("lib/new.so", "added");
    let tree = merge([lower, upper]);
    assert_eq!(text(&tree, "/usr/lib/new.so"), "added");
    assert_eq!(tree.lookup("/lib/libc.so").unwrap().path(), "/usr/lib/libc.so");
    // `..` of the root is the root, as for a process whose root this is.
    assert_eq!(text(&tree, "/usr/up/passwd"), "root:x:0:0");
    assert_eq!(text(&tree, "abs"), "elf");
    assert_eq!(tree.entry("/lib").unwrap().kind(), Kind::Symlink("usr/lib"));
    assert!(tree.lookup("/lib").unwrap().is_directory());
    assert_eq!(tree.resolve("/etc/passwd/x").unwrap_err().to_string(), "/etc/passwd is no directory");
    assert_eq!(tree.resolve("/etc/shadow").unwrap_err().to_string(), "/etc/shadow does not exist");
}

#[test]
fn a_circle_of_links_ends() {
    let tree = merge([Layer::new().symlink("a", "b").symlink("b", "a").file("a/x", "")]);
    assert!(tree.resolve("/a").unwrap_err().to_string().contains("more than 40"));
    assert_eq!(oddities(&tree), [("a/x", Oddity::ParentNotDirectory)]);
}

#[test]
fn hard_links_share_content_until_one_is_replaced() {
    let lower = Layer::new().file("a", "content").hard_link("b", "a").hard_link("/c", "./b");
    let tree = merge([lower, Layer::new().file("a", "changed").file(".wh.b", "")]);
    assert_eq!(text(&tree, "/c"), "content");
    assert_eq!(text(&tree, "/a"), "changed");
    assert!(tree.lookup("/b").is_none());
    let tree = merge([Layer::new().file("a", "x").hard_link("b", "a")]);
    assert_eq!(tree.entry("/a").unwrap().inode(), tree.entry("/b").unwrap().inode());
    assert_eq!(tree.bytes(), 1);
}

#[test]
fn what_no_honest_image_holds_is_noted_and_passed_over() {
    let layer = Layer::new()
        .file("../../etc/cron.d/x", "evil")
        .file("a/../../b", "evil")
        .file("/abs", "fine")
        .raw(tar::EntryType::Char, b"dev/sda", b"", b"")
        .hard_link("out", "../../etc/shadow")
        .hard_link("dangling", "nothing")
        .directory("d")
        .hard_link("dir", "d")
        .raw(tar::EntryType::Regular, b"\xff\xfe", b"", b"x")
        .file(".wh...", "")
        .raw(tar::EntryType::new(b'Z'), b"z", b"", b"1234")
        .file("f", "file")
        .file("f/below", "x");
    let tree = merge([layer]);
    assert_eq!(paths(&tree), ["/abs", "/d", "/f"]);
    assert_eq!(
        oddities(&tree),
        [
            ("../../etc/cron.d/x", Oddity::ParentEscape),
            ("a/../../b", Oddity::ParentEscape),
            ("/abs", Oddity::AbsoluteName),
            ("dev/sda", Oddity::Device),
            ("out", Oddity::HardLinkTarget),
            ("dangling", Oddity::HardLinkTarget),
            ("dir", Oddity::HardLinkTarget),
            ("\u{fffd}\u{fffd}", Oddity::NameNotText),
            (".wh...", Oddity::Whiteout),
            ("z", Oddity::UnknownType),
            ("f/below", Oddity::ParentNotDirectory),
        ]
    );
}

#[test]
fn an_entry_may_change_its_type() {
    let layer =
        Layer::new().file("x", "file").directory("x").file("x/in", "1").symlink("x", "y").file("x", "last");
    assert_eq!(paths(&merge([layer])), ["/x"]);
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = format!("{}/{}", "d".repeat(150), "f".repeat(150));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    builder.append_data(&mut header, &long, &b"gnu"[..]).unwrap();
    let pax = format!("{}/pax", "p".repeat(150));
    let record = format!(" path={pax}\n");
    let length = record.len() + 3;
    let mut record = format!("{length}{record}").into_bytes();
    record.extend(b"16 SCHILY.x.y=z\n");
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::XHeader);
    header.set_size(record.len() as u64);
    header.set_cksum();
    builder.append(&header, record.as_slice()).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("short").unwrap();
    header.set_size(3);
    header.set_cksum();
    builder.append(&header, &b"pax"[..]).unwrap();
    let mut tree = TreeBuilder::in_memory();
    tree.layer(builder.into_inner().unwrap().as_slice()).unwrap();
    let tree = tree.finish().unwrap();
    assert_eq!(text(&tree, &long), "gnu");
    assert_eq!(text(&tree, &pax), "pax");
}

#[test]
fn damage_is_an_error_with_its_place() {
    let mut bytes = Layer::new().file("a", "x").bytes();
    bytes[0] = b'b';
    let error = TreeBuilder::in_memory().layer(bytes.as_slice()).unwrap_err().to_string();
    assert_eq!(
        error,
        "layer 0: the layer is no valid tar stream at byte 0: expected a header whose checksum holds"
    );
    let whole = Layer::new().file("a", &"x".repeat(5000)).bytes();
    let error = TreeBuilder::in_memory().layer(&whole[..2000]).unwrap_err().to_string();
    assert!(error.contains("the stream ends"), "{error}");
    // A PAX header that claims more than any has.
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::XHeader);
    header.set_size(1 << 33);
    header.set_cksum();
    let error = TreeBuilder::in_memory().layer(header.as_bytes().as_slice()).unwrap_err().to_string();
    assert!(error.contains("at most 1048576 bytes"), "{error}");
}

#[test]
fn limits_are_errors() {
    let tree = |limits| {
        let layer = Layer::new().file("a/b/c", "12345").file("d", "12345");
        try_merge([layer], limits).map(|_| ()).map_err(|error| error.to_string())
    };
    let roomy = Limits::default();
    assert_eq!(tree(roomy), Ok(()));
    let text = |text: &str| Err(text.to_owned());
    assert_eq!(tree(Limits { entries: 1, ..roomy }), text("layer 0: more than 1 entries (at d)"));
    assert_eq!(tree(Limits { bytes: 9, ..roomy }), text("layer 0: more than 9 bytes in all files (at d)"));
    assert_eq!(tree(Limits { file: 4, ..roomy }), text("layer 0: more than 4 bytes in one file (at a/b/c)"));
    assert_eq!(
        tree(Limits { depth: 2, ..roomy }),
        text("layer 0: more than 2 components in a path (at a/b/c)")
    );
    assert_eq!(tree(Limits { path: 4, ..roomy }), text("layer 0: more than 4 bytes in a path (at a/b/c)"));
}

#[test]
fn a_few_files_make_a_tree() {
    let tree = TreeBuilder::in_memory()
        .file("/app/main.py", "import os\n")
        .executable("/usr/bin/python3.12", b"\x7fELF")
        .symlink("/usr/bin/python3", "python3.12")
        .directory("/tmp")
        .finish()
        .unwrap();
    assert_eq!(tree.read("/usr/bin/python3", 10).unwrap(), b"\x7fELF");
    assert_eq!(
        tree.children("/usr/bin").iter().map(super::Entry::name).collect::<Vec<_>>(),
        ["python3", "python3.12"]
    );
    let main = tree.lookup("/app/main.py").unwrap();
    assert_eq!(tree.read_range(&main, 7, 100).unwrap(), b"os\n");
    assert_eq!(
        tree.read("/app/main.py", 3).unwrap_err().to_string(),
        "/app/main.py has 10 bytes; at most 3 are read"
    );
    assert_eq!(tree.read("/tmp", 3).unwrap_err().to_string(), "/tmp is no file");
    let error = TreeBuilder::in_memory().file("/a/../b", "x").finish().unwrap_err();
    assert_eq!(error.to_string(), "/a/../b has a name with `..` and is passed over");
    let small = Limits { file: 3, ..Limits::default() };
    let error = TreeBuilder::in_memory().limits(small).file("/a", "1234").finish().unwrap_err();
    assert_eq!(error.to_string(), "more than 3 bytes in one file (at /a)");
}

#[test]
fn hiding_the_same_directory_often_costs_nothing() {
    let mut lower = Layer::new();
    for index in 0..2000 {
        lower = lower.file(&format!("d/{index}"), "");
    }
    let mut upper = Layer::new();
    for index in 0..2000 {
        upper = upper.file(&format!("d/n{index}"), "").file("d/.wh..wh..opq", "");
    }
    assert_eq!(merge([lower, upper]).children("/d").len(), 2000);
}

/// A layer of very many empty files, made while it is read.
struct Crowd {
    left: u32,
    header: Vec<u8>,
}

impl std::io::Read for Crowd {
    fn read(&mut self, output: &mut [u8]) -> std::io::Result<usize> {
        if self.header.is_empty() {
            let Some(left) = self.left.checked_sub(1) else { return Ok(0) };
            self.left = left;
            let mut header = tar::Header::new_ustar();
            header.set_path(format!("d{}/f{left}", left % 1000))?;
            header.set_size(0);
            header.set_cksum();
            self.header = header.as_bytes().to_vec();
        }
        let length = output.len().min(self.header.len());
        output[..length].copy_from_slice(&self.header[..length]);
        self.header.drain(..length);
        Ok(length)
    }
}

/// The benchmark does the same with a million.
#[test]
fn very_many_files_are_a_tree_in_reasonable_time() {
    let mut builder = TreeBuilder::in_memory();
    builder.layer(Crowd { left: 100_000, header: Vec::new() }).unwrap();
    let tree = builder.finish().unwrap();
    assert_eq!((tree.entries(), tree.children("/").len()), (101_001, 1000));
    let few = Limits { entries: 999, ..Limits::default() };
    let mut builder = TreeBuilder::in_memory().limits(few);
    let error = builder.layer(Crowd { left: 1000, header: Vec::new() }).unwrap_err().to_string();
    assert_eq!(error, "layer 0: more than 999 entries (at d0/f0)");
}
