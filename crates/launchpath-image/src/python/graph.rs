//! Follows imports from the start module, and finds what cannot be imported.
//!
//! Three passes, from the surest to the least sure. The first follows only what runs in any case, in the order in which the
//! interpreter runs it; its findings are *certain*. What it left aside (guarded, conditional, in functions) is taken up by the
//! next passes. A module is visited once, in the first pass that reaches it, so that its findings are as sure as they can be.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::distribution::Distribution;
use super::export::Answer;
use super::find::{Finder, Form, extension};
use super::literal::join;
use super::module::{Module, ModuleId, Owner, PARTS, Reading, Resolved, is_packages_directory};
use super::source::{Import, Source, Step, What};
use super::{Interpreter, SearchPath};
use crate::inspect::{Certainty, Finding, Link, NotChecked};
use crate::tree::Tree;

/// What the interpreter is told to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A file, as `__main__`.
    Script(String),
    /// `-m module`.
    Module(String),
    /// `-c code`.
    Code(String),
    /// A module that a server imports, `main:app`.
    Application {
        /// The module.
        module: String,
        /// The name in it.
        attribute: Option<String>,
        /// The server.
        server: String,
    },
}

/// What an import check is about.
pub struct Check<'a> {
    /// The files.
    pub tree: &'a Tree,
    /// The interpreter.
    pub interpreter: &'a Interpreter,
    /// Where it searches, the start's own directory excepted.
    pub path: &'a SearchPath,
    /// What is installed there.
    pub distributions: &'a [Distribution],
    /// What is run, in order.
    pub starts: &'a [Start],
    /// The directory that the start puts first: the script's, or the working directory.
    pub first: Option<&'a str>,
    /// The working directory.
    pub working_directory: &'a str,
}

/// What an import check found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What cannot be imported, surest first, in the order of the interpreter.
    pub findings: Vec<Finding>,
    /// What was not looked at.
    pub not_checked: Vec<NotChecked>,
    /// The file and the name of the start module.
    pub start: Option<(String, String)>,
    /// How many modules were followed.
    pub modules: usize,
    /// What own code says about serving, with its file.
    pub(super) serving: Vec<(String, Rc<Source>)>,
    /// The modules that are imported, as far as they were followed.
    pub imported: BTreeSet<String>,
}

/// Checks what the interpreter would import.
pub fn check(check: &Check<'_>) -> Outcome {
    let mut graph = Graph::new(check);
    graph.run();
    graph.finish()
}

/// Modules and bytes of source that are read at most.
const MODULES: usize = 40_000;
const BYTES: u64 = 512 << 20;
/// Links of the way to a finding that are told.
const CHAIN: usize = 60;

pub(super) struct Graph<'a> {
    pub(super) check: &'a Check<'a>,
    pub(super) finder: Finder<'a>,
    pub(super) modules: Vec<Module>,
    pub(super) by_name: BTreeMap<String, ModuleId>,
    /// The search path as it stands, the start's directory first.
    pub(super) directories: Vec<String>,
    /// In directories that hold own code beside packages: the names of the packages.
    pub(super) packaged: BTreeMap<String, BTreeSet<String>>,
    /// Attributes that some module sets on an object.
    pub(super) attributes_set: BTreeSet<Box<str>>,
    failed_guards: BTreeMap<(ModuleId, u32), bool>,
    deferred: BTreeMap<Certainty, VecDeque<(ModuleId, usize)>>,
    pub(super) bytes: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) seen: BTreeMap<(crate::inspect::FindingKind, String, String), usize>,
    pub(super) not_checked: BTreeSet<NotChecked>,
    /// Names of everything that could be a module, with the directories above; made when first asked for.
    pub(super) elsewhere: Option<BTreeMap<String, Vec<String>>>,
    /// Names of all files that may be libraries, with the first place of each; made when first asked for.
    pub(super) libraries: Option<BTreeMap<String, String>>,
    /// Bytes of records of installations that were read.
    pub(super) records_read: Cell<u64>,
    /// Libraries whose own needs were looked at.
    pub(super) libraries_seen: BTreeSet<String>,
    started: Option<(String, String)>,
    imported: BTreeSet<String>,
}

/// Something that a step asks for, in order.
enum Action {
    /// Import this dotted name, up to the given length.
    Part(String),
    /// Take these names from that module.
    Names(String, Vec<Box<str>>),
    /// Take every public name.
    Star(String),
}

/// A module whose steps are being run.
struct Frame {
    module: ModuleId,
    steps: std::ops::Range<usize>,
    line: u32,
    actions: VecDeque<Action>,
}

