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
/// Links of the way to a file that are kept.
const CHAIN: usize = 40;

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

/// A file that waits to be read.
struct Waiting {
    file: String,
    certainty: Certainty,
    chain: Vec<Link>,
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
    // The surest first, so that a file reached in two ways is judged by the surer one.
    let mut levels: BTreeMap<Certainty, VecDeque<Waiting>> = BTreeMap::new();
    levels.entry(most).or_default().push_back(Waiting { file: start, certainty: most, chain: Vec::new() });
    let mut seen = BTreeSet::new();
    let mut reported = BTreeSet::new();
    let mut bytes_read = 0;
    while let Some(waiting) = levels.iter_mut().next_back().and_then(|(_, level)| level.pop_front()) {
        levels.retain(|_, level| !level.is_empty());
        if !seen.insert(waiting.file.clone()) || !is_script(&waiting.file) {
            continue;
        }
        if seen.len() > FILES || bytes_read > BYTES {
            let why = format!("more than {FILES} files or {BYTES} bytes would have to be read");
            outcome.not_checked.push(NotChecked::new("what Node loads beyond the first files", why));
            break;
        }
        let Ok(bytes) = tree.read(&waiting.file, FILE) else { continue };
        bytes_read += bytes.len() as u64;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let module = resolver.is_module(&waiting.file);
        let packaged = is_packaged(&waiting.file);
        for specifier in specifiers(&text) {
            let certainty = waiting.certainty.min(specifier.most);
            // What a package loads under a condition is its own affair.
            if packaged && certainty == Certainty::Possible {
                continue;
            }
            let mut chain = waiting.chain.clone();
            if chain.len() < CHAIN {
                chain.push(Link {
                    file: waiting.file.clone(),
                    line: specifier.line,
                    module: specifier.text.clone(),
                });
            }
            // A static import in a script is compiled away, or is refused before it is resolved.
            let import = specifier.form != Form::Require && (module || specifier.form == Form::Dynamic);
            let mode = if import { Mode::Import } else { Mode::Require };
            match resolver.resolve(&waiting.file, &specifier.text, mode) {
                Target::File(file) => {
                    let certainty =
                        if is_packaged(&file) { certainty.min(Certainty::Likely) } else { certainty };
                    levels.entry(certainty).or_default().push_back(Waiting { file, certainty, chain });
                }
                Target::BuiltIn | Target::Unknown => {}
                target => {
                    let owner = resolver.owner(&waiting.file);
                    if reported.insert((specifier.text.clone(), owner.clone())) {
                        let mut found = finding(&target, &specifier, &waiting, mode, certainty, owner);
                        found.chain = chain;
                        outcome.findings.push(found);
                    }
                }
            }
        }
    }
    outcome
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
    waiting: &Waiting,
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
    let finding = Finding::new(kind, certainty, text)
        .in_file(&waiting.file)
        .at_line(specifier.line)
        .with("module", name);
    match (target, owner) {
        (Target::NoPackage(package), _) => finding.with("distribution", package.as_str()),
        (Target::NoSubpath { package, version } | Target::OtherConditions { package, version }, _) => {
            finding.with("distribution", package.as_str()).with("version", version.as_str())
        }
        (_, Some((package, version))) => finding.with("distribution", package).with("version", version),
        (_, None) => finding,
    }
}
