//! What can be said of an image, or a code zip, without running it.
//!
//! What it is: the documents judged (`shape`), the command followed to what it runs ([`crate::start`]), what that imports
//! ([`crate::python`], [`crate::node`]), and the part of the public record that says so ([`Inspection`]). What it is not: it starts
//! nothing, and it never says *certain* of what depends on something that only a run could show.
//!
//! Start with [`inspect`].

pub mod finding;
mod limit;
mod python;
mod shape;
#[cfg(test)]
mod tests;
mod zip;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use finding::{Certainty, Finding, FindingKind, Link, NotChecked};

use crate::document::ImageDocuments;
use crate::elf::Machine;
use crate::passwd::Account;
use crate::start::{Image, Launch, Runs};
use crate::tree::Tree;

/// What is inspected beside its files.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A container image.
    Container(&'a ImageDocuments),
    /// A code zip, whose root is the tree's root.
    CodeZip {
        /// Its size in bytes.
        bytes: u64,
        /// What the runtime is told to start; empty when that is not known.
        entry_point: &'a [String],
    },
    /// A file system without documents.
    RootFs {
        /// What is started in it; empty when that is not known.
        argv: &'a [String],
    },
}

/// What is known of the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its protocol, `HTTP`.
    pub protocol: Option<String>,
}

/// What is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Entry point and command.
    pub argv: Vec<String>,
    /// The last program that was found.
    pub program: Option<String>,
    /// The module it runs.
    pub module: Option<String>,
    /// The file it runs.
    pub file: Option<String>,
}

/// An interpreter in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// Its release.
    pub version: Option<String>,
    /// Its file; `None` when it is not part of what was inspected.
    pub path: Option<String>,
}

/// What an inspection says: members of the public record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inspection {
    /// What is started.
    pub start: Started,
    /// The Python that runs it.
    pub python: Option<Interpreter>,
    /// The Node that runs it.
    pub node: Option<Interpreter>,
    /// Installed distributions with versions.
    pub distributions: BTreeMap<String, String>,
    /// Installed Node packages with versions.
    pub node_packages: BTreeMap<String, String>,
    /// What is wrong, or may be, surest first.
    pub findings: Vec<Finding>,
    /// What was not looked at.
    pub not_checked: Vec<NotChecked>,
}

/// Inspects an image or a code zip.
pub fn inspect(subject: &Subject<'_>, tree: &Tree, asked: &Asked) -> Inspection {
    let mut inspection = match subject {
        Subject::Container(documents) => container(documents, tree, asked),
        Subject::CodeZip { bytes, entry_point } => zip::inspect(tree, *bytes, entry_point, asked),
        Subject::RootFs { argv } => {
            let settings = Settings { argv: argv.to_vec(), ..Settings::default() };
            started(tree, &settings, None, None, asked)
        }
    };
    // A stable order within one certainty: as they were found.
    inspection.findings.sort_by_key(|finding| std::cmp::Reverse(finding.certainty));
    inspection.not_checked.sort();
    inspection.not_checked.dedup();
    inspection
}

/// How a process is started.
#[derive(Clone, Debug, Default)]
struct Settings {
    argv: Vec<String>,
    environment: Vec<String>,
    working_directory: String,
}

fn container(documents: &ImageDocuments, tree: &Tree, asked: &Asked) -> Inspection {
    let mut findings = shape::shape(documents, asked.protocol.as_deref());
    let config = documents.config.value.config.clone().unwrap_or_default();
    let user = config.user.clone().unwrap_or_default();
    let account = match Account::find(tree, &user) {
        Ok(account) => Some(account),
        Err(unknown) => {
            let finding = Finding::new(FindingKind::UserUnknown, Certainty::Certain, unknown.to_string());
            findings.push(finding.with("user", user));
            None
        }
    };
    let entrypoint = config.entrypoint.unwrap_or_default();
    let argv: Vec<String> = entrypoint.into_iter().chain(config.cmd.unwrap_or_default()).collect();
    if argv.is_empty() {
        let text = "the image has neither ENTRYPOINT nor CMD: nothing says what to start";
        findings.push(Finding::new(FindingKind::NoCommand, Certainty::Certain, text));
    }
    let settings = Settings {
        argv,
        environment: config.env.unwrap_or_default(),
        working_directory: config.working_dir.unwrap_or_default(),
    };
    let machine = documents.platform().architecture.as_deref().and_then(Machine::of_architecture);
    let mut inspection = match working_directory(tree, &settings.working_directory, account.as_ref()) {
        Some(finding) => {
            findings.push(finding);
            let why = "it is started in its working directory, which cannot be entered";
            let mut inspection = Inspection::default();
            inspection.start.argv.clone_from(&settings.argv);
            inspection.not_checked.push(NotChecked::new("what is started", why));
            inspection
        }
        None => started(tree, &settings, machine, account.as_ref(), asked),
    };
    findings.append(&mut inspection.findings);
    inspection.findings = findings;
    inspection
}

