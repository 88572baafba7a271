//! Rules of every text that people read: white space, and names that mean nothing to a reader of this repository.

use crate::complaint::Complaint;
use crate::tree::{Tree, has_extension};

/// Files whose white space is ours.
const WHITE: &[&str] = &["md", "py", "rs", "sh", "toml", "yaml", "yml"];

/// Files in which a foreign name would mislead.
const READ: &[&str] = &["json", "md", "py", "rs", "sh", "toml", "yaml", "yml"];

/// Folders of one particular machine. Written in halves, so that this file passes its own rule.
const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Documents that are not in this repository, and words about how a text came about instead of what it says.
const FOREIGN: &[&str] = &[
    concat!("DESIGN", ".md"),
    concat!("DESIGN ", "section"),
    concat!("STYLE", ".md"),
    concat!("DEPENDENCIES", ".md"),
    concat!("know", "ledge/"),
    concat!("sub", "agent"),
    concat!("sub-", "agent"),
    concat!("the ", "brief says"),
    concat!("Chat", "GPT"),
    concat!("Co-Authored", "-By"),
];

/// The mark that `new-fault` leaves where a person has to write.
pub(crate) const UNWRITTEN: &str = concat!("FILL", " IN");

/// Where the mark may stand: the templates and the texts about them.
const ABOUT_THE_MARK: &[&str] = &["xtask/", "CONTRIBUTING.md"];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let scripts = || {
        tree.files
            .iter()
            .filter(|(path, _)| path.starts_with(".ci/"))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    };
    for (path, text) in tree.with_extension(WHITE).chain(scripts()) {
        let mut fenced = false;
        for (number, line) in (1..).zip(text.split('\n')) {
            fenced ^= has_extension(path, "md") && line.starts_with("```");
            // Inside a fence stands data, for example a log line of two blanks.
            if line.trim_end() != line && !fenced {
                complaints.push(Complaint::at(path, number, "white space at the end of the line"));
            }
            if line.contains('\t') {
                complaints.push(Complaint::at(path, number, "a tab; use spaces"));
            }
        }
        if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
            complaints.push(Complaint::about(path, "end with exactly one line feed"));
        }
    }
    for (path, text) in tree.with_extension(READ).chain(scripts()) {
        for (number, line) in (1..).zip(text.lines()) {
            for folder in MACHINE.iter().filter(|folder| mentions(line, folder)) {
                complaints.push(Complaint::at(
                    path,
                    number,
                    format!("`{folder}` is a folder of one machine"),
                ));
            }
            for name in FOREIGN.iter().filter(|name| line.contains(**name)) {
                complaints.push(Complaint::at(
                    path,
                    number,
                    format!("`{name}` means nothing in this repository"),
                ));
            }
            let about = ABOUT_THE_MARK.iter().any(|place| path.starts_with(place));
            if line.contains(UNWRITTEN) && !about {
                complaints.push(Complaint::at(path, number, "not written yet"));
            }
        }
    }
    complaints
}

/// Whether a line names an absolute path that begins with this folder.
fn mentions(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-}*/".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn white_space_is_named_by_line() {
        assert_eq!(complaints("a.md", "one\ntwo \n"), ["a.md:2: white space at the end of the line"]);
        assert_eq!(complaints("a.rs", "one\n\ttwo\n"), ["a.rs:2: a tab; use spaces"]);
        assert_eq!(complaints("a.toml", "one"), ["a.toml: end with exactly one line feed"]);
        assert_eq!(complaints("a.toml", "one\n\n"), ["a.toml: end with exactly one line feed"]);
        assert_eq!(complaints("a.md", "one\n\ntwo\n"), [""; 0]);
        assert_eq!(
            complaints("a.md", "```text\nlog \n```\nafter \n").len(),
            1,
            "data may end in blanks, prose may not"
        );
    }

    #[test]
    fn a_path_of_one_machine_is_named_and_a_path_that_only_ends_alike_is_not() {
        let machine = format!("see {}x\n", MACHINE[0]);
        assert_eq!(complaints("a.md", &machine).len(), 1);
        let relative = format!("see net{}x and a{}x\n", MACHINE[0], MACHINE[2]);
        assert_eq!(complaints("a.md", &relative), [""; 0]);
    }

    #[test]
    fn documents_outside_the_repository_are_named() {
        for name in FOREIGN {
            assert_eq!(complaints("a.rs", &format!("// {name}\n")).len(), 1, "{name}");
        }
    }

    #[test]
    fn a_template_that_nobody_filled_in_is_named() {
        let text = format!("{UNWRITTEN}: why\n");
        assert_eq!(complaints("crates/a/doc.md", &text), ["crates/a/doc.md:1: not written yet"]);
        assert_eq!(complaints("xtask/templates/doc.md", &text), [""; 0]);
    }
}
