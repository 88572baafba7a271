//! What a Node process would load, without running it.
//!
//! What it is: the `require` and `import` statements of own files, and of the packages they load, followed to files as Node resolves
//! them (`resolve`, `exports`). What it is not: a parser of JavaScript. A lexer that knows strings, comments, templates and regular
//! expressions finds the few forms in which a specifier is written; a full parser costs more to build than the rest of this crate
//! and would tell nothing more about them. What a package lacks is never more than *likely*: it may be made to do without.
//!
//! Start with [`check`].

mod exports;
mod lexer;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use exports::Mode;
use lexer::{Form, Specifier, specifiers};
use resolve::{Resolver, Target};

use crate::inspect::{Certainty, Finding, FindingKind, Link, NotChecked};
use crate::tree::Tree;

/// Most bytes of one source file and of all, and most files.
const FILE: u64 = 8 << 20;
const BYTES: u64 = 256 << 20;
const FILES: usize = 20_000;
/// Links of the way to a file that are told, and findings.
const CHAIN: usize = 40;
const FINDINGS: usize = 200;

/// What a check of Node's imports found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What cannot be loaded.
    pub findings: Vec<Finding>,
    /// Packages beside the start file, with versions.
    pub packages: BTreeMap<String, String>,
    /// What was not looked at.
    pub not_checked: Vec<NotChecked>,
}

/// Why a file is read: which file names it, by its place among those that were read, and where.
#[derive(Clone)]
struct Named {
    by: usize,
    line: u32,
    specifier: String,
}

/// The walk from the start file on.
struct Walk<'a> {
    tree: &'a Tree,
    resolver: Resolver<'a>,
    /// The files that were read, in order.
    read: Vec<(String, Option<Named>)>,
    /// The surest first, so that a file reached in two ways is judged by the surer one.
    waiting: BTreeMap<Certainty, VecDeque<(String, Option<Named>)>>,
    /// How surely each file is loaded; it waits once for each.
    surest: BTreeMap<String, Certainty>,
    reported: BTreeSet<(String, Option<(String, String)>)>,
    outcome: Outcome,
}

/// Checks what Node would load from `start`. `most`: the most that can be said, less when something that is loaded before may change
/// how modules are found.
pub fn check(tree: &Tree, start: &str, most: Certainty) -> Outcome {
    let mut resolver = Resolver::new(tree);
    let mut outcome = Outcome::default();
    let Some(start) = resolver.file(start) else {
        let text = format!("the start command runs {start}, and the image does not have it");
        let finding =
            Finding::new(FindingKind::MissingOwnSource, most, text).with("path", start).with("module", start);
        outcome.findings.push(finding);
        return outcome;
    };
    outcome.packages = resolver.packages(&start);
    let mut walk = Walk {
        tree,
        resolver,
        read: Vec::new(),
        waiting: BTreeMap::new(),
        surest: BTreeMap::new(),
        reported: BTreeSet::new(),
        outcome,
    };
    walk.wait(start, most, None);
    walk.run();
    walk.outcome
}