/// A working directory that cannot be entered. One that is not there is made by whatever starts the image.
fn working_directory(tree: &Tree, path: &str, account: Option<&Account>) -> Option<Finding> {
    let entry = tree.lookup(path).filter(|_| !path.is_empty())?;
    let text = if entry.is_directory() {
        let account = account?;
        let stopped = account.stopped_at(tree, &format!("{}/", path.trim_end_matches('/')))?;
        format!("the process starts in {path}, and user {} may not enter {stopped}", account.uid)
    } else {
        format!("the process starts in {path}, which is no directory")
    };
    Some(Finding::new(FindingKind::WorkingDirectory, Certainty::Certain, text).with("path", path))
}

/// What is started, followed, and what it imports.
fn started(
    tree: &Tree,
    settings: &Settings,
    machine: Option<Machine>,
    account: Option<&Account>,
    asked: &Asked,
) -> Inspection {
    let mut inspection = Inspection::default();
    inspection.start.argv.clone_from(&settings.argv);
    if settings.argv.is_empty() {
        inspection.not_checked.push(NotChecked::new("what is started", "no command is known"));
        return inspection;
    }
    let image = Image { tree, machine, account };
    let launch = Launch::follow(&image, &settings.argv, &settings.environment, &settings.working_directory);
    inspection.start.program.clone_from(&launch.program);
    inspection.findings.extend(launch.findings.iter().cloned());
    inspection.not_checked.extend(launch.not_checked.iter().cloned());
    match &launch.runs {
        Runs::Python { .. } => python::inspect(tree, &launch, account, asked, &mut inspection),
        Runs::Node { interpreter, file, loader } => {
            let version = launch.environment.get("NODE_VERSION").cloned();
            inspection.node = Some(Interpreter { version: version.clone(), path: Some(interpreter.clone()) });
            inspection.start.file.clone_from(file);
            if let Some(file) = file {
                let most = if *loader { Certainty::Possible } else { launch.most };
                // Where else modules are looked for is not followed.
                let elsewhere = launch.environment.contains_key("NODE_PATH");
                node(tree, file, if elsewhere { Certainty::Possible } else { most }, &mut inspection);
                if !loader {
                    inspection.findings.extend(type_script(file, version.as_deref()));
                }
            }
        }
        Runs::Program(program) => {
            inspection
                .not_checked
                .push(NotChecked::new(format!("what {program} does"), "only Python and Node are followed"));
        }
        Runs::Unknown => {}
    }
    check_readable(tree, &launch, account, &mut inspection);
    inspection
}

/// What Node loads from a file.
fn node(tree: &Tree, file: &str, most: Certainty, inspection: &mut Inspection) {
    let outcome = crate::node::check(tree, file, most);
    inspection.findings.extend(outcome.findings);
    inspection.node_packages = outcome.packages;
    inspection.not_checked.extend(outcome.not_checked);
}

/// TypeScript that Node is told to run as it is: releases before 22.18 refuse it.
fn type_script(file: &str, version: Option<&str>) -> Option<Finding> {
    if !["ts", "mts", "cts", "tsx"].contains(&file.rsplit('.').next()?) {
        return None;
    }
    let mut parts =
        version.unwrap_or_default().trim_start_matches('v').split('.').map(|part| part.parse::<u32>().ok());
    let certainty = match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < (22, 18) => Certainty::Likely,
        (Some(_), Some(_)) => return None,
        _ => Certainty::Possible,
    };
    let text = format!("{file} is TypeScript and is run without a loader; Node before 22.18 refuses it");
    Some(Finding::new(FindingKind::NotExecutableFormat, certainty, text).in_file(file))
}

/// Whether the user may read the scripts that are needed to start.
fn check_readable(tree: &Tree, launch: &Launch, account: Option<&Account>, inspection: &mut Inspection) {
    let Some(account) = account else { return };
    let mut files = launch.files.clone();
    files.extend(inspection.start.file.clone());
    files.sort();
    files.dedup();
    for file in files {
        let Some(entry) = tree.lookup(&file) else { continue };
        let stopped = account.stopped_at(tree, &file).or_else(|| account.stopped_at(tree, entry.path()));
        let text = match stopped {
            Some(directory) => {
                format!("{file} must be read to start, and user {} may not enter {directory}", account.uid)
            }
            None if !account.may_read(&entry) => format!(
                "{file} must be read to start, and user {} may not (mode {:o}, owner {}:{})",
                account.uid,
                entry.mode(),
                entry.uid(),
                entry.gid()
            ),
            None => continue,
        };
        let finding =
            Finding::new(FindingKind::CannotRead, Certainty::Certain.min(launch.most), text).in_file(&file);
        inspection.findings.push(finding.with("mode", format!("{:o}", entry.mode())).with("path", file));
    }
}
