//! The modules that come with the interpreter, where its own files do not say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Version;

#[derive(Deserialize)]
struct Table {
    modules: BTreeSet<String>,
    /// Release to what it added.
    added: BTreeMap<String, Vec<String>>,
    /// Release to what it removed.
    removed: BTreeMap<String, Vec<String>>,
    /// Modules written in C: they may be part of the interpreter itself.
    compiled: BTreeSet<String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program and tests read it")]
    serde_json::from_str(include_str!("../../data/python_stdlib.json"))
        .expect("a data file of this crate is well formed")
});

/// Whether the release has a top-level module of that name.
pub(super) fn has(name: &str, version: Version) -> bool {
    let until_now = |(release, names): (&String, &Vec<String>)| {
        let release: Option<u8> = release.split('.').nth(1).and_then(|minor| minor.parse().ok());
        release.is_some_and(|release| release <= version.minor) && names.iter().any(|known| known == name)
    };
    let table = &*TABLE;
    let known = table.modules.contains(name) || table.added.iter().any(until_now);
    known && !table.removed.iter().any(until_now)
}

/// Whether any release had it.
pub(super) fn ever_had(name: &str) -> bool {
    TABLE.modules.contains(name) || TABLE.added.values().flatten().any(|known| known == name)
}

/// Whether it may be built into the interpreter.
pub(super) fn is_compiled(name: &str) -> bool {
    TABLE.compiled.contains(name)
}

/// Modules that the interpreter has imported before it comes to the start module; a file of that name is not looked at.
pub(super) fn is_preloaded(name: &str) -> bool {
    const PRELOADED: &[&str] = &[
        "_abc",
        "_codecs",
        "_collections_abc",
        "_frozen_importlib",
        "_frozen_importlib_external",
        "_imp",
        "_io",
        "_signal",
        "_sitebuiltins",
        "_stat",
        "_thread",
        "_warnings",
        "_weakref",
        "abc",
        "builtins",
        "codecs",
        "encodings",
        "genericpath",
        "io",
        "marshal",
        "os",
        "posix",
        "posixpath",
        "site",
        "stat",
        "sys",
        "time",
        "zipimport",
    ];
    PRELOADED.contains(&name)
}