impl Walk<'_> {
    fn wait(&mut self, file: String, certainty: Certainty, named: Option<Named>) {
        if self.surest.get(&file).is_none_or(|known| *known < certainty) {
            self.surest.insert(file.clone(), certainty);
            self.waiting.entry(certainty).or_default().push_back((file, named));
        }
    }

    fn run(&mut self) {
        let mut seen = BTreeSet::new();
        let mut bytes_read = 0;
        while let Some(mut level) = self.waiting.last_entry() {
            let certainty = *level.key();
            let Some((file, named)) = level.get_mut().pop_front() else {
                level.remove();
                continue;
            };
            if !is_script(&file) || !seen.insert(file.clone()) {
                continue;
            }
            if seen.len() > FILES || bytes_read > BYTES || self.outcome.findings.len() >= FINDINGS {
                let why = format!("more than {FILES} files, {BYTES} bytes or {FINDINGS} findings");
                self.outcome.not_checked.push(NotChecked::new("what Node loads beyond the first files", why));
                break;
            }
            let Ok(bytes) = self.tree.read(&file, FILE) else { continue };
            bytes_read += bytes.len() as u64;
            self.read.push((file.clone(), named));
            self.file(&file, &String::from_utf8_lossy(&bytes), certainty);
        }
    }

    /// What one file loads.
    fn file(&mut self, file: &str, text: &str, level: Certainty) {
        let module = self.resolver.is_module(file);
        let packaged = is_packaged(file);
        let by = self.read.len() - 1;
        for specifier in specifiers(text) {
            let certainty = level.min(specifier.most);
            // What a package loads under a condition is its own affair.
            if packaged && certainty == Certainty::Possible {
                continue;
            }
            // A static import in a script is compiled away, or is refused before it is resolved.
            let import = specifier.form != Form::Require && (module || specifier.form == Form::Dynamic);
            let mode = if import { Mode::Import } else { Mode::Require };
            match self.resolver.resolve(file, &specifier.text, mode) {
                Target::File(target) => {
                    let most = if is_packaged(&target) { Certainty::Likely } else { Certainty::Certain };
                    let named = Named { by, line: specifier.line, specifier: specifier.text };
                    self.wait(target, certainty.min(most), Some(named));
                }
                Target::BuiltIn | Target::Unknown => {}
                target => {
                    let owner = self.resolver.owner(file);
                    let new = self.outcome.findings.len() < FINDINGS
                        && self.reported.insert((specifier.text.clone(), owner.clone()));
                    if new {
                        let mut found = finding(&target, &specifier, file, mode, certainty, owner);
                        found.chain = self.chain(by, &specifier);
                        self.outcome.findings.push(found);
                    }
                }
            }
        }
    }

    /// The way from the start to a specifier in a file that was read; of a very long one the end.
    fn chain(&self, by: usize, specifier: &Specifier) -> Vec<Link> {
        let mut named = Some(Named { by, line: specifier.line, specifier: specifier.text.clone() });
        let mut chain = VecDeque::new();
        while let Some(link) = named.take().filter(|_| chain.len() < CHAIN) {
            let Some((file, above)) = self.read.get(link.by) else { break };
            chain.push_front(Link { file: file.clone(), line: link.line, module: link.specifier });
            named.clone_from(above);
        }
        chain.into()
    }
}

fn is_packaged(file: &str) -> bool {
    file.contains("/node_modules/")
}

/// Whether Node reads a file as text that may load others; a name without an extension is a script, too.
fn is_script(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    !matches!(name.rsplit_once('.'), Some((_, "json" | "node" | "wasm")))
}

fn finding(
    target: &Target,
    specifier: &Specifier,
    file: &str,
    mode: Mode,
    most: Certainty,
    owner: Option<(String, String)>,
) -> Finding {
    let name = specifier.text.as_str();
    let (kind, text) = match target {
        Target::NoExtension => (
            FindingKind::MissingOwnSource,
            format!("{name} is imported without its extension, which an ES module must write"),
        ),
        Target::NoPackage(package) => {
            (FindingKind::MissingModule, format!("{package} is loaded, and is not installed in the image"))
        }
        Target::NoSubpath { package, version } => (
            FindingKind::MissingSubmodule,
            format!("{name} is loaded, and {package} {version} does not have it or does not export it"),
        ),
        Target::OtherConditions { package, version } => (
            FindingKind::MissingSubmodule,
            format!(
                "{name} is loaded by {}, and {package} {version} exports it for others only",
                mode.word()
            ),
        ),
        Target::NoFile | Target::File(_) | Target::BuiltIn | Target::Unknown => {
            (FindingKind::MissingOwnSource, format!("{name} is loaded, and the image has no such file"))
        }
    };
    let (kind, text, certainty) = match &owner {
        // A file that a package lacks is no source of the agent's.
        Some((package, version)) => {
            let kind =
                if kind == FindingKind::MissingOwnSource { FindingKind::MissingSubmodule } else { kind };
            (kind, format!("{text} ({package} {version} loads it)"), most.min(Certainty::Likely))
        }
        None => (kind, text, most),
    };
    let finding =
        Finding::new(kind, certainty, text).in_file(file).at_line(specifier.line).with("module", name);
    match (target, owner) {
        (Target::NoPackage(package), _) => finding.with("distribution", package.as_str()),
        (Target::NoSubpath { package, version } | Target::OtherConditions { package, version }, _) => {
            finding.with("distribution", package.as_str()).with("version", version.as_str())
        }
        (_, Some((package, version))) => finding.with("distribution", package).with("version", version),
        (_, None) => finding,
    }
}