impl<'a> Graph<'a> {
    fn new(check: &'a Check<'a>) -> Self {
        let mut directories: Vec<String> = Vec::new();
        let first = check.first.and_then(|directory| check.tree.lookup(directory));
        directories.extend(first.map(|entry| entry.path().to_owned()));
        for directory in &check.path.directories {
            if !directories.contains(directory) {
                directories.push(directory.clone());
            }
        }
        let mut packaged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for distribution in check.distributions {
            if !is_packages_directory(&distribution.site) {
                packaged
                    .entry(distribution.site.clone())
                    .or_default()
                    .extend(distribution.top_levels(check.tree));
            }
        }
        Self {
            check,
            finder: Finder::new(check.tree, check.interpreter),
            modules: Vec::new(),
            by_name: BTreeMap::new(),
            directories,
            packaged,
            attributes_set: BTreeSet::new(),
            failed_guards: BTreeMap::new(),
            deferred: BTreeMap::new(),
            bytes: 0,
            findings: Vec::new(),
            seen: BTreeMap::new(),
            not_checked: BTreeSet::new(),
            elsewhere: None,
            libraries: None,
            records_read: Cell::new(0),
            libraries_seen: BTreeSet::new(),
            started: None,
            imported: BTreeSet::new(),
        }
    }

    fn run(&mut self) {
        let check = self.check;
        for start in check.starts {
            self.start(start);
        }
        for level in [Certainty::Certain, Certainty::Likely, Certainty::Possible] {
            while let Some((module, step)) = self.deferred.get_mut(&level).and_then(VecDeque::pop_front) {
                self.walk(Frame { module, steps: step..step + 1, line: 0, actions: VecDeque::new() }, level);
            }
        }
    }

    fn start(&mut self, start: &Start) {
        let (name, file, text, package) = match start {
            Start::Script(file) => {
                let path = self.check.tree.lookup(file).map(|entry| entry.path().to_owned());
                (file.clone(), path, None, None)
            }
            Start::Code(text) => ("-c".to_owned(), None, Some(text.clone()), None),
            Start::Application { module, attribute, server } => {
                return self.application(module, attribute.as_deref(), server);
            }
            Start::Module(module) => {
                let mut name = module.clone();
                if let Resolved::Module(found) = self.resolve(module)
                    && self.is_package(found)
                {
                    name = format!("{module}.__main__");
                }
                // The packages above are imported first; the module itself runs as `__main__`.
                let parents = name.rsplit_once('.').map(|(parents, _)| parents.to_owned());
                if let Some(parents) = &parents {
                    self.run_actions(parts(parents), Certainty::Certain);
                }
                let Resolved::Module(found) = self.resolve(&name) else {
                    self.report_start(module, &name);
                    return;
                };
                self.started
                    .get_or_insert((self.modules[found].file.clone().unwrap_or_default(), name.clone()));
                (name, self.modules[found].file.clone(), None, Some(parents.unwrap_or_default()))
            }
        };
        if text.is_none() && file.as_deref().is_none_or(|file| extension(file) != "py" && package.is_some()) {
            return;
        }
        if let Some(file) = &file {
            self.started.get_or_insert((file.clone(), name.clone()));
        }
        let owner = file.as_deref().map_or(Owner::Own, |file| self.owner(file));
        let main = self.add(Module {
            name: "__main__".to_owned(),
            package,
            file,
            form: Form::Source,
            owner,
            search: None,
            source: Reading::Due,
            is_main: true,
            text,
            parent: None,
            visited: false,
            foreign: Vec::new(),
        });
        self.visit(main, Certainty::Certain);
    }

    /// A server imports the module and takes a name from it.
    fn application(&mut self, module: &str, attribute: Option<&str>, server: &str) {
        let mut actions = parts(module);
        if let Some(attribute) = attribute {
            let first = attribute.split(['.', '(']).next().unwrap_or(attribute);
            actions.push_back(Action::Names(module.to_owned(), vec![first.into()]));
        }
        // The server's own import stands for the line from which everything comes.
        let main = self.add(Module {
            name: server.to_owned(),
            package: None,
            file: None,
            form: Form::Source,
            owner: Owner::Own,
            search: None,
            source: Reading::Unreadable,
            is_main: false,
            text: None,
            parent: None,
            visited: true,
            foreign: Vec::new(),
        });
        self.walk(Frame { module: main, steps: 0..0, line: 0, actions }, Certainty::Certain);
        if let Resolved::Module(found) = self.resolve(module) {
            let file = self.modules[found].file.clone().unwrap_or_default();
            self.started = Some((file, module.to_owned()));
        }
    }

    fn run_actions(&mut self, actions: VecDeque<Action>, level: Certainty) {
        let main = self.add(Module {
            name: "__main__".to_owned(),
            package: None,
            file: None,
            form: Form::Source,
            owner: Owner::Own,
            search: None,
            source: Reading::Unreadable,
            is_main: true,
            text: None,
            parent: None,
            visited: true,
            foreign: Vec::new(),
        });
        self.walk(Frame { module: main, steps: 0..0, line: 0, actions }, level);
    }

