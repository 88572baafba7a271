//! What neither the compiler nor clippy checks, as rules over the repository's text and manifests.
//!
//! A rule is a function from a [`Tree`] to complaints; each has tests that plant what it forbids. Start with [`run`].

mod arrow;
mod fault;
mod generated;
mod link;
mod manifest;
mod prose;
mod scenario;
mod source;

pub(crate) use fault::FAULTS;

use anyhow::Result;

use crate::complaint::Complaint;
use crate::tree::Tree;

/// Looks at the text of a tree and says what is wrong with it.
type Rule = fn(&Tree) -> Vec<Complaint>;

/// Every rule that needs nothing but text.
const RULES: &[Rule] =
    &[source::check, prose::check, manifest::check, fault::check, scenario::check, link::check];

/// Complaints about the fault catalogue alone.
#[cfg(test)]
pub(crate) fn of_faults(tree: &Tree) -> Vec<Complaint> {
    fault::check(tree)
}

/// All complaints, sorted by place.
pub(crate) fn run(tree: &Tree) -> Result<Vec<Complaint>> {
    let mut complaints: Vec<Complaint> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    complaints.extend(arrow::check(tree)?);
    complaints.extend(generated::check(tree)?);
    complaints.sort();
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let complaints = run(&Tree::load(&crate::tree::root()).unwrap()).unwrap();
        let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
