//! Requirements without an upper bound, next to what was installed for them.

use std::collections::BTreeMap;

use super::Distribution;
use super::distribution::normalise;
use super::find::extension;
use crate::import;
use crate::inspect::{Certainty, Finding, FindingKind};
use crate::tree::Tree;

/// Most bytes of a requirements file, and most files.
const FILE: u64 = 1 << 20;
const FILES: usize = 50;

/// Requirements in `directories` that allow any newer release, of which the installed one is a newer major release than the
/// one they name. Only where the image says when it was installed.
pub fn newer_major_releases(tree: &Tree, directories: &[String], installed: &[Distribution]) -> Vec<Finding> {
    let by_name: BTreeMap<String, &Distribution> =
        installed.iter().map(|found| (normalise(&found.name), found)).collect();
    let mut findings: BTreeMap<String, Finding> = BTreeMap::new();
    for directory in directories {
        let is_plain = |name: &str| name.starts_with("requirements") && extension(name) == "txt";
        let children = tree.children(directory).into_iter();
        let files = children.filter(|entry| is_plain(entry.name()) || entry.name() == "pyproject.toml");
        for entry in files.take(FILES) {
            let plain = is_plain(entry.name());
            let Ok(bytes) = tree.read_entry(&entry, FILE) else { continue };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            for (line, requirement) in requirements(&text, plain) {
                let Some(found) = by_name.get(&normalise(&requirement.name)) else { continue };
                let (Some(asked), Some(got)) = (major(&requirement.at_least), major(&found.version)) else {
                    continue;
                };
                // 1980 is what reproducible archives write for "no time".
                if got <= asked || found.installed_at < 400_000_000 {
                    continue;
                }
                let released = released(&found.name, got);
                let when = released.map(|day| format!(", a major release of {day},")).unwrap_or_default();
                let text = format!(
                    "{} asks for {} {} or newer without an upper bound, and {}{when} was installed",
                    entry.path(),
                    requirement.name,
                    requirement.at_least,
                    found.version,
                );
                let finding = Finding::new(FindingKind::NewerMajorRelease, Certainty::Possible, text)
                    .in_file(entry.path())
                    .at_line(line)
                    .with("distribution", found.name.as_str())
                    .with("requirement", requirement.written.as_str())
                    .with("version", found.version.as_str())
                    .with("installed_at", found.installed_at);
                let finding = match released {
                    Some(day) => finding.with("released", day),
                    None => finding,
                };
                findings.entry(normalise(&found.name)).or_insert(finding);
            }
        }
    }
    findings.into_values().collect()
}

/// The day of a distribution's major release, when the table of moved modules knows it.
fn released(distribution: &str, wanted: u64) -> Option<&'static str> {
    let released = import::released(distribution, |version| major(version) == Some(wanted))?;
    released.get(..10)
}

/// `name>=version` and nothing that limits it.
struct Requirement {
    name: String,
    at_least: String,
    written: String,
}

fn requirements(text: &str, plain: bool) -> Vec<(u32, Requirement)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if plain {
            found.extend(requirement(line).map(|requirement| (number, requirement)));
        } else {
            // Every quoted string of a project file that reads as a requirement with a lower bound.
            for quote in ['"', '\''] {
                let strings = line.split(quote).skip(1).step_by(2);
                found.extend(strings.filter_map(requirement).map(|requirement| (number, requirement)));
            }
        }
    }
    found
}

fn requirement(line: &str) -> Option<Requirement> {
    let written = line.split('#').next()?.split(';').next()?.trim();
    let end = written.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))?;
    let name = &written[..end];
    let mut rest = written[end..].trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras.split_once(']')?.1.trim_start();
    }
    let rest = rest.trim_start_matches('(').trim_end_matches(')');
    let mut at_least = None;
    for bound in rest.split(',').map(str::trim) {
        if let Some(version) = bound.strip_prefix(">=") {
            at_least = Some(version.trim());
        } else if !bound.starts_with("!=") {
            return None;
        }
    }
    let starts_well = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    starts_well.then(|| {
        Some(Requirement {
            name: name.to_owned(),
            at_least: at_least?.to_owned(),
            written: written.to_owned(),
        })
    })?
}

fn major(version: &str) -> Option<u64> {
    let version = version.split_once('!').map_or(version, |(_, version)| version);
    version.split('.').next()?.parse().ok()
}
