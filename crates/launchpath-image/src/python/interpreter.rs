//! The Python interpreter that is started: its release, its files, the machine and the ABI it loads.

use std::fmt;

use crate::elf::{Elf, Machine};
use crate::tree::Tree;

/// A release, `3.12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 3.
    pub major: u8,
    /// 12.
    pub minor: u8,
}

impl Version {
    /// From `3.12`, `3.12.4` or `312`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('3')
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Some(Self { major: 3, minor: digits.parse().ok()? });
        }
        let mut parts = text.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { major, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// An interpreter in an image, or the one that a managed runtime brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Its release.
    pub version: Version,
    /// Its file, links followed; `None` when it is not part of what is inspected.
    pub path: Option<String>,
    /// The directory of the standard library, `/usr/local/lib/python3.12`.
    pub standard_library: Option<String>,
    /// The virtual environment it starts in.
    pub environment: Option<Environment>,
    /// Its machine.
    pub machine: Option<Machine>,
    /// The tag of compiled modules made for it, `cpython-312-aarch64-linux-gnu`, read off its own.
    pub tag: Option<String>,
}

/// A virtual environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its directory.
    pub directory: String,
    /// Packages of the interpreter it was made with count too.
    pub system_packages: bool,
}

impl Interpreter {
    /// The interpreter whose program is `program`, as it is called: in a virtual environment that is a link.
    ///
    /// `None` when it is not there or its release cannot be told.
    pub fn find(tree: &Tree, program: &str) -> Option<Self> {
        let entry = tree.lookup(program)?;
        let file = entry.path().to_owned();
        let machine = Elf::of(tree, &entry).and_then(|elf| elf.machine);
        let directory = program.rsplit_once('/').map_or("", |(directory, _)| directory);
        let environment = environment(tree, directory);
        let config = environment.as_ref().map(|(_, config)| config.as_str()).unwrap_or_default();
        let version = version_in_name(&file)
            .or_else(|| version_in_name(program))
            .or_else(|| {
                Version::parse(setting(config, "version_info").or_else(|| setting(config, "version"))?)
            })
            .or_else(|| only_library(tree, &file))?;
        let standard_library = standard_library(tree, &file, version);
        let tag = standard_library.as_deref().and_then(|library| tag(tree, library));
        let environment = environment.map(|(directory, config)| Environment {
            directory,
            system_packages: setting(&config, "include-system-site-packages") == Some("true"),
        });
        Some(Self { version, path: Some(file), standard_library, environment, machine, tag })
    }

    /// The interpreter of a managed runtime: only its release and machine are known.
    pub fn managed(version: Version, machine: Machine) -> Self {
        Self {
            version,
            path: None,
            standard_library: None,
            environment: None,
            machine: Some(machine),
            tag: None,
        }
    }
}

/// `python3.12` at the end of a path.
fn version_in_name(path: &str) -> Option<Version> {
    let name = path.rsplit('/').next()?;
    let digits = name.strip_prefix("python")?.trim_end_matches('t');
    digits.contains('.').then(|| Version::parse(digits))?
}

/// The virtual environment whose `bin` is `directory`, with the text of its `pyvenv.cfg`.
fn environment(tree: &Tree, directory: &str) -> Option<(String, String)> {
    let parent = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
    [directory, parent].into_iter().find_map(|root| {
        let bytes = tree.read(&format!("{root}/pyvenv.cfg"), 1 << 16).ok()?;
        // The interpreter takes the directory above `bin`, wherever the file lies.
        let root = if root == directory { parent } else { root };
        Some((root.to_owned(), String::from_utf8_lossy(&bytes).into_owned()))
    })
}

fn setting<'a>(config: &'a str, name: &str) -> Option<&'a str> {
    config.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Directories above `bin` under which libraries may lie, for the program `file`.
fn prefixes(file: &str) -> Vec<String> {
    let mut at = file.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut prefixes = Vec::new();
    while let Some((parent, _)) = at.rsplit_once('/') {
        prefixes.push(parent.to_owned());
        at = parent;
    }
    prefixes
}

fn standard_library(tree: &Tree, file: &str, version: Version) -> Option<String> {
    let below = |prefix: String| {
        ["lib", "lib64"].into_iter().map(move |lib| format!("{prefix}/{lib}/python{version}"))
    };
    let has_landmark = |directory: &String| {
        ["os.py", "os.pyc"].iter().any(|file| tree.lookup(&format!("{directory}/{file}")).is_some())
    };
    prefixes(file).into_iter().flat_map(below).find(has_landmark)
}

/// The release of the only library beside a program whose name does not say.
fn only_library(tree: &Tree, file: &str) -> Option<Version> {
    let mut found = Vec::new();
    for prefix in prefixes(file).into_iter().take(2) {
        for entry in tree.children(&format!("{prefix}/lib")) {
            let Some(version) = version_in_name(entry.path()) else { continue };
            if tree.lookup(&format!("{}/os.py", entry.path())).is_some() {
                found.push(version);
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    if let [version] = found[..] { Some(version) } else { None }
}

/// The tag of the compiled modules of the standard library.
fn tag(tree: &Tree, library: &str) -> Option<String> {
    tree.children(&format!("{library}/lib-dynload")).iter().find_map(|entry| {
        let (_, tag) = entry.name().strip_suffix(".so")?.split_once('.')?;
        tag.starts_with("cpython-").then(|| tag.to_owned())
    })
}
