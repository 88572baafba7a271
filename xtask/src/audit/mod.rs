//! Licences, sources, duplicates, banned and yanked crates, judged by `deny.toml`.
//!
//! What it is: the part of a dependency audit that needs nothing but the package registry. What it is not: a check
//! against an advisory database; that needs a download from elsewhere (`cargo deny check advisories` does it and reads
//! the same file). Start with [`run`].

mod graph;
mod licence;
mod policy;
mod yanked;

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::complaint::Complaint;
use graph::Graph;
use policy::Policy;

/// The file with the rules.
const RULES: &str = "deny.toml";

/// A summary that says what was looked at, and the complaints.
pub(crate) fn run(root: &Path) -> Result<(String, Vec<Complaint>)> {
    let text = std::fs::read_to_string(root.join(RULES)).context("failed to read deny.toml")?;
    let policy: Policy = toml::from_str(&text).context("failed to understand deny.toml")?;
    let graph = Graph::load(root)?;
    let mut complaints = judge(&policy, &graph);
    let yanked = yanked::look(root, &graph.locked);
    complaints.extend(yanked.complaints);
    complaints.sort();
    let foreign = graph.locked.iter().filter(|package| package.source.is_some()).count();
    let summary = format!(
        "audit: {foreign} crates from registries: licences, sources, duplicates, bans; {}",
        yanked.seen
    );
    Ok((summary, complaints))
}

fn judge(policy: &Policy, graph: &Graph) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for package in &graph.licensed {
        if let Err(reason) = licence::permits(&package.licence, &policy.licenses.allow) {
            complaints.push(Complaint::about(&package.label, reason));
        }
    }
    for package in &graph.locked {
        let label = format!("{} {}", package.name, package.version);
        if let Some(source) = package.source.as_deref()
            && !policy.sources.knows(source)
        {
            complaints
                .push(Complaint::about(&label, format!("comes from {source}, which {RULES} does not allow")));
        }
        for ban in policy.bans.deny.iter().filter(|ban| ban.covers(&package.name, &package.version)) {
            complaints.push(Complaint::about(&label, format!("banned: {}", ban.reason)));
        }
    }
    for (name, versions) in &graph.duplicates {
        let open: Vec<&str> = versions
            .iter()
            .map(String::as_str)
            .filter(|version| !policy.bans.skip.iter().any(|skip| skip.covers(name, version)))
            .collect();
        if open.len() > 1 {
            let text = format!("{} versions in one graph: {}", open.len(), open.join(", "));
            complaints.push(Complaint::about(name, text));
        }
    }
    for skip in &policy.bans.skip {
        let needed = graph
            .duplicates
            .iter()
            .any(|(name, versions)| versions.iter().any(|version| skip.covers(name, version)));
        if !needed {
            complaints.push(Complaint::about(RULES, format!("skip {} is not needed any more", skip.name)));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::graph::{Licensed, Locked};
    use super::*;

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "openssl", reason = "one TLS provider" }]
        skip = [{ crate = "syn@2", reason = "moving" }]
        [sources]
        allow-registry = ["https://registry.example/index"]
    "#;

    fn graph() -> Graph {
        let locked = |name: &str, version: &str, source: Option<&str>| Locked {
            name: name.to_owned(),
            version: version.to_owned(),
            source: source.map(str::to_owned),
        };
        let registry = Some("registry+https://registry.example/index");
        Graph {
            locked: vec![
                locked("ours", "0.1.0", None),
                locked("syn", "2.0.1", registry),
                locked("syn", "3.0.0", registry),
            ],
            licensed: vec![Licensed {
                label: "syn 2.0.1".to_owned(),
                licence: "MIT OR Apache-2.0".to_owned(),
            }],
            duplicates: [("syn".to_owned(), vec!["2.0.1".to_owned(), "3.0.0".to_owned()])].into(),
        }
    }

    fn complaints(graph: &Graph) -> Vec<String> {
        judge(&toml::from_str(POLICY).unwrap(), graph).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_rules_allow_is_fine() {
        assert_eq!(complaints(&graph()), [""; 0]);
    }

    #[test]
    fn a_foreign_source_and_a_banned_crate_are_named() {
        let mut foreign = graph();
        foreign.locked[1].source = Some("git+https://git.example/syn#1234".to_owned());
        assert_eq!(complaints(&foreign).len(), 1);
        let mut banned = graph();
        banned.locked[1].name = "openssl".to_owned();
        assert_eq!(complaints(&banned), ["openssl 2.0.1: banned: one TLS provider"]);
    }

    #[test]
    fn a_duplicate_nobody_gave_a_reason_for_and_a_reason_nobody_needs_are_named() {
        let mut third = graph();
        third.duplicates.insert("rand".to_owned(), vec!["0.9.1".to_owned(), "0.10.0".to_owned()]);
        assert_eq!(complaints(&third), ["rand: 2 versions in one graph: 0.9.1, 0.10.0"]);
        let mut gone = graph();
        gone.duplicates.clear();
        assert_eq!(complaints(&gone), ["deny.toml: skip syn@2 is not needed any more"]);
    }

    #[test]
    fn the_rules_of_the_repository_are_readable_and_every_exception_has_a_reason() {
        let text = std::fs::read_to_string(crate::tree::root().join(RULES)).unwrap();
        let policy: Policy = toml::from_str(&text).unwrap();
        assert!(!policy.licenses.allow.is_empty());
        for exception in policy.bans.deny.iter().chain(&policy.bans.skip) {
            assert!(!exception.reason.is_empty(), "{}", exception.name);
        }
    }
}
