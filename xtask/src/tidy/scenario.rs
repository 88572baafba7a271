//! No forgotten scenario: every file among the scenarios is read by a test.

use crate::complaint::Complaint;
use crate::tidy::FAULTS;
use crate::tree::{Tree, has_extension};

/// Whole cases and the worlds that scenario files begin from.
const WORLDS: &str = "scenarios/";

/// Worlds that are named without their folder.
const BASES: &str = "base/";

/// Whether the runner of scenarios reads the file, or a person does.
fn is_read(inside: &str) -> bool {
    ["stories/", "cases/"].iter().any(|folder| inside.starts_with(folder)) || inside.ends_with("README.md")
}

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for path in tree.files.keys() {
        let stray = if let Some(inside) = path.strip_prefix(WORLDS) {
            match inside.strip_suffix(".json") {
                Some(world) => !is_used(tree, world),
                None => !is_read(inside),
            }
        } else if path.starts_with(FAULTS) && path.contains("/scenarios/") {
            !has_extension(path, "md")
        } else {
            false
        };
        if stray {
            complaints.push(Complaint::about(path, "no test reads it"));
        }
    }
    complaints
}

/// Whether a scenario file begins from this world, or a test names its file.
fn is_used(tree: &Tree, world: &str) -> bool {
    let name = world.strip_prefix(BASES).unwrap_or(world);
    let file = world.rsplit('/').next().unwrap_or(world);
    let begins = |text: &str| {
        text.lines().any(|line| line.trim().strip_prefix("base:").is_some_and(|base| base.trim() == name))
    };
    tree.with_extension(&["md"]).any(|(_, text)| begins(text))
        || tree.with_extension(&["rs"]).any(|(_, text)| text.contains(&format!("{file}.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strays(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|complaint| complaint.path).collect()
    }

    #[test]
    fn a_world_that_a_scenario_or_a_test_names_is_fine() {
        let files = [
            ("scenarios/base/nat.json", "{}\n"),
            ("scenarios/incident/as-reported.json", "{}\n"),
            ("scenarios/incident/as-collected.json", "{}\n"),
            ("scenarios/stories/incident.md", "base: nat\n\nbase: incident/as-reported\n"),
            ("crates/a/tests/it/main.rs", "open(\"as-collected.json\")\n"),
        ];
        assert_eq!(strays(&files), [""; 0]);
    }

    #[test]
    fn a_world_nobody_uses_and_a_file_no_pattern_matches_are_named() {
        let fault = format!("{FAULTS}/net/dns_off/scenarios/later.txt");
        let files =
            [("scenarios/base/nat.json", "{}\n"), ("scenarios/notes.md", "x\n"), (fault.as_str(), "x\n")];
        assert_eq!(strays(&files).len(), 3);
    }
}
