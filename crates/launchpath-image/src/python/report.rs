//! Findings of the import check: how sure they are, and their words.

use std::collections::BTreeMap;

use super::distribution::{self, Distribution};
use super::export::Answer;
use super::find::extension;
use super::graph::Graph;
use super::literal::join;
use super::module::{Missing, ModuleId, Owner, has_word};
use super::source::{Import, SyntaxError, What};
use super::standard;
use crate::elf::Elf;
use crate::import::{distribution_of, is_project_name, moved};
use crate::inspect::{Certainty, Finding, FindingKind, Link, NotChecked};
use crate::tree::Tree;

/// Places of one fault that are listed beside the first, and faults.
const ALSO: usize = 10;
const FINDINGS: usize = 200;

/// Why a missing module might be there after all.
struct Doubt {
    most: Certainty,
    why: String,
}

impl Graph<'_> {
    /// Records a finding, once for each thing that is wrong; later places are listed with the first.
    ///
    /// What an installed package may miss is its own affair: only what is likely there is recorded.
    fn record(&mut self, module: ModuleId, line: u32, subject: (&str, &str), finding: Finding) {
        if self.modules[module].owner == Owner::Package && finding.certainty == Certainty::Possible {
            return;
        }
        let key = (finding.kind, subject.0.to_owned(), subject.1.to_owned());
        let file = self.modules[module].file.clone();
        if let Some(known) = self.seen.get(&key) {
            let place = format!("{}:{line}", file.unwrap_or_default());
            let also = self.findings[*known]
                .detail
                .entry("also".to_owned())
                .or_insert_with(|| Vec::<String>::new().into());
            if let Some(also) = also.as_array_mut()
                && also.len() < ALSO
            {
                also.push(place.into());
            }
            return;
        }
        if self.is_full() {
            return;
        }
        let mut finding = finding;
        finding.chain = self.chain(module);
        if !subject.0.is_empty() {
            let module_name = if subject.1.is_empty() {
                subject.0.to_owned()
            } else {
                format!("{}.{}", subject.0, subject.1)
            };
            let place = file.clone().unwrap_or_else(|| self.modules[module].name.clone());
            finding.chain.push(Link { file: place, line, module: module_name });
        }
        finding.file = file;
        finding.line = (line > 0).then_some(line);
        self.seen.insert(key, self.findings.len());
        self.findings.push(finding);
    }

    /// Whether there are so many findings that one more says nothing; then that is said.
    fn is_full(&mut self) -> bool {
        let full = self.findings.len() >= FINDINGS;
        if full {
            let why = format!("{FINDINGS} are listed");
            self.not_checked.insert(NotChecked::new("findings beyond the first", why));
        }
        full
    }

    /// An import of something that is not there.
    pub(super) fn report_missing(
        &mut self,
        module: ModuleId,
        line: u32,
        missing: &Missing,
        level: Certainty,
    ) {
        if self.is_full() {
            return;
        }
        let name = missing.name.as_str();
        let top = name.split('.').next().unwrap_or(name);
        if !missing.foreign.is_empty() {
            self.report_foreign(module, line, missing, level);
            return;
        }
        let doubt = self.doubt(missing);
        let certainty = doubt.as_ref().map_or(level, |doubt| level.min(doubt.most));
        let importer = self.modules[module].name.clone();
        let distribution = missing.parent.and_then(|parent| self.distribution_of_module(parent)).cloned();
        let own_parent = missing.parent.is_some_and(|parent| self.modules[parent].owner == Owner::Own);
        let own_importer = self.modules[module].owner == Owner::Own;
        let (kind, mut text) = match missing.parent {
            Some(_) if own_parent => (
                FindingKind::MissingOwnSource,
                format!("{name} is imported, and the image has no such source file"),
            ),
            Some(parent) => {
                let package = match &distribution {
                    Some(found) => format!("{} {}", found.name, found.version),
                    None => self.modules[parent].name.clone(),
                };
                (FindingKind::MissingSubmodule, format!("{name} is imported, and {package} does not have it"))
            }
            None if standard::ever_had(name) => (
                FindingKind::MissingModule,
                format!(
                    "{name} is imported, and Python {} in the image does not have it",
                    self.check.interpreter.version
                ),
            ),
            None if own_importer && distribution_of(name).is_none() && is_project_name(name) => (
                FindingKind::MissingOwnSource,
                format!("{name} is imported, and the image has no such source file"),
            ),
            None => {
                (FindingKind::MissingModule, format!("{name} is imported, and is not installed in the image"))
            }
        };
        if self.modules[module].owner == Owner::Package && !importer.is_empty() && importer != "__main__" {
            text = format!("{text} ({importer} imports it)");
        }
        let mut finding = Finding::new(kind, certainty, text).with("module", name);
        if let Some(doubt) = doubt {
            finding = finding.with("doubt", doubt.why);
        }
        if let Some(found) = distribution {
            finding = finding.with("distribution", found.name).with("version", found.version);
        } else if missing.parent.is_none()
            && let Some(known) = distribution_of(top)
        {
            finding = finding.with("distribution", known);
        }
        if let Some(row) = moved(name) {
            if let Some(to) = &row.moved_to {
                finding = finding.with("moved_to", to.as_str());
            }
            finding = finding
                .with("gone_in", row.gone_in.as_str())
                .with("released", row.released.as_str())
                .with("pin", row.pin.as_str());
        }
        if kind == FindingKind::MissingOwnSource
            && let Some(other) = self.other_case(missing)
        {
            finding = finding.with("other_case", other);
        }
        self.record(module, line, (name, ""), finding);
    }

    fn report_foreign(&mut self, module: ModuleId, line: u32, missing: &Missing, level: Certainty) {
        let made_for: Vec<&str> = missing.foreign.iter().map(|foreign| foreign.made_for.as_str()).collect();
        let interpreter = self.check.interpreter;
        let machine = interpreter.machine.map_or("its machine", crate::elf::Machine::name);
        let text = format!(
            "{} is compiled for {}, and the image's Python {} runs on {machine}",
            missing.name,
            made_for.join(", "),
            interpreter.version,
        );
        let mut finding = Finding::new(FindingKind::ForeignExtension, level, text)
            .with("module", missing.name.as_str())
            .with("extension", missing.foreign[0].path.as_str())
            .with("made_for", made_for.join(", "));
        if let Some(found) = missing.parent.and_then(|parent| self.distribution_of_module(parent)) {
            finding =
                finding.with("distribution", found.name.as_str()).with("version", found.version.as_str());
        }
        self.record(module, line, (&missing.name, ""), finding);
    }

    /// A name that a module does not have.
    pub(super) fn report_name(
        &mut self,
        module: ModuleId,
        line: u32,
        from: ModuleId,
        name: &str,
        answer: &Answer,
        level: Certainty,
    ) {
        let mut certainty = match answer {
            Answer::No => level,
            Answer::OnlyByGetattr { unheard_of: true } => level.min(Certainty::Likely),
            _ => level.min(Certainty::Possible),
        };
        let from_name = self.modules[from].name.clone();
        let owner = self.modules[from].owner;
        // The interpreter may have imported its own module of that name before it comes to this one.
        if owner == Owner::Own && standard::ever_had(from_name.split('.').next().unwrap_or_default()) {
            certainty = certainty.min(Certainty::Likely);
        }
        let foreign = if self.is_package(from) { self.foreign_submodule(from, name) } else { None };
        if let Some(missing) = foreign.or_else(|| self.foreign_itself(from)) {
            self.report_foreign(module, line, &missing, level);
            return;
        }
        let distribution = self.distribution_of_module(from).cloned();
        let place = match (&distribution, owner) {
            (Some(found), _) => format!("{from_name} of {} {}", found.name, found.version),
            (None, Owner::Standard) => format!("{from_name} of Python {}", self.check.interpreter.version),
            (None, _) => from_name.clone(),
        };
        let namespace = self.modules[from].file.is_none();
        // `from . import tools` in a package that has no such name: a source file is meant.
        let importer = &self.modules[module].name;
        let from_within = importer == &from_name
            || importer.strip_prefix(&from_name).is_some_and(|rest| rest.starts_with('.'));
        let own = owner == Owner::Own && self.is_package(from) && (namespace || from_within);
        let (kind, text) = if own {
            let text = format!("{from_name}.{name} is imported, and the image has no such source file");
            (FindingKind::MissingOwnSource, text)
        } else {
            let kind =
                if owner == Owner::Own { FindingKind::MissingOwnName } else { FindingKind::MissingName };
            (kind, format!("{name} is imported from {place}, which does not have it"))
        };
        let mut finding =
            Finding::new(kind, certainty, text).with("module", from_name.as_str()).with("name", name);
        if let Some(found) = distribution {
            finding = finding.with("distribution", found.name).with("version", found.version);
        }
        if let Some(file) = &self.modules[from].file {
            finding = finding.with("defined_in", file.as_str());
        }
        self.record(module, line, (&from_name, name), finding);
    }

    /// A module that is only directories, because its compiled file is for something else.
    fn foreign_itself(&self, module: ModuleId) -> Option<Missing> {
        let module = &self.modules[module];
        let parent = module.name.rsplit_once('.').and_then(|(parent, _)| self.by_name.get(parent)).copied();
        (!module.foreign.is_empty()).then(|| Missing {
            name: module.name.clone(),
            parent,
            foreign: module.foreign.clone(),
        })
    }

    fn foreign_submodule(&mut self, package: ModuleId, name: &str) -> Option<Missing> {
        match self.submodule(package, name) {
            super::module::Resolved::Missing(missing) if !missing.foreign.is_empty() => Some(missing),
            _ => None,
        }
    }

    /// Source that the interpreter refuses.
    pub(super) fn report_syntax(&mut self, module: ModuleId, error: &SyntaxError, level: Certainty) {
        let version = self.check.interpreter.version;
        let text = format!("Python {version} refuses this source: {}", error.message);
        let finding = Finding::new(FindingKind::SyntaxError, level, text)
            .with("module", self.modules[module].name.as_str())
            .with("message", error.message.as_str());
        self.record(module, error.line, ("", ""), finding);
    }

    /// A relative import in a file that is run as a script.
    pub(super) fn report_no_parent(&mut self, module: ModuleId, import: &Import, level: Certainty) {
        let written = match &import.what {
            What::From { module, dots, .. } | What::Star { module, dots } => {
                format!("{}{module}", ".".repeat(usize::try_from(*dots).unwrap_or(1)))
            }
            What::Module(name) => name.to_string(),
        };
        let text = format!(
            "the relative import of {written} leaves the package: the file is run as a script, or the package above is not one"
        );
        let finding = Finding::new(FindingKind::MissingModule, level, text)
            .with("module", written.as_str())
            .with("reason", "relative_import_without_package");
        self.record(module, import.line, (&written, ""), finding);
    }

    /// `-m module` with a module that is not there.
    pub(super) fn report_start(&mut self, module: &str, name: &str) {
        let text = format!("the start command runs the module {module}, and there is no {name}");
        let finding =
            Finding::new(FindingKind::MissingOwnSource, Certainty::Certain, text).with("module", name);
        let key = (finding.kind, name.to_owned(), String::new());
        let reported =
            self.findings.iter().any(|known| known.detail.get("module").is_some_and(|known| known == name));
        if !reported {
            self.seen.insert(key, self.findings.len());
            self.findings.push(finding);
        }
    }

    /// Shared libraries that a compiled module needs and that are nowhere in the image: packages load libraries of other
    /// packages before their own modules need them, so that one which lies anywhere may be found.
    pub(super) fn check_libraries(&mut self, module: ModuleId, level: Certainty) {
        let tree = self.check.tree;
        // Of a code zip the system is not part of what is inspected.
        if self.check.interpreter.path.is_none() {
            return;
        }
        let elf_of = |path: &str| Elf::of(tree, &tree.lookup(path)?);
        let Some(file) = self.modules[module].file.clone() else { return };
        let Some(elf) = elf_of(&file) else { return };
        let places = self.libraries.get_or_insert_with(|| libraries(tree));
        let mut waiting = vec![(file, elf)];
        let mut missing = Vec::new();
        while let Some((by, elf)) = waiting.pop() {
            for library in elf.needed {
                // The loader itself, and what it brings along, are named with paths or by it.
                if library.contains('/') || library.starts_with("ld-") {
                    continue;
                }
                let Some(path) = places.get(&library) else {
                    missing.push((library, by.clone()));
                    continue;
                };
                if self.libraries_seen.insert(library) {
                    waiting.extend(elf_of(path).map(|elf| (path.clone(), elf)));
                }
            }
        }
        for (library, by) in missing {
            let name = self.modules[module].name.clone();
            let text = format!("{name} needs the library {library}, and the image does not have it");
            let mut finding = Finding::new(FindingKind::MissingLibrary, level.min(Certainty::Likely), text)
                .with("module", name.as_str())
                .with("library", library.as_str())
                .with("needed_by", by);
            if let Some(found) = self.distribution_of_module(module) {
                finding =
                    finding.with("distribution", found.name.as_str()).with("version", found.version.as_str());
            }
            self.record(module, 0, ("", &library), finding);
        }
    }

    /// A file that own code reads while it is imported.
    pub(super) fn check_data_file(&mut self, module: ModuleId, path: &str, line: u32) {
        let full = join(self.check.working_directory, path);
        let made_at_run_time = ["/tmp/", "/proc/", "/sys/", "/dev/", "/mnt/", "/run/", "/var/run/"];
        let outside = made_at_run_time.iter().any(|start| full.starts_with(start)) || path.starts_with('~');
        if outside || !full.starts_with('/') || self.check.tree.lookup(&full).is_some() {
            return;
        }
        let text = format!("{path} is read when the module is imported, and the image does not have it");
        let finding =
            Finding::new(FindingKind::MissingDataFile, Certainty::Likely, text).with("path", full.as_str());
        self.record(module, line, ("", &full), finding);
    }

    pub(super) fn distribution_of_module(&self, module: ModuleId) -> Option<&Distribution> {
        let module = &self.modules[module];
        let file = module.file.as_deref()?;
        let top = module.name.split('.').next().unwrap_or_default();
        distribution::of_file(self.check.tree, self.check.distributions, file, top, &self.records_read)
    }

    /// What could bring a missing module about after all.
    fn doubt(&mut self, missing: &Missing) -> Option<Doubt> {
        let name = missing.name.as_str();
        let top = name.split('.').next().unwrap_or(name);
        let quoted = |text: &str| text.contains(&format!("\"{top}")) || text.contains(&format!("'{top}"));
        for (file, line) in &self.check.path.code {
            if quoted(line) || has_word(line, top) {
                let why = format!("{file} runs code at start that speaks of {top}");
                return Some(Doubt { most: Certainty::Possible, why });
            }
        }
        for id in 0..self.modules.len() {
            let Some(source) = self.modules[id].source.done().cloned() else { continue };
            let hazards = source.hazards;
            if !hazards.hooks && !hazards.modules {
                continue;
            }
            let module = &self.modules[id];
            let module_top = module.name.split('.').next().unwrap_or_default();
            let place = module.file.clone().unwrap_or_else(|| module.name.clone());
            if module.owner == Owner::Own {
                let why = format!("{place} changes how modules are found");
                return Some(Doubt { most: Certainty::Likely, why });
            }
            let itself = module_top == top;
            if itself || self.text(id).is_some_and(|text| quoted(&text)) {
                let why = format!("{place} makes modules while it runs");
                return Some(Doubt { most: Certainty::Possible, why });
            }
        }
        if missing.parent.is_none() { self.elsewhere(top) } else { None }
    }

    /// A directory outside the search path that holds a module of that name, and code that changes the search path.
    fn elsewhere(&mut self, top: &str) -> Option<Doubt> {
        let changers: Vec<(Owner, String)> = self
            .modules
            .iter()
            .filter(|module| {
                module.owner != Owner::Standard
                    && module.source.done().is_some_and(|source| source.hazards.search_path)
            })
            .map(|module| (module.owner, module.file.clone().unwrap_or_default()))
            .collect();
        if changers.is_empty() {
            return None;
        }
        let tree = self.check.tree;
        let index = self.elsewhere.get_or_insert_with(|| index(tree));
        let places = index.get(top).cloned().unwrap_or_default();
        for directory in places {
            let reached = changers.iter().any(|(owner, file)| {
                *owner == Owner::Own || package_root(file).is_some_and(|root| directory.starts_with(&root))
            });
            if reached {
                let why = format!("{directory} has {top}, and code that runs before changes the search path");
                return Some(Doubt { most: Certainty::Possible, why });
            }
        }
        None
    }

    /// The file that is there under a name in other letters: a file system that ignores case hid the slip.
    fn other_case(&self, missing: &Missing) -> Option<String> {
        let parent = &self.modules[missing.parent?];
        let directory = parent.file.as_deref()?.rsplit_once('/')?.0;
        let last = missing.name.rsplit('.').next()?;
        let found = self.check.tree.children(directory).into_iter().find(|entry| {
            let stem = entry.name().strip_suffix(".py").unwrap_or(entry.name());
            stem != last && stem.eq_ignore_ascii_case(last)
        })?;
        Some(found.path().to_owned())
    }
}

