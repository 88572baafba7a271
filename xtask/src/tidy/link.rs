//! Links between our own documents must lead somewhere: pages about code drift when files move.

use crate::complaint::Complaint;
use crate::tree::{Tree, folder, resolve};

/// Output of the program, not pages of ours.
const OUTPUT: &str = "/tests/golden/";

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (path, text) in tree.with_extension(&["md"]).filter(|(path, _)| !path.contains(OUTPUT)) {
        let folder = folder(path);
        for (number, line) in (1..).zip(text.lines()) {
            for target in targets(line) {
                let file = target.split('#').next().unwrap_or_default();
                if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                    continue;
                }
                let found = resolve(folder, file).is_some_and(|target| exists(tree, &target));
                if !found {
                    complaints.push(Complaint::at(path, number, format!("the link to {file} leads nowhere")));
                }
            }
        }
    }
    complaints
}

/// The targets of a line's links: `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

fn exists(tree: &Tree, path: &str) -> bool {
    let folder = format!("{path}/");
    // Pictures are no text, so the disk is asked as well.
    tree.files.contains_key(path)
        || tree.files.keys().any(|file| file.starts_with(&folder))
        || (!tree.root.as_os_str().is_empty() && tree.root.join(path).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/page.md", text),
            ("docs/faults.md", "\n"),
            ("crates/a/src/lib.rs", "//! A.\n"),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_to_what_is_there_are_fine() {
        let text = "[a](faults.md#x), [b](../crates/a/src/lib.rs), [c](../crates/a), [d](https://example.org), [e](#here)\n";
        assert_eq!(complaints(text), [""; 0]);
    }

    #[test]
    fn links_to_what_is_gone_are_named() {
        assert_eq!(complaints("\n[a](gone.md)\n"), ["docs/page.md:2: the link to gone.md leads nowhere"]);
        assert_eq!(complaints("[a](faults.md) and [b](../crates/b)\n").len(), 1);
        assert_eq!(complaints("[a](../../outside.md)\n").len(), 1);
    }
}
