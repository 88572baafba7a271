//! Finds modules in directories, as the interpreter's path finder does.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Interpreter, Version};
use crate::elf::{Elf, Machine};
use crate::tree::Tree;

/// How a module is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `.py`.
    Source,
    /// `.pyc` without its source.
    Bytecode,
    /// A compiled extension.
    Extension,
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Located {
    /// A file.
    File {
        /// Its path, links followed.
        path: String,
        /// How it is stored.
        form: Form,
        /// The package's directory, when it is a package's `__init__`.
        package: Option<String>,
    },
    /// Directories without `__init__`.
    Namespace {
        /// The directories.
        portions: Vec<String>,
        /// Compiled files of that name that this interpreter does not load: one of them is meant, not the directories.
        foreign: Vec<Foreign>,
    },
    /// Only compiled files that this interpreter does not load.
    Foreign(Vec<Foreign>),
    /// Nothing.
    Missing,
}

/// A compiled file of another machine or interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) path: String,
    /// What it is for, in words: `x86_64`, `CPython 3.11`.
    pub(super) made_for: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
}

type Listing = BTreeMap<Box<str>, Kind>;

/// Finds modules, and remembers the directories it has read.
pub(super) struct Finder<'a> {
    tree: &'a Tree,
    version: Version,
    machine: Option<Machine>,
    tag: Option<String>,
    listings: BTreeMap<String, Rc<Listing>>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(tree: &'a Tree, interpreter: &Interpreter) -> Self {
        Self {
            tree,
            version: interpreter.version,
            machine: interpreter.machine,
            tag: interpreter.tag.clone(),
            listings: BTreeMap::new(),
        }
    }

    fn listing(&mut self, directory: &str) -> Rc<Listing> {
        if let Some(listing) = self.listings.get(directory) {
            return Rc::clone(listing);
        }
        let mut listing = Listing::new();
        for child in self.tree.children(directory) {
            // A link counts as what it leads to.
            let kind = match child.kind() {
                crate::tree::Kind::Directory => Kind::Directory,
                crate::tree::Kind::File => Kind::File,
                crate::tree::Kind::Symlink(_) => match self.tree.lookup(child.path()) {
                    Some(target) if target.is_directory() => Kind::Directory,
                    Some(_) => Kind::File,
                    None => continue,
                },
            };
            listing.insert(child.name().into(), kind);
        }
        let listing = Rc::new(listing);
        self.listings.insert(directory.to_owned(), Rc::clone(&listing));
        listing
    }

    /// Where `name` leads in `directories`, searched in order.
    pub(super) fn find(&mut self, directories: &[String], name: &str) -> Located {
        let mut portions = Vec::new();
        let mut foreign = Vec::new();
        for directory in directories {
            let listing = self.listing(directory);
            let is_directory = listing.get(name) == Some(&Kind::Directory);
            let package = format!("{}/{name}", directory.trim_end_matches('/'));
            if is_directory {
                let inside = self.listing(&package);
                if let Some((file, form)) = self.stored(&package, &inside, "__init__", &mut foreign) {
                    return Located::File { path: file, form, package: Some(package) };
                }
            }
            if let Some((path, form)) = self.stored(directory, &listing, name, &mut foreign) {
                return Located::File { path, form, package: None };
            }
            if is_directory {
                portions.push(package);
            }
        }
        if !portions.is_empty() {
            return Located::Namespace { portions, foreign };
        }
        if foreign.is_empty() { Located::Missing } else { Located::Foreign(foreign) }
    }

    /// The file that stores module `name` in a directory: compiled before source before bytecode.
    fn stored(
        &self,
        directory: &str,
        listing: &Listing,
        name: &str,
        foreign: &mut Vec<Foreign>,
    ) -> Option<(String, Form)> {
        let path = |file: &str| format!("{}/{file}", directory.trim_end_matches('/'));
        let from: Box<str> = format!("{name}.").into();
        let mut extensions: Vec<(&str, &str)> = Vec::new();
        let (mut source, mut bytecode) = (false, false);
        for (file, kind) in listing.range(from.clone()..) {
            let Some(rest) = file.strip_prefix(&*from) else { break };
            if *kind != Kind::File {
                continue;
            }
            match rest {
                "py" => source = true,
                "pyc" => bytecode = true,
                "so" => extensions.push((file, "")),
                _ => {
                    if let Some(tag) = rest.strip_suffix(".so") {
                        extensions.push((file, tag));
                    }
                }
            }
        }
        let mut others = Vec::new();
        for (file, tag) in extensions {
            // Only the interpreter's own tags make a file its module; a suffix of something else is another module's name.
            if !(tag.is_empty() || tag == "abi3" || tag.starts_with("cpython-")) {
                continue;
            }
            match self.foreign(&path(file), tag) {
                None => return Some((path(file), Form::Extension)),
                Some(made_for) => others.push(Foreign { path: path(file), made_for }),
            }
        }
        if source {
            return Some((path(&format!("{name}.py")), Form::Source));
        }
        if bytecode {
            return Some((path(&format!("{name}.pyc")), Form::Bytecode));
        }
        foreign.append(&mut others);
        None
    }

    /// What a compiled file is for when this interpreter does not load it.
    fn foreign(&self, path: &str, tag: &str) -> Option<String> {
        if let Some(abi) = tag.strip_prefix("cpython-") {
            if self.tag.as_deref() == Some(tag) {
                return self.other_machine(path);
            }
            let mut parts = abi.splitn(2, '-');
            let digits = parts.next().unwrap_or_default();
            let digits = digits.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
            match Version::parse(digits) {
                Some(version) if version != self.version => return Some(format!("CPython {version}")),
                Some(_) => {}
                // A tag of a form that is not known: perhaps it is the interpreter's.
                None => return None,
            }
            let platform = parts.next().unwrap_or_default();
            let machine = platform.split('-').next().unwrap_or_default();
            let ours = self.machine.map_or("", Machine::name);
            if !ours.is_empty() && !machine.is_empty() && machine != ours {
                return Some(machine.to_owned());
            }
            if let Some(own) = &self.tag
                && own.ends_with("-musl") != tag.ends_with("-musl")
            {
                return Some(if tag.ends_with("-musl") { "musl" } else { "glibc" }.to_owned());
            }
        }
        self.other_machine(path)
    }

    fn other_machine(&self, path: &str) -> Option<String> {
        let machine = self.machine?;
        let entry = self.tree.lookup(path)?;
        let found = Elf::of(self.tree, &entry)?.machine?;
        (found != machine).then(|| found.name().to_owned())
    }
}

/// What follows the last dot of a path's last component.
pub(super) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}