/// Everything whose name may be a library's, with the first place of it.
fn libraries(tree: &Tree) -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    for entry in tree.walk("/").filter(|entry| !entry.is_directory() && entry.name().contains(".so")) {
        places.entry(entry.name().to_owned()).or_insert_with(|| entry.path().to_owned());
    }
    places
}

/// The directory of the top-level package that a file of an installed package belongs to.
fn package_root(file: &str) -> Option<String> {
    let at = ["/site-packages/", "/dist-packages/"]
        .iter()
        .find_map(|part| file.rfind(part).map(|at| at + part.len()))?;
    let first = file[at..].split('/').next()?;
    Some(format!("{}{first}/", &file[..at]))
}

/// Everything that could be a top-level module if the directory above were searched: name to those directories.
fn index(tree: &Tree) -> BTreeMap<String, Vec<String>> {
    let mut index: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in tree.walk("/") {
        let name = entry.name();
        let stem = if entry.is_directory() {
            name
        } else if let Some(stem) = name.strip_suffix(".py") {
            stem
        } else if extension(name) == "so" {
            name.split('.').next().unwrap_or(name)
        } else {
            continue;
        };
        let above = entry.path().rsplit_once('/').map_or("", |(above, _)| above);
        index.entry(stem.to_owned()).or_default().push(format!("{above}/"));
    }
    // A package's own modules are no top-level modules: nobody searches inside a package.
    for directories in index.values_mut() {
        directories.retain(|directory| tree.entry(&format!("{directory}__init__.py")).is_none());
    }
    index
}
