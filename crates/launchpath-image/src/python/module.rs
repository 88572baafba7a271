//! The modules of a graph: what a dotted name leads to, whose a module is, and its text.

use std::rc::Rc;

use super::condition::Setting;
use super::find::{Foreign, Form, Located, extension};
use super::graph::Graph;
use super::literal::join;
use super::scan::{Depth, scan};
use super::source::Source;
use super::standard;
use crate::elf::Machine;
use crate::inspect::NotChecked;

/// Most bytes of one source file.
const FILE: u64 = 8 << 20;

/// Most dots in the name of a module.
pub(super) const PARTS: usize = 60;

pub(super) type ModuleId = usize;

/// Whose code a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Own,
    Package,
    Standard,
}

pub(super) struct Module {
    pub(super) name: String,
    /// The package that relative imports start from; `None` for a script.
    pub(super) package: Option<String>,
    pub(super) file: Option<String>,
    pub(super) form: Form,
    pub(super) owner: Owner,
    /// Where submodules are searched.
    pub(super) search: Option<Vec<String>>,
    pub(super) source: Reading,
    pub(super) is_main: bool,
    /// Text given on the command line.
    pub(super) text: Option<String>,
    /// Who imported it first.
    pub(super) parent: Option<(ModuleId, u32)>,
    pub(super) visited: bool,
    /// For directories without `__init__`: compiled files of that name for something else.
    pub(super) foreign: Vec<Foreign>,
}

/// Whether a module's text has been read.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    /// Not yet.
    Due,
    /// There is none that can be read.
    Unreadable,
    /// It has.
    Done(Rc<Source>),
}

impl Reading {
    pub(super) fn done(&self) -> Option<&Rc<Source>> {
        match self {
            Self::Done(source) => Some(source),
            Self::Due | Self::Unreadable => None,
        }
    }
}

/// Where a dotted name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    Module(ModuleId),
    Missing(Missing),
    /// It cannot be told.
    Unknown,
}

/// The first part of a dotted name that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// The name up to that part.
    pub(super) name: String,
    /// The package that lacks it.
    pub(super) parent: Option<ModuleId>,
    /// Compiled files of that name for something else.
    pub(super) foreign: Vec<Foreign>,
}