    fn visit(&mut self, module: ModuleId, level: Certainty) {
        if let Some(frame) = self.enter(module, level) {
            self.walk(frame, level);
        }
    }

    /// Begins to run a module, unless it ran before or is not followed.
    fn enter(&mut self, module: ModuleId, level: Certainty) -> Option<Frame> {
        let entry = &self.modules[module];
        let entry_is_extension = entry.form == Form::Extension && entry.file.is_some();
        if entry.visited || entry.owner == Owner::Standard {
            return None;
        }
        if level == Certainty::Possible && entry.owner == Owner::Package {
            return None;
        }
        if self.modules.len() > MODULES || self.bytes > BYTES {
            self.not_checked.insert(NotChecked::new(
                "imports beyond the first",
                format!("more than {MODULES} modules or {BYTES} bytes of source would have to be read"),
            ));
            return None;
        }
        self.modules[module].visited = true;
        if entry_is_extension {
            self.check_libraries(module, level);
        }
        let source = self.source(module)?;
        if let Some(error) = &source.syntax_error {
            self.report_syntax(module, error, level);
            return None;
        }
        Some(Frame { module, steps: 0..source.steps.len(), line: 0, actions: VecDeque::new() })
    }

    fn walk(&mut self, first: Frame, level: Certainty) {
        let mut stack = vec![first];
        while let Some(frame) = stack.last_mut() {
            if let Some(action) = frame.actions.pop_front() {
                let (module, line) = (frame.module, frame.line);
                let (load, failed) = self.act(module, line, action, level);
                if failed {
                    frame.actions.clear();
                }
                // In reverse: the last one pushed runs first.
                for target in load.into_iter().rev() {
                    if self.modules[target].parent.is_none() && target != module {
                        self.modules[target].parent = Some((module, line));
                    }
                    stack.extend(self.enter(target, level));
                }
                continue;
            }
            let Some(step) = frame.steps.next() else {
                stack.pop();
                continue;
            };
            let module = frame.module;
            let Some(source) = self.source(module) else { continue };
            let Some(step_here) = source.steps.get(step) else { continue };
            let actions = self.step(module, step, step_here, level);
            if let (Some(frame), Step::Import(import)) = (stack.last_mut(), step_here) {
                frame.line = import.line;
                frame.actions = actions;
            }
        }
    }

    /// What one step asks for at this level.
    fn step(&mut self, module: ModuleId, step: usize, what: &Step, level: Certainty) -> VecDeque<Action> {
        let owner = self.modules[module].owner;
        let import = match what {
            Step::Import(import) => import,
            Step::SearchPath { directory, front } => {
                self.extend_path(directory, *front);
                return VecDeque::new();
            }
            Step::Opens { path, line } => {
                if owner == Owner::Own && level == Certainty::Certain {
                    self.check_data_file(module, path, *line);
                }
                return VecDeque::new();
            }
        };
        if owner == Owner::Package && import.reach.most == Certainty::Possible {
            return VecDeque::new();
        }
        let sure = level.min(import.reach.most);
        if sure < level {
            self.deferred.entry(sure).or_default().push_back((module, step));
            return VecDeque::new();
        }
        let reach = &import.reach;
        for guard in &reach.after_failure {
            if !self.guard_fails(module, *guard, None) {
                return VecDeque::new();
            }
        }
        for guard in &reach.after_success {
            if self.guard_fails(module, *guard, None) {
                return VecDeque::new();
            }
        }
        if let Some(guard) = reach.guard
            && self.guard_fails(module, guard, Some(step))
        {
            return VecDeque::new();
        }
        self.actions(module, import, level)
    }

    fn actions(&mut self, module: ModuleId, import: &Import, level: Certainty) -> VecDeque<Action> {
        match &import.what {
            What::Module(name) => parts(name),
            What::From { module: from, dots, names } => {
                let Some(from) = self.absolute(module, from, *dots) else {
                    self.report_no_parent(module, import, level);
                    return VecDeque::new();
                };
                let mut actions = parts(&from);
                // One by one: what the first brings is loaded before the second is asked for.
                actions.extend(names.iter().map(|name| Action::Names(from.clone(), vec![name.clone()])));
                actions
            }
            What::Star { module: from, dots } => {
                let Some(from) = self.absolute(module, from, *dots) else {
                    self.report_no_parent(module, import, level);
                    return VecDeque::new();
                };
                let mut actions = parts(&from);
                actions.push_back(Action::Star(from));
                actions
            }
        }
    }

