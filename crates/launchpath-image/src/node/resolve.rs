//! From a specifier to a file, as Node resolves it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::exports::{Exported, Mode, exported};
use crate::tree::{Entry, Tree};

/// Where a specifier leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To a file: of own code, or of an installed package.
    File(String),
    /// To a module of Node itself.
    BuiltIn,
    /// It cannot be told.
    Unknown,
    /// No such file.
    NoFile,
    /// A file that is there only with an extension that the specifier does not write.
    NoExtension,
    /// No such package.
    NoPackage(String),
    /// The package is there and does not have that part.
    NoSubpath {
        /// The package.
        package: String,
        /// Its release.
        version: String,
    },
    /// The package has that part, and not for this kind of statement.
    OtherConditions {
        /// The package.
        package: String,
        /// Its release.
        version: String,
    },
}

/// Modules of Node itself.
const BUILT_IN: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];
const PACKAGE_FILE: u64 = 4 << 20;
/// Folders of packages that are looked at for the list.
const LISTED: usize = 3000;

/// Bytes of all `package.json` that are read: those beyond are taken for absent.
const PACKAGE_FILES: u64 = 256 << 20;

pub(super) struct Resolver<'a> {
    tree: &'a Tree,
    packages: BTreeMap<String, Option<Value>>,
    bytes: u64,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        Self { tree, packages: BTreeMap::new(), bytes: 0 }
    }

    fn package(&mut self, directory: &str) -> Option<&Value> {
        let tree = self.tree;
        let budget = &mut self.bytes;
        let read = || {
            let bytes = tree.read(&format!("{directory}/package.json"), PACKAGE_FILE).ok()?;
            *budget = budget.saturating_add(bytes.len() as u64);
            serde_json::from_slice(&bytes).ok().filter(|_| *budget <= PACKAGE_FILES)
        };
        self.packages.entry(directory.to_owned()).or_insert_with(read).as_ref()
    }

    /// Whether a file is an ES module.
    pub(super) fn is_module(&mut self, file: &str) -> bool {
        match file.rsplit('.').next() {
            Some("mjs") => return true,
            Some("cjs") => return false,
            _ => {}
        }
        let mut at = file;
        while let Some((directory, _)) = at.rsplit_once('/') {
            if let Some(package) = self.package(directory) {
                return package["type"] == "module";
            }
            at = directory;
        }
        false
    }

    /// The file that a path leads to, as `require` would find it.
    pub(super) fn file(&mut self, path: &str) -> Option<String> {
        let guessed = ["", ".js", ".json", ".node", ".cjs", ".mjs"]
            .iter()
            .find_map(|suffix| self.exact(&format!("{path}{suffix}")));
        if guessed.is_some() {
            return guessed;
        }
        let directory = self.tree.lookup(path)?.path().to_owned();
        let main = self.package(&directory).and_then(|package| package["main"].as_str().map(str::to_owned));
        let candidates = main.into_iter().flat_map(|main| {
            let main = format!("{directory}/{}", main.trim_start_matches("./"));
            [main.clone(), format!("{main}.js"), format!("{main}/index.js")]
        });
        candidates
            .chain([
                format!("{directory}/index.js"),
                format!("{directory}/index.json"),
                format!("{directory}/index.node"),
            ])
            .find_map(|path| self.exact(&path))
    }

    /// Where `specifier` in `file` leads.
    pub(super) fn resolve(&mut self, file: &str, specifier: &str, mode: Mode) -> Target {
        let specifier = specifier.split('?').next().unwrap_or_default();
        let first = specifier.split('/').next().unwrap_or_default();
        if specifier.is_empty()
            || specifier.starts_with('#')
            || specifier.contains("://")
            || specifier.starts_with("data:")
        {
            return Target::Unknown;
        }
        if specifier.starts_with("node:") || BUILT_IN.contains(&specifier) {
            return Target::BuiltIn;
        }
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        if BUILT_IN.contains(&first) {
            // `fs/promises` is Node's own; `process/browser` and `events/` are of packages that stand in for it elsewhere.
            return match self.bare(directory, specifier, mode) {
                Target::File(found) => Target::File(found),
                _ => Target::BuiltIn,
            };
        }
        let relative = specifier.starts_with("./")
            || specifier.starts_with("../")
            || specifier == "."
            || specifier == "..";
        if relative || specifier.starts_with('/') {
            let path = if relative { format!("{directory}/{specifier}") } else { specifier.to_owned() };
            return self.path(&path, mode);
        }
        self.bare(directory, specifier, mode)
    }

    /// Where a path leads: an `import` writes it as it is, a `require` may leave out the end.
    fn path(&mut self, path: &str, mode: Mode) -> Target {
        match (self.exact(path), self.file(path), mode) {
            (Some(found), ..) | (None, Some(found), Mode::Require) => Target::File(found),
            (None, Some(_), Mode::Import) => Target::NoExtension,
            (None, None, _) => Target::NoFile,
        }
    }

    fn exact(&self, path: &str) -> Option<String> {
        self.tree.lookup(path).filter(Entry::is_file).map(|entry| entry.path().to_owned())
    }

    fn bare(&mut self, directory: &str, specifier: &str, mode: Mode) -> Target {
        let parts = if specifier.starts_with('@') { 2 } else { 1 };
        let name = specifier.split('/').take(parts).collect::<Vec<_>>().join("/");
        let subpath = specifier.get(name.len() + 1..).filter(|subpath| !subpath.is_empty());
        let mut at = directory;
        loop {
            let place = format!("{at}/node_modules/{name}");
            if let Some(entry) = self.tree.lookup(&place) {
                let place = entry.path().to_owned();
                return if entry.is_file() {
                    Target::File(place)
                } else {
                    self.inside(&place, &name, subpath, mode)
                };
            }
            if let Some(file) = self.exact(&format!("{place}.js")) {
                return Target::File(file);
            }
            // A package may load itself by its own name.
            if self.package(at).is_some_and(|package| package["name"] == name.as_str()) {
                return Target::Unknown;
            }
            match at.rsplit_once('/') {
                Some((parent, _)) => at = parent,
                None => return Target::NoPackage(name),
            }
        }
    }

    fn inside(&mut self, place: &str, name: &str, subpath: Option<&str>, mode: Mode) -> Target {
        let (exports, version) = match self.package(place) {
            Some(package) => {
                let version = package["version"].as_str().unwrap_or("(no version)").to_owned();
                (package.get("exports").filter(|exports| !exports.is_null()).cloned(), version)
            }
            None => (None, "(no package.json)".to_owned()),
        };
        let package = name.to_owned();
        let Some(exports) = exports else {
            let found = match subpath {
                // The package itself is guessed by both.
                None => self.file(place),
                Some(subpath) => match self.path(&format!("{place}/{subpath}"), mode) {
                    Target::File(found) => Some(found),
                    Target::NoExtension => return Target::NoExtension,
                    _ => None,
                },
            };
            return found.map_or(Target::NoSubpath { package, version }, Target::File);
        };
        match exported(&exports, subpath, mode) {
            Exported::File(path) => match self.exact(&format!("{place}/{}", path.trim_start_matches("./"))) {
                Some(found) => Target::File(found),
                None => Target::NoSubpath { package, version },
            },
            Exported::Nothing => Target::NoSubpath { package, version },
            Exported::OtherConditions => Target::OtherConditions { package, version },
            Exported::Unclear => Target::Unknown,
        }
    }

    /// The package that a file below `node_modules` belongs to, with its release.
    pub(super) fn owner(&mut self, file: &str) -> Option<(String, String)> {
        let (above, below) = file.rsplit_once("/node_modules/")?;
        let parts = if below.starts_with('@') { 2 } else { 1 };
        let name = below.split('/').take(parts).collect::<Vec<_>>().join("/");
        let package = self.package(&format!("{above}/node_modules/{name}"))?;
        let version = package["version"].as_str().unwrap_or("(no version)").to_owned();
        Some((name, version))
    }

    /// The packages beside `file`, with versions.
    pub(super) fn packages(&mut self, file: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut looked_at = 0;
        let mut at = file;
        while let Some((directory, _)) = at.rsplit_once('/') {
            for entry in self.tree.children(&format!("{directory}/node_modules")) {
                let scoped = entry.name().starts_with('@');
                let places = if scoped { self.tree.children(entry.path()) } else { vec![entry] };
                for place in places {
                    looked_at += 1;
                    if looked_at > LISTED {
                        return found;
                    }
                    let Some(package) = self.package(place.path()) else { continue };
                    let (Some(name), Some(version)) = (package["name"].as_str(), package["version"].as_str())
                    else {
                        continue;
                    };
                    found.entry(name.to_owned()).or_insert_with(|| version.to_owned());
                }
            }
            at = directory;
        }
        found
    }
}
