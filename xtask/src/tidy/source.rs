//! Rules of Rust files: module documentation, size, names, `unsafe`, unreasoned exceptions from lints.

use crate::complaint::Complaint;
use crate::tree::Tree;

/// Where a file must be split.
const MOST_LINES: usize = 800;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "shared", "types", "util", "utils"];

/// The only crate that may hold `unsafe`.
const UNSAFE_CRATE: &str = "crates/launchpath-rehearse/";

/// Folders beside the product, where a lint may be switched off for a whole file.
const BESIDE: &[&str] = &["/benches/", "/examples/", "/fuzz/", "/tests/"];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (path, text) in tree.with_extension(&["rs"]) {
        if !text.starts_with("//!") {
            complaints.push(Complaint::at(
                path,
                1,
                "begin with `//!`: what it is, what it is not, where to start reading",
            ));
        }
        let lines = text.lines().count();
        if lines > MOST_LINES {
            complaints.push(Complaint::about(path, format!("{lines} lines; split it before {MOST_LINES}")));
        }
        for part in path.split('/').map(|part| part.trim_end_matches(".rs")) {
            if EMPTY_NAMES.contains(&part) {
                complaints.push(Complaint::about(
                    path,
                    format!("`{part}` says nothing; name it after the thing inside"),
                ));
            }
        }
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            if is_unsafe(code) && !path.starts_with(UNSAFE_CRATE) {
                complaints.push(Complaint::at(
                    path,
                    number,
                    format!("unsafe code belongs in {UNSAFE_CRATE}"),
                ));
            }
            let bare = code.trim_start();
            let product = !BESIDE.iter().any(|folder| path.contains(folder));
            if product && (bare.starts_with("#[allow(") || bare.starts_with("#![allow(")) {
                complaints.push(Complaint::at(
                    path,
                    number,
                    "`#[expect(…, reason = \"…\")]` instead of `allow`",
                ));
            }
        }
    }
    complaints
}

/// Whether a line of code opens something unsafe, or switches the lint off that forbids it.
fn is_unsafe(code: &str) -> bool {
    let mut words = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    // A string is taken for code here; a message that needs the bare word can say "not safe".
    let keyword = concat!("un", "safe");
    let attribute = concat!("un", "safe_code");
    words.any(|word| word == attribute) || opens(code, keyword)
}

fn opens(code: &str, keyword: &str) -> bool {
    code.match_indices(keyword).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + keyword.len()..].trim_start();
        let whole = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == '"'));
        whole && ["{", "fn ", "impl ", "trait ", "extern ", "("].iter().any(|next| after.starts_with(next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_short_documented_module_is_fine() {
        assert_eq!(
            complaints("crates/a/src/route.rs", "//! Routes.\n\n/// One.\npub struct Route;\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_module_without_documentation_is_named() {
        let found = complaints("crates/a/src/route.rs", "pub struct Route;\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/a/src/route.rs:1: begin with `//!`"), "{found:?}");
    }

    #[test]
    fn a_long_file_and_an_empty_name_are_named() {
        let long = format!("//! Long.\n{}", "\n".repeat(MOST_LINES));
        assert_eq!(complaints("crates/a/src/route.rs", &long).len(), 1);
        assert_eq!(complaints("crates/a/src/utils.rs", "//! All sorts.\n").len(), 1);
        assert_eq!(complaints("crates/a/src/helpers/route.rs", "//! Routes.\n").len(), 1);
    }

    #[test]
    fn unsafe_code_is_allowed_in_one_crate_only() {
        let text = concat!("//! Calls.\nfn f() { un", "safe { g() } }\n");
        assert_eq!(complaints("crates/launchpath-net/src/call.rs", text).len(), 1);
        assert_eq!(complaints("crates/launchpath-rehearse/src/call.rs", text), [""; 0]);
        assert_eq!(
            complaints("crates/a/src/call.rs", "//! Calls.\n// an unsafe { thing } in a comment\n"),
            [""; 0]
        );
    }

    #[test]
    fn an_exception_from_a_lint_needs_expect() {
        let text = concat!("//! Calls.\n#[al", "low(dead_code)]\nfn f() {}\n");
        assert_eq!(complaints("crates/a/src/call.rs", text).len(), 1);
    }
}