    /// Does what an action says: what is to be loaded, and whether the statement fails there.
    fn act(
        &mut self,
        module: ModuleId,
        line: u32,
        action: Action,
        level: Certainty,
    ) -> (Vec<ModuleId>, bool) {
        match action {
            Action::Part(name) => match self.resolve(&name) {
                Resolved::Module(target) => {
                    self.imported.insert(name);
                    (vec![target], false)
                }
                Resolved::Missing(missing) => {
                    self.report_missing(module, line, &missing, level);
                    (Vec::new(), true)
                }
                Resolved::Unknown => (Vec::new(), true),
            },
            Action::Names(from, names) => {
                let Resolved::Module(source) = self.resolve(&from) else { return (Vec::new(), true) };
                let mut load = Vec::new();
                for name in names {
                    match self.exports(source, &name) {
                        Answer::Submodule(submodule) => load.push(submodule),
                        Answer::Bound | Answer::Unclear => {}
                        answer => self.report_name(module, line, source, &name, &answer, level),
                    }
                }
                (load, false)
            }
            Action::Star(from) => {
                let Resolved::Module(source) = self.resolve(&from) else { return (Vec::new(), true) };
                let mut load = Vec::new();
                let listed: Vec<Box<str>> = match self.source(source).as_deref().map(|source| &source.all) {
                    Some(super::source::All::Names(names)) => names.iter().cloned().collect(),
                    _ => Vec::new(),
                };
                for name in listed {
                    if let Answer::Submodule(submodule) = self.exports(source, &name) {
                        load.push(submodule);
                    }
                }
                (load, false)
            }
        }
    }

    /// Whether an import under `guard` fails for sure; of those before `before`, when given.
    fn guard_fails(&mut self, module: ModuleId, guard: u32, before: Option<usize>) -> bool {
        if before.is_none()
            && let Some(known) = self.failed_guards.get(&(module, guard))
        {
            return *known;
        }
        let Some(source) = self.source(module) else { return false };
        let until = before.unwrap_or(source.steps.len());
        let mut fails = false;
        for step in source.steps.iter().take(until) {
            let Step::Import(import) = step else { continue };
            if import.reach.guard == Some(guard)
                && import.reach.after_failure.is_empty()
                && self.fails(module, import)
            {
                fails = true;
                break;
            }
        }
        if before.is_none() {
            self.failed_guards.insert((module, guard), fails);
        }
        fails
    }

    /// Whether an import fails for sure, by itself.
    fn fails(&mut self, module: ModuleId, import: &Import) -> bool {
        let (target, names) = match &import.what {
            What::Module(name) => (Some(name.to_string()), &[][..]),
            What::From { module: from, dots, names } => (self.absolute(module, from, *dots), &names[..]),
            What::Star { module: from, dots } => (self.absolute(module, from, *dots), &[][..]),
        };
        let Some(target) = target else { return true };
        match self.resolve(&target) {
            Resolved::Missing(_) => true,
            Resolved::Unknown => false,
            Resolved::Module(found) => names.iter().any(|name| self.exports(found, name) == Answer::No),
        }
    }

    fn extend_path(&mut self, directory: &str, front: bool) {
        let directory = join(self.check.working_directory, directory);
        let Some(entry) = self.check.tree.lookup(&directory) else { return };
        if !entry.is_directory() {
            self.not_checked.insert(NotChecked::new(
                format!("modules in {directory}"),
                "it is an archive on the search path",
            ));
            return;
        }
        let directory = entry.path().to_owned();
        self.directories.retain(|known| *known != directory);
        let at = if front { 0 } else { self.directories.len() };
        self.directories.insert(at, directory);
    }

    /// The imports that lead to `module`, outermost first; of very many the last.
    pub(super) fn chain(&self, module: ModuleId) -> Vec<Link> {
        let mut chain = Vec::new();
        let mut at = module;
        while let Some((parent, line)) = self.modules[at].parent {
            let file = self.modules[parent].file.clone();
            let file = file.unwrap_or_else(|| self.modules[parent].name.clone());
            chain.push(Link { file, line, module: self.modules[at].name.clone() });
            at = parent;
            if chain.len() >= CHAIN {
                break;
            }
        }
        chain.reverse();
        chain
    }

    fn finish(mut self) -> Outcome {
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.certainty));
        let own = self.modules.iter().filter(|module| module.owner == Owner::Own && module.visited);
        let serving =
            own.filter_map(|module| Some((module.file.clone()?, Rc::clone(module.source.done()?)))).collect();
        Outcome {
            findings: self.findings,
            not_checked: self.not_checked.into_iter().collect(),
            start: self.started,
            modules: self.modules.iter().filter(|module| module.visited).count(),
            serving,
            imported: self.imported,
        }
    }
}

/// `a`, `a.b`, `a.b.c`.
fn parts(name: &str) -> VecDeque<Action> {
    if name.matches('.').count() > PARTS {
        return VecDeque::new();
    }
    let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
    ends.map(|end| Action::Part(name[..end].to_owned())).collect()
}