impl Graph<'_> {
    pub(super) fn add(&mut self, module: Module) -> ModuleId {
        self.modules.push(module);
        self.modules.len() - 1
    }

    /// The absolute name of a relative one; `None` when there is no package to start from.
    pub(super) fn absolute(&self, module: ModuleId, name: &str, dots: u32) -> Option<String> {
        if dots == 0 {
            return Some(name.to_owned());
        }
        let mut package = self.modules[module].package.as_deref().filter(|package| !package.is_empty())?;
        for _ in 1..dots {
            package = package.rsplit_once('.')?.0;
        }
        Some(if name.is_empty() { package.to_owned() } else { format!("{package}.{name}") })
    }

    pub(super) fn is_package(&self, module: ModuleId) -> bool {
        self.modules[module].search.is_some()
    }

    pub(super) fn form(&self, module: ModuleId) -> (Form, bool) {
        let module = &self.modules[module];
        (module.form, module.file.is_some() || module.text.is_some())
    }

    /// Where a dotted name leads.
    pub(super) fn resolve(&mut self, name: &str) -> Resolved {
        if let Some(found) = self.by_name.get(name) {
            return Resolved::Module(*found);
        }
        if name.matches('.').count() > PARTS {
            return Resolved::Unknown;
        }
        match name.rsplit_once('.') {
            None => self.top(name),
            Some((parent, last)) => match self.resolve(parent) {
                Resolved::Module(parent) => self.submodule(parent, last),
                other => other,
            },
        }
    }

    fn top(&mut self, name: &str) -> Resolved {
        let missing = Missing { name: name.to_owned(), parent: None, foreign: Vec::new() };
        if name.is_empty() {
            return Resolved::Unknown;
        }
        let library = self.check.interpreter.standard_library.clone();
        if standard::is_preloaded(name) {
            let located = library.map_or(Located::Missing, |library| self.finder.find(&[library], name));
            return Resolved::Module(self.found(name, located));
        }
        if let Some(target) = self.check.path.editable.get(name) {
            let directory = target.rsplit_once('/').map_or("/", |(directory, _)| directory).to_owned();
            let located = self.finder.find(&[directory], name);
            if located != Located::Missing {
                return Resolved::Module(self.found(name, located));
            }
            return Resolved::Unknown;
        }
        let directories = std::mem::take(&mut self.directories);
        let located = self.finder.find(&directories, name);
        self.directories = directories;
        match located {
            Located::File { ref path, .. }
                if standard::is_compiled(name) && self.owner(path) != Owner::Standard =>
            {
                // Whether the interpreter has a module of that name inside it decides which one is meant.
                Resolved::Unknown
            }
            Located::Missing | Located::Namespace { .. } if standard::is_compiled(name) => {
                Resolved::Module(self.found(name, Located::Missing))
            }
            Located::Missing if library.is_none() && standard::has(name, self.check.interpreter.version) => {
                Resolved::Module(self.found(name, Located::Missing))
            }
            Located::Missing if !self.check.path.archives.is_empty() => Resolved::Unknown,
            Located::Missing => Resolved::Missing(missing),
            Located::Foreign(foreign) => Resolved::Missing(Missing { foreign, ..missing }),
            located => Resolved::Module(self.found(name, located)),
        }
    }

    /// Where a submodule of `parent` is.
    pub(super) fn submodule(&mut self, parent: ModuleId, last: &str) -> Resolved {
        let name = format!("{}.{last}", self.modules[parent].name);
        if let Some(found) = self.by_name.get(&name) {
            return Resolved::Module(*found);
        }
        let tricks = match self.modules[parent].form {
            // `os` makes `os.path` while it runs; no other module of the library does such a thing.
            Form::Source if self.modules[parent].owner == Owner::Standard => name == "os.path",
            Form::Source => {
                let source = self.source(parent);
                source.is_some_and(|source| {
                    source.own_path || (source.hazards.modules && !self.is_package(parent))
                })
            }
            Form::Bytecode | Form::Extension => true,
        };
        let Some(search) = self.modules[parent].search.clone() else {
            let built_in = self.modules[parent].file.is_none();
            if tricks || built_in {
                return Resolved::Unknown;
            }
            return Resolved::Missing(Missing { name, parent: Some(parent), foreign: Vec::new() });
        };
        match self.finder.find(&search, last) {
            Located::Missing | Located::Foreign(_) if tricks => {
                // `__path__` was changed: every directory of that name on the path may be meant.
                let above: Vec<String> = self.modules[parent].name.split('.').map(str::to_owned).collect();
                let others: Vec<String> =
                    self.directories.iter().map(|directory| join(directory, &above.join("/"))).collect();
                match self.finder.find(&others, last) {
                    Located::Missing | Located::Foreign(_) => Resolved::Unknown,
                    located => Resolved::Module(self.found(&name, located)),
                }
            }
            Located::Missing => {
                Resolved::Missing(Missing { name, parent: Some(parent), foreign: Vec::new() })
            }
            Located::Foreign(foreign) => Resolved::Missing(Missing { name, parent: Some(parent), foreign }),
            located => Resolved::Module(self.found(&name, located)),
        }
    }

    /// Records a module that was found; `Located::Missing` stands for one inside the interpreter.
    fn found(&mut self, name: &str, located: Located) -> ModuleId {
        let above = || name.rsplit_once('.').map(|(package, _)| package.to_owned()).unwrap_or_default();
        let mut foreign = Vec::new();
        let (file, form, search, package) = match located {
            Located::File { path, form, package: Some(directory) } => {
                (Some(path), form, Some(vec![directory]), name.to_owned())
            }
            Located::File { path, form, package: None } => (Some(path), form, None, above()),
            Located::Namespace { portions, foreign: others } => {
                foreign = others;
                (None, Form::Source, Some(portions), name.to_owned())
            }
            Located::Foreign(_) | Located::Missing => (None, Form::Extension, None, above()),
        };
        let owner = match (&file, &search) {
            (Some(file), _) => self.owner(file),
            (None, Some(portions)) => portions.first().map_or(Owner::Own, |portion| self.owner(portion)),
            (None, None) => Owner::Standard,
        };
        let module = self.add(Module {
            name: name.to_owned(),
            package: Some(package),
            file,
            form,
            owner,
            search,
            source: Reading::Due,
            is_main: false,
            text: None,
            parent: None,
            visited: false,
            foreign,
        });
        self.by_name.insert(name.to_owned(), module);
        module
    }

    pub(super) fn owner(&self, file: &str) -> Owner {
        if is_packages_directory(file) {
            return Owner::Package;
        }
        if let Some(library) = &self.check.interpreter.standard_library
            && file.strip_prefix(library.as_str()).is_some_and(|rest| rest.starts_with('/'))
        {
            return Owner::Standard;
        }
        for (directory, names) in &self.packaged {
            // The directory of a code zip is its root, `/`.
            let directory = directory.trim_end_matches('/');
            let rest = file.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/'));
            if let Some(rest) = rest {
                let first = rest.split('/').next().unwrap_or_default();
                if names.contains(first) {
                    return Owner::Package;
                }
            }
        }
        let launcher = file
            .rsplit_once('/')
            .is_some_and(|(directory, name)| directory.ends_with("/bin") && extension(name) != "py");
        if launcher { Owner::Package } else { Owner::Own }
    }

    /// The text of a module, read.
    pub(super) fn source(&mut self, module: ModuleId) -> Option<Rc<Source>> {
        match &self.modules[module].source {
            Reading::Done(source) => return Some(Rc::clone(source)),
            Reading::Unreadable => return None,
            Reading::Due => {}
        }
        let source = self.read(module).map(Rc::new);
        if let Some(source) = &source {
            self.attributes_set.extend(source.attributes.iter().cloned());
        }
        self.modules[module].source = source.clone().map_or(Reading::Unreadable, Reading::Done);
        source
    }

    fn read(&mut self, module: ModuleId) -> Option<Source> {
        let text = self.text(module)?;
        self.bytes += text.len() as u64;
        let entry = &self.modules[module];
        let setting = Setting {
            version: self.check.interpreter.version,
            machine: self.check.interpreter.machine.map(Machine::name),
            is_main: entry.is_main,
        };
        let depth = if entry.owner == Owner::Own { Depth::Whole } else { Depth::Import };
        let file = entry.file.clone().unwrap_or_else(|| "-c".to_owned());
        let source = scan(&text, &file, depth, &setting);
        if source.is_none() {
            let why = "it is nested more deeply than interpreters take";
            self.not_checked.insert(NotChecked::new(format!("what {file} imports"), why));
        }
        source
    }

    /// The text of a module, when it is stored as text.
    pub(super) fn text(&self, module: ModuleId) -> Option<String> {
        let module = &self.modules[module];
        if let Some(text) = &module.text {
            return Some(text.clone());
        }
        if module.form != Form::Source {
            return None;
        }
        let bytes = self.check.tree.read(module.file.as_deref()?, FILE).ok()?;
        Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            // An older encoding: names and imports are ASCII all the same.
            Err(bytes) => bytes.into_bytes().into_iter().map(char::from).collect(),
        })
    }

    /// Whether the text of a module has `name` as a word.
    pub(super) fn mentions(&self, module: ModuleId, name: &str) -> bool {
        self.text(module).is_some_and(|text| has_word(&text, name))
    }

    /// Whether a module of the same package that was read has `name` as a word.
    pub(super) fn package_mentions(&self, module: ModuleId, name: &str) -> bool {
        let top = |module: &Module| module.name.split('.').next().unwrap_or_default().to_owned();
        let wanted = top(&self.modules[module]);
        (0..self.modules.len()).any(|id| {
            let other = &self.modules[id];
            other.source.done().is_some() && top(other) == wanted && self.mentions(id, name)
        })
    }
}

pub(super) fn is_packages_directory(path: &str) -> bool {
    path.split('/').any(|part| part == "site-packages" || part == "dist-packages")
}

/// Whether `name` stands in `text` as a word.
pub(super) fn has_word(text: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(is_part);
        let after = text[at + name.len()..].chars().next().is_some_and(is_part);
        !before && !after
    })
}
