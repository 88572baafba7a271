//! Rules of manifests: a reason for every dependency, the workspace's lints, the pure crates' clippy rules.

use crate::complaint::Complaint;
use crate::tree::Tree;

/// Crates that are synchronous, do no I/O and read neither clock nor environment nor randomness.
pub(super) const PURE: &[&str] = &[
    "launchpath-diagnose",
    "launchpath-iam",
    "launchpath-image",
    "launchpath-intake",
    "launchpath-logs",
    "launchpath-model",
    "launchpath-net",
    "launchpath-report",
    "launchpath-verify",
];

/// The clippy rules of the pure crates, linked into each of them.
const PURE_RULES: &str = "clippy.pure.toml";

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (path, text) in &tree.files {
        if path != "Cargo.toml" && !path.ends_with("/Cargo.toml") {
            continue;
        }
        complaints.extend(without_reason(path, text));
        // A fuzz folder is a workspace of its own, so that nobody else needs its compiler.
        let own = text.contains("[workspace]\n");
        if !own && !text.contains("[lints]\nworkspace = true\n") {
            complaints
                .push(Complaint::about(path, "take the workspace's lints: `[lints]`, `workspace = true`"));
        }
    }
    for name in PURE {
        let path = format!("crates/{name}/clippy.toml");
        if tree.files.get(&path) != tree.files.get(PURE_RULES) {
            let text = format!("a pure crate's clippy rules are a link: ln -s ../../{PURE_RULES} {path}");
            complaints.push(Complaint::about(path, text));
        }
    }
    complaints
}

/// Dependencies of a manifest without a comment on their line or a comment line above.
fn without_reason(path: &str, text: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut section = "";
    let mut above = "";
    for (number, line) in (1..).zip(text.lines()) {
        let bare = line.trim();
        if bare.starts_with('[') {
            section = bare;
            if section.contains("dependencies.") {
                complaints.push(Complaint::at(
                    path,
                    number,
                    "write a dependency as one line, with its reason",
                ));
            }
        } else if section.ends_with("dependencies]") && bare.contains('=') && !bare.starts_with('#') {
            let name =
                bare.split(|c: char| c == '.' || c == '=' || c.is_whitespace()).next().unwrap_or_default();
            // Members are listed at the root only to be found; their users say why they need them.
            let member = section == "[workspace.dependencies]" && name.starts_with("launchpath-");
            if !member && !bare.contains("# ") && !above.starts_with("# ") {
                complaints.push(Complaint::at(
                    path,
                    number,
                    format!("say in a comment why `{name}` is needed"),
                ));
            }
        }
        above = bare;
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(text: &str) -> Vec<String> {
        without_reason("Cargo.toml", text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_reason_stands_behind_or_above() {
        assert_eq!(reasons("[dependencies]\nserde.workspace = true # documents\n"), [""; 0]);
        assert_eq!(reasons("[dev-dependencies]\n# documents\nserde = \"1\"\n"), [""; 0]);
        assert_eq!(reasons("[workspace.dependencies]\nlaunchpath-net = { path = \"x\" }\n"), [""; 0]);
    }

    #[test]
    fn a_dependency_without_a_reason_is_named() {
        for section in [
            "[dependencies]",
            "[dev-dependencies]",
            "[workspace.dependencies]",
            "[target.'cfg(unix)'.dependencies]",
        ] {
            let found = reasons(&format!("{section}\nserde.workspace = true\n"));
            assert_eq!(found, ["Cargo.toml:2: say in a comment why `serde` is needed"], "{section}");
        }
        assert_eq!(reasons("[dependencies.serde]\nversion = \"1\"\n").len(), 1);
    }

    #[test]
    fn a_pure_crate_without_the_pure_rules_is_named() {
        let whole: Vec<(String, &str)> =
            PURE.iter().map(|name| (format!("crates/{name}/clippy.toml"), "rules\n")).collect();
        let mut files: Vec<(&str, &str)> = whole.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        files.push((PURE_RULES, "rules\n"));
        assert_eq!(check(&Tree::of(&files)), []);
        let lost = files.remove(0);
        let found = check(&Tree::of(&files));
        assert_eq!(found.iter().map(|c| c.path.as_str()).collect::<Vec<_>>(), [lost.0]);
    }

    #[test]
    fn a_member_without_the_workspaces_lints_is_named() {
        let mut tree = Tree::of(&[("crates/a/Cargo.toml", "[package]\nname = \"a\"\n")]);
        tree.files.extend(PURE.iter().map(|name| (format!("crates/{name}/clippy.toml"), String::new())));
        tree.files.insert(PURE_RULES.to_owned(), String::new());
        assert_eq!(check(&tree).len(), 1);
    }
}
