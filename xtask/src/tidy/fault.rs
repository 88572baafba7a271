//! Rules of the fault catalogue: every folder is complete and registered, every registered fault has its folder.

use crate::complaint::Complaint;
use crate::tree::{Tree, has_extension};

/// Where the catalogue lies.
pub(crate) const FAULTS: &str = "crates/launchpath-diagnose/src/faults";

/// The headings of a `doc.md`, in this order.
const HEADINGS: &[&str] =
    &["What happens", "Why", "How launchpath knows", "Confirm by hand", "Fix", "References"];

/// What the scenarios of a fault must show between them, and the expectations that show it.
const CASES: &[(&str, &[&str])] = &[
    ("in which it fires", &["found", "primary", "also", "suspect", "top", "warning"]),
    ("of a near miss", &["not", "ruled out"]),
    ("in which evidence is missing", &["unknown"]),
];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for area in tree.folders(FAULTS) {
        let table = tree.files.get(&format!("{FAULTS}/{area}/mod.rs")).map_or("", String::as_str);
        for name in tree.folders(&format!("{FAULTS}/{area}")) {
            complaints.extend(folder(tree, area, name, table));
        }
    }
    complaints
}

fn folder(tree: &Tree, area: &str, name: &str, table: &str) -> Vec<Complaint> {
    let folder = format!("{FAULTS}/{area}/{name}");
    let mut complaints = Vec::new();
    let mut complain = |path: &str, text: String| complaints.push(Complaint::about(path, text));
    let module = format!("{folder}/mod.rs");
    match tree.files.get(&module) {
        None => complain(&folder, "no mod.rs".to_owned()),
        Some(source) => {
            let code = format!("\"{area}.{name}\"");
            if !source.contains(&format!("code: {code}")) {
                complain(&module, format!("its code must be {code}, as its folder says"));
            }
        }
    }
    if !table.lines().any(|line| line == format!("mod {name};"))
        || !table.contains(&format!("&{name}::FAULT"))
    {
        complain(&folder, format!("not registered: `mod {name};` and `&{name}::FAULT` in {area}/mod.rs"));
    }
    let doc = format!("{folder}/doc.md");
    match tree.files.get(&doc) {
        None => complain(&folder, "no doc.md".to_owned()),
        Some(text) => {
            let found = headings(text);
            if found != HEADINGS {
                complain(&doc, format!("its headings are {found:?}; they must be {HEADINGS:?}"));
            }
        }
    }
    let scenarios = format!("{folder}/scenarios/");
    let texts: Vec<&str> = tree
        .files
        .iter()
        .filter(|(path, _)| path.starts_with(&scenarios) && has_extension(path, "md"))
        .map(|(_, text)| text.as_str())
        .collect();
    for (case, keys) in CASES {
        if !texts.iter().any(|text| expects(text, keys, &format!("{area}.{name}"))) {
            complain(&folder, format!("no scenario {case} (expect `{}: {area}.{name}`)", keys[0]));
        }
    }
    complaints
}

/// Whether a scenario file expects one of these of a fault: a line `key: code`, with or without `on SUBJECT`.
fn expects(text: &str, keys: &[&str], code: &str) -> bool {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(key, value)| keys.contains(&key.trim()) && value.split_whitespace().next() == Some(code))
}

/// The second-level headings of a document, outside fenced blocks.
fn headings(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if let (false, Some(heading)) = (fenced, line.strip_prefix("## ")) {
            found.push(heading.trim());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOC: &str = "# x\n\n## What happens\n\n## Why\n\n## How launchpath knows\n\n## Confirm by hand\n\n```sh\n## no heading\n```\n\n## Fix\n\n## References\n";

    const CASES_OF_DNS_OFF: &str =
        "primary: net.dns_off on vpc-1\nruled out: net.dns_off\nunknown: net.dns_off\n";

    fn whole() -> Vec<(String, String)> {
        let file = |path: &str, text: &str| (format!("{FAULTS}/net/{path}"), text.to_owned());
        vec![
            file("mod.rs", "mod dns_off;\n\nconst FAULTS: &[&Fault] = &[&dns_off::FAULT];\n"),
            file("dns_off/mod.rs", "code: \"net.dns_off\",\n"),
            file("dns_off/doc.md", DOC),
            file("dns_off/scenarios/dns_off.md", CASES_OF_DNS_OFF),
        ]
    }

    fn complaints(files: &[(String, String)]) -> Vec<String> {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_complete_fault_is_fine() {
        assert_eq!(complaints(&whole()), [""; 0]);
    }

    #[test]
    fn every_missing_part_is_named() {
        for part in 0..whole().len() {
            let mut files = whole();
            let (lost, _) = files.remove(part);
            let expected = if lost.contains("scenarios") { CASES.len() } else { 1 };
            assert_eq!(complaints(&files).len(), expected, "without {lost}");
        }
    }

    #[test]
    fn every_kind_of_scenario_is_asked_for() {
        for line in CASES_OF_DNS_OFF.lines() {
            let mut files = whole();
            files[3].1 = CASES_OF_DNS_OFF.replace(line, "unknown: net.dns_off_too");
            assert_eq!(complaints(&files).len(), 1, "without {line}");
        }
    }

    #[test]
    fn a_code_that_is_not_the_folders_and_a_lost_heading_are_named() {
        let mut files = whole();
        files[1].1 = "code: \"net.dns\",\n".to_owned();
        assert_eq!(complaints(&files).len(), 1);
        let mut files = whole();
        files[2].1 = DOC.replace("## Why\n", "");
        assert_eq!(complaints(&files).len(), 1);
    }
}
