//! What a Node process would load of its own code, without running it.
//!
//! What it is: the `require` and `import` statements of own files, followed to files and packages as Node resolves them. What it is
//! not: it does not go into packages, whose own dependencies npm has installed or not, and it is no parser of JavaScript: a lexer
//! that knows strings, comments, templates and regular expressions finds the few forms in which a specifier is written. A
//! full parser costs more to build than the rest of this crate and would tell nothing more about them.
//!
//! Start with [`check`].

mod lexer;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lexer::{Form, Specifier, specifiers};
use resolve::{Resolver, Target};

use crate::inspect::{Certainty, Finding, FindingKind, Link};
use crate::tree::Tree;

/// Most bytes of one source file, and most files.
const FILE: u64 = 8 << 20;
const FILES: usize = 20_000;

/// What a check of Node's imports found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What cannot be loaded.
    pub findings: Vec<Finding>,
    /// Packages beside the start file, with versions.
    pub packages: BTreeMap<String, String>,
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
    while let Some(waiting) = levels.iter_mut().next_back().and_then(|(_, level)| level.pop_front()) {
        levels.retain(|_, level| !level.is_empty());
        if !seen.insert(waiting.file.clone()) || seen.len() > FILES {
            continue;
        }
        let Ok(bytes) = tree.read(&waiting.file, FILE) else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let module = resolver.is_module(&waiting.file);
        for specifier in specifiers(&text) {
            let certainty = waiting.certainty.min(specifier.most);
            let mut chain = waiting.chain.clone();
            chain.push(Link {
                file: waiting.file.clone(),
                line: specifier.line,
                module: specifier.text.clone(),
            });
            let strict = module && specifier.form != Form::Require;
            match resolver.resolve(&waiting.file, &specifier.text, strict) {
                Target::Own(file) => {
                    levels.entry(certainty).or_default().push_back(Waiting { file, certainty, chain });
                }
                Target::Package | Target::Unknown => {}
                target => {
                    if reported.insert(specifier.text.clone()) {
                        outcome.findings.extend(finding(
                            &target,
                            &specifier,
                            &waiting.file,
                            certainty,
                            chain,
                        ));
                    }
                }
            }
        }
    }
    outcome
}

fn finding(
    target: &Target,
    specifier: &Specifier,
    file: &str,
    most: Certainty,
    chain: Vec<Link>,
) -> Option<Finding> {
    let name = specifier.text.as_str();
    let (kind, text) = match target {
        Target::NoFile => {
            (FindingKind::MissingOwnSource, format!("{name} is loaded, and the image has no such file"))
        }
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
        Target::Own(_) | Target::Package | Target::Unknown => return None,
    };
    let mut finding =
        Finding::new(kind, most, text).in_file(file).at_line(specifier.line).with("module", name);
    finding.chain = chain;
    Some(match target {
        Target::NoPackage(package) => finding.with("distribution", package.as_str()),
        Target::NoSubpath { package, version } => {
            finding.with("distribution", package.as_str()).with("version", version.as_str())
        }
        _ => finding,
    })
}
