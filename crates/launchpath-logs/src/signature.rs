//! The texts that tell of a failed start, as data: `data/signatures.json`, each with what it means, its source and its date.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::Deserialize;

/// What kind of line a signature stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first line of a traceback: what follows belongs to it.
    Traceback,
    /// A program or an import that failed, in one line.
    Start,
    /// A host that could not be reached.
    Network,
    /// A refused call or file.
    Permission,
    /// Memory that ran out.
    Memory,
    /// The service's own words; which ones, the table of error texts says.
    Service,
    /// A server that listens, or a process that is told to end.
    Life,
    /// Words that join tracebacks.
    Joint,
}

/// One signature.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Its name, for ever.
    pub id: String,
    /// The text, byte for byte.
    pub text: String,
    /// The kind of line.
    pub kind: Kind,
    /// What it says, in a sentence's part.
    pub means: String,
    /// The code of the fault that it points to, where it points to one.
    #[serde(default)]
    pub fault: Option<String>,
    /// Who prints it.
    pub source: String,
    /// When that was last looked up.
    pub as_of: String,
}

/// Every signature, with the automaton that finds them.
pub(crate) struct Table {
    pub(crate) signatures: Vec<Signature>,
    pub(crate) automaton: AhoCorasick,
}

pub(crate) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let signatures: Vec<Signature> = serde_json::from_str(include_str!("../data/signatures.json"))
            .expect("the table is checked by its test");
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(signatures.iter().map(|signature| &signature.text))
            .expect("the signatures are few and short");
        Table { signatures, automaton }
    })
}

/// Every signature, in the table's order.
pub fn all() -> &'static [Signature] {
    &table().signatures
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Kind, all};
    use launchpath_model::service;

    #[test]
    fn the_table_is_whole() {
        let mut seen = BTreeSet::new();
        for signature in all() {
            assert!(seen.insert(&signature.text), "{} twice", signature.text);
            assert!(signature.text.len() >= 4, "{}: short texts are found everywhere", signature.id);
            assert!(
                !signature.text.contains('\n') && !signature.means.is_empty() && !signature.source.is_empty()
            );
            assert!(signature.as_of.len() == 10 && signature.as_of.starts_with("20"), "{}", signature.id);
        }
    }

    #[test]
    fn the_service_s_own_words_are_in_the_table_of_error_texts() {
        for signature in all().iter().filter(|signature| signature.kind == Kind::Service) {
            assert!(service::recognise_error(&signature.text).is_some(), "{}", signature.text);
        }
    }
}
