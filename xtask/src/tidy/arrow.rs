//! Dependencies point one way, and what is not pure stays out of the pure crates, however deep.
//!
//! Development dependencies may point anywhere: a test may use what the crate must not.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::manifest::PURE;
use crate::complaint::Complaint;
use crate::metadata;
use crate::tree::Tree;

/// Which members a member may be built from. model ← net, iam, image ← diagnose ← report ← launchpath; model ← intake ← aws;
/// image ← fetch, logs, rehearse ← launchpath.
const ARROWS: &[(&str, &[&str])] = &[
    ("launchpath-model", &[]),
    ("launchpath-net", &["launchpath-model"]),
    ("launchpath-iam", &["launchpath-model"]),
    ("launchpath-image", &["launchpath-model"]),
    ("launchpath-diagnose", &["launchpath-model", "launchpath-net", "launchpath-iam", "launchpath-image"]),
    ("launchpath-report", &["launchpath-model", "launchpath-diagnose"]),
    ("launchpath-intake", &["launchpath-model"]),
    ("launchpath-aws", &["launchpath-model", "launchpath-intake"]),
    ("launchpath-fetch", &["launchpath-model", "launchpath-image"]),
    ("launchpath-logs", &["launchpath-model", "launchpath-image"]),
    ("launchpath-rehearse", &["launchpath-model", "launchpath-image"]),
    // The checker of certificates shares nothing with what it checks.
    ("launchpath-verify", &[]),
    (
        "launchpath",
        &[
            "launchpath-model",
            "launchpath-net",
            "launchpath-iam",
            "launchpath-image",
            "launchpath-diagnose",
            "launchpath-report",
            "launchpath-intake",
            "launchpath-aws",
            "launchpath-fetch",
            "launchpath-logs",
            "launchpath-rehearse",
            "launchpath-verify",
        ],
    ),
    ("launchpath-bench", &["launchpath-intake", "launchpath-diagnose"]),
    ("xtask", &["launchpath-diagnose", "launchpath-report"]),
];

/// The members that may name the AWS SDK or an asynchronous runtime.
const ASYNCHRONOUS: &[&str] = &["launchpath", "launchpath-aws", "launchpath-fetch", "launchpath-rehearse"];

/// Crates that bring I/O, threads of their own or a clock wherever they are linked.
const IMPURE: &[&str] =
    &["async-std", "chrono", "hyper", "mio", "openssl-sys", "rand", "reqwest", "rustls", "socket2", "tokio"];

/// What one member is built from: direct dependencies that are not for development.
type Direct = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(tree: &Tree) -> Result<Vec<Complaint>> {
    let members = members(tree)?;
    let mut complaints = judge(&members);
    for name in PURE.iter().filter(|name| members.contains_key(**name)) {
        let closure = metadata::closure(&tree.root, name)?;
        for found in closure.iter().filter(|found| is_impure(found)) {
            complaints.push(about(
                name,
                format!("a pure crate is built from {found} (cargo tree -p {name} -i {found})"),
            ));
        }
    }
    Ok(complaints)
}

fn members(tree: &Tree) -> Result<Direct> {
    let metadata = metadata::metadata(&tree.root, &["--no-deps", "--offline"])?;
    let mut members = Direct::new();
    for package in metadata::list(&metadata, "packages") {
        let dependencies = metadata::list(package, "dependencies")
            .iter()
            .filter(|dependency| metadata::text(dependency, "kind") != "dev")
            .map(|dependency| metadata::text(dependency, "name").to_owned())
            .collect();
        members.insert(metadata::text(package, "name").to_owned(), dependencies);
    }
    Ok(members)
}

fn judge(members: &Direct) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (name, dependencies) in members {
        let Some((_, allowed)) = ARROWS.iter().find(|(member, _)| member == name) else {
            complaints
                .push(about(name, "a new member: give it its place in ARROWS (xtask/src/tidy/arrow.rs)"));
            continue;
        };
        for dependency in dependencies {
            let member = members.contains_key(dependency);
            if member && !allowed.contains(&dependency.as_str()) {
                complaints.push(about(
                    name,
                    format!("must not depend on {dependency}: dependencies point one way"),
                ));
            }
            if is_asynchronous(dependency) && !ASYNCHRONOUS.contains(&name.as_str()) {
                complaints.push(about(
                    name,
                    format!("must not depend on {dependency}: only {} may", ASYNCHRONOUS.join(", ")),
                ));
            }
        }
    }
    complaints
}

fn about(member: &str, text: impl Into<String>) -> Complaint {
    let folder = if member == "xtask" { "xtask".to_owned() } else { format!("crates/{member}") };
    Complaint::about(format!("{folder}/Cargo.toml"), text)
}

fn is_asynchronous(name: &str) -> bool {
    name == "tokio" || name.starts_with("aws-")
}

fn is_impure(name: &str) -> bool {
    is_asynchronous(name) || IMPURE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(arrows: &[(&str, &[&str])]) -> Vec<String> {
        let mut members = Direct::new();
        for (name, dependencies) in arrows {
            members.insert((*name).to_owned(), dependencies.iter().map(|d| (*d).to_owned()).collect());
        }
        judge(&members).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_arrows_of_the_layout_are_fine() {
        assert_eq!(complaints(ARROWS), [""; 0]);
    }

    #[test]
    fn no_arrow_points_back() {
        // Whatever a member may be built from is listed before it, so that there is no way back.
        for (place, (name, allowed)) in ARROWS.iter().enumerate() {
            for dependency in *allowed {
                let before = ARROWS.iter().position(|(member, _)| member == dependency);
                assert!(before.is_some_and(|before| before < place), "{name} -> {dependency}");
            }
        }
    }

    #[test]
    fn a_forbidden_arrow_is_named() {
        let found = complaints(&[
            ("launchpath-model", &["launchpath-net"]),
            ("launchpath-net", &["launchpath-model"]),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("must not depend on launchpath-net"), "{found:?}");
    }

    #[test]
    fn the_sdk_stays_where_it_is() {
        assert_eq!(complaints(&[("launchpath-aws", &["aws-config", "tokio"])]), [""; 0]);
        assert_eq!(complaints(&[("launchpath-intake", &["aws-config"])]).len(), 1);
        assert_eq!(complaints(&[("launchpath-report", &["tokio"])]).len(), 1);
    }

    #[test]
    fn an_unknown_member_is_named() {
        assert_eq!(complaints(&[("launchpath-telemetry", &[])]).len(), 1);
    }
}
