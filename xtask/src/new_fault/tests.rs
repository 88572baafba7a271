//! `new-fault` against a copy of the real catalogue: what it writes must be what a person would have written.

use std::fs;
use std::path::Path;

use super::*;
use crate::tree::{Tree, root};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(path, target).unwrap();
        }
    }
}

/// The catalogue and the formatting rules, somewhere else.
fn catalogue() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    copy(&root().join(FAULTS), &place.path().join(FAULTS));
    fs::copy(root().join("rustfmt.toml"), place.path().join("rustfmt.toml")).unwrap();
    place
}

fn arguments(code: &str) -> Arguments {
    Arguments { code: code.to_owned(), title: None, stage: Some("network_attach".to_owned()) }
}

fn read(place: &Path, path: &str) -> String {
    fs::read_to_string(place.join(FAULTS).join(path)).unwrap()
}

fn assert_formatted(place: &Path, path: &str) {
    let text = read(place, path);
    assert_eq!(text, format(place, &text).unwrap(), "{path}");
}

#[test]
fn a_fault_taken_out_and_added_again_is_registered_as_its_author_did() {
    let place = catalogue();
    let tree = Tree::load(place.path()).unwrap();
    let mut count = 0;
    for area in tree.folders(FAULTS) {
        let table = place.path().join(FAULTS).join(area).join("mod.rs");
        let written = fs::read_to_string(&table).unwrap();
        for name in tree.folders(&format!("{FAULTS}/{area}")) {
            let without = written.replace(&format!("mod {name};\n"), "");
            let without =
                without.replace(&format!("&{name}::FAULT,"), "").replace(&format!("&{name}::FAULT"), "");
            assert_ne!(without, written, "{area}.{name}");
            fs::write(&table, without).unwrap();
            fs::remove_dir_all(place.path().join(FAULTS).join(area).join(name)).unwrap();
            run(place.path(), &arguments(&format!("{area}.{name}"))).unwrap();
            assert_eq!(fs::read_to_string(&table).unwrap(), written, "{area}.{name}");
            assert_formatted(place.path(), &format!("{area}/{name}/mod.rs"));
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} faults in the catalogue");
}

#[test]
fn a_new_fault_is_whole_and_says_what_is_missing() {
    let place = catalogue();
    let given =
        Arguments { code: "net.zz_probe".to_owned(), title: Some("A probe is lost".to_owned()), stage: None };
    let told = run(place.path(), &given).unwrap();
    assert!(told.contains("net/zz_probe"), "{told}");
    let module = read(place.path(), "net/zz_probe/mod.rs");
    assert!(module.contains("code: \"net.zz_probe\""), "{module}");
    assert!(module.contains("title: \"A probe is lost\""), "{module}");
    assert!(
        !["{code}", "{name}", "{title}", "{stage}", "{since}"].iter().any(|mark| module.contains(mark)),
        "{module}"
    );
    let tree = Tree::load(place.path()).unwrap();
    let complaints: Vec<String> = crate::tidy::of_faults(&tree).iter().map(ToString::to_string).collect();
    assert!(!complaints.iter().any(|line| line.contains("zz_probe")), "{complaints:?}");
}

#[test]
fn a_new_area_is_registered_among_the_others() {
    let place = catalogue();
    let before = read(place.path(), "mod.rs");
    run(place.path(), &arguments("mcp.tool_lost")).unwrap();
    let after = read(place.path(), "mod.rs");
    assert_formatted(place.path(), "mod.rs");
    assert_formatted(place.path(), "mcp/mod.rs");
    assert!(after.contains("mod logs;\nmod mcp;\nmod net;\n"), "{after}");
    assert!(
        after.contains("logs::FAULTS, mcp::FAULTS, net::FAULTS") || after.contains("mcp::FAULTS,\n"),
        "{after}"
    );
    let squeezed = |text: &str| text.split_whitespace().collect::<String>().replace(",]", "]");
    let undone = squeezed(&after).replace("modmcp;", "").replace("mcp::FAULTS,", "");
    assert_eq!(undone, squeezed(&before));
    assert_eq!(
        read(place.path(), "mcp/mod.rs").lines().skip(1).collect::<Vec<_>>().join("\n"),
        "\nmod tool_lost;\n\nuse super::Fault;\n\npub(super) const FAULTS: &[&Fault] = &[&tool_lost::FAULT];"
    );
}

#[test]
fn what_cannot_be_a_code_is_refused_and_nothing_is_written() {
    let place = catalogue();
    let before = Tree::load(place.path()).unwrap().files;
    let existing = ["net.dns_off", "app.crash"];
    let malformed = [
        "", "net", "net.", ".dns", "Net.dns", "net.Dns", "net.a__b", "net._a", "net.a_", "net.a.b",
        "net.a-b", "net.mod", "net.1a", "../net.a",
    ];
    for code in existing.iter().chain(&malformed) {
        assert!(run(place.path(), &arguments(code)).is_err(), "{code}");
    }
    let no_stage = Arguments { code: "mcp.tool_lost".to_owned(), title: None, stage: None };
    assert!(run(place.path(), &no_stage).is_err(), "a new area has no usual stage");
    let no_such_stage =
        Arguments { code: "net.zz_probe".to_owned(), title: None, stage: Some("lunch".to_owned()) };
    assert!(run(place.path(), &no_such_stage).is_err());
    assert_eq!(Tree::load(place.path()).unwrap().files, before);
}

#[test]
fn a_table_it_does_not_understand_leaves_the_catalogue_as_it_was() {
    let place = catalogue();
    fs::write(place.path().join(FAULTS).join("net/mod.rs"), "//! Network.\n\nmod dns_off;\n").unwrap();
    let before = Tree::load(place.path()).unwrap().files;
    assert!(run(place.path(), &arguments("net.zz_probe")).is_err());
    assert_eq!(Tree::load(place.path()).unwrap().files, before);
    let left: Vec<_> = fs::read_dir(place.path().join(FAULTS))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A copy of the workspace, so that the compiler judges the template too.
#[test]
fn a_new_fault_compiles_and_answers_unknown() {
    let place = tempfile::tempdir().unwrap();
    for name in ["Cargo.toml", "Cargo.lock", "rustfmt.toml", "clippy.toml", "clippy.pure.toml"] {
        fs::copy(root().join(name), place.path().join(name)).unwrap();
    }
    copy(&root().join("crates"), &place.path().join("crates"));
    copy(&root().join("xtask"), &place.path().join("xtask"));
    run(place.path(), &arguments("net.zz_probe")).unwrap();
    run(place.path(), &arguments("mcp.tool_lost")).unwrap();
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Beside the workspace's own output, so that the crates from the registry are built once and kept.
    let output = Command::new(program)
        .args(["check", "--quiet", "--offline", "--locked", "--package", "launchpath-diagnose"])
        .current_dir(place.path())
        .env("CARGO_TARGET_DIR", root().join("target/new-fault"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("zz_probe") && !said.contains("tool_lost"), "{said}");
}
