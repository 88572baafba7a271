//! The Python side of an inspection: interpreter, distributions, imports, serving.

use super::{Asked, Certainty, Finding, FindingKind, Inspection, Interpreter, NotChecked};
use crate::passwd::Account;
use crate::python;
use crate::python::{
    Check, ContainerMark, Outcome, Start, Surroundings, check, distributions, is_loopback,
    newer_major_releases, no_server, other_protocol, search_path, serving,
};
use crate::start::{Launch, Runs};
use crate::tree::Tree;

/// Adds what is found of a launch that runs Python.
pub(super) fn inspect(
    tree: &Tree,
    launch: &Launch,
    account: Option<&Account>,
    asked: &Asked,
    inspection: &mut Inspection,
) {
    let Runs::Python { interpreter: program, starts, first, isolated } = &launch.runs else { return };
    let Some(interpreter) = python::Interpreter::find(tree, program) else {
        inspection
            .not_checked
            .push(NotChecked::new("what Python imports", format!("the release of {program} cannot be told")));
        return;
    };
    inspection.python =
        Some(Interpreter { version: Some(interpreter.version.to_string()), path: interpreter.path.clone() });
    let from_environment = launch.environment.get("PYTHONPATH").filter(|_| !isolated);
    let surroundings = Surroundings {
        python_path: from_environment.map(String::as_str).unwrap_or_default(),
        working_directory: &launch.working_directory,
        home: account.and_then(|account| account.home.as_deref()).filter(|_| !isolated),
    };
    let path = search_path(tree, &interpreter, surroundings);
    let installed = distributions(tree, &path.sites);
    for found in &installed {
        inspection.distributions.insert(found.name.clone(), found.version.clone());
    }
    let outcome = check(&Check {
        tree,
        interpreter: &interpreter,
        path: &path,
        distributions: &installed,
        starts,
        first: first.as_deref(),
        working_directory: &launch.working_directory,
    });
    let mark = container_mark(tree, launch);
    add(&outcome, mark, launch.most, asked, inspection);
    if !starts.iter().any(|start| matches!(start, Start::Application { .. })) {
        inspection.findings.extend(no_server(&outcome));
    }
    if let Some(host) =
        launch.host.as_deref().filter(|host| is_loopback(host.split(':').next().unwrap_or(host)))
    {
        let text =
            format!("the start command has the server listen on {host}, which the service does not reach");
        inspection
            .findings
            .push(Finding::new(FindingKind::BindsLoopbackOnly, Certainty::Likely, text).with("host", host));
    }
    let mut directories = vec![launch.working_directory.clone()];
    directories.extend(first.clone().filter(|first| *first != launch.working_directory));
    inspection.findings.extend(newer_major_releases(tree, &directories, &installed));
}

fn container_mark(tree: &Tree, launch: &Launch) -> ContainerMark {
    let set = launch.environment.get("DOCKER_CONTAINER").is_some_and(|value| !value.is_empty());
    if set || tree.lookup("/.dockerenv").is_some() { ContainerMark::Present } else { ContainerMark::Absent }
}

/// Adds an outcome, never surer than what led to it.
pub(super) fn add(
    outcome: &Outcome,
    mark: ContainerMark,
    most: Certainty,
    asked: &Asked,
    inspection: &mut Inspection,
) {
    let other = asked.protocol.as_deref().and_then(|protocol| other_protocol(outcome, protocol));
    for finding in outcome.findings.iter().cloned().chain(serving(outcome, mark)).chain(other) {
        let certainty = finding.certainty.min(most);
        inspection.findings.push(Finding { certainty, ..finding });
    }
    inspection.not_checked.extend(outcome.not_checked.iter().cloned());
    if let Some((file, module)) = &outcome.start {
        inspection.start.file = Some(file.clone());
        // A script has a file, not a module's name.
        inspection.start.module = Some(module.clone()).filter(|module| !module.starts_with('/'));
    }
}
