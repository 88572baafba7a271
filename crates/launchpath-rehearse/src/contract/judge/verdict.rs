//! The verdict over the clauses.

use crate::contract::clause::{Clause, Judged, Reason, State};

/// What the clauses come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every clause that applies held.
    Passed,
    /// The first clause that broke.
    Broken {
        /// Which.
        clause: Clause,
        /// Why.
        reason: Option<Reason>,
        /// The clause as a sentence.
        text: String,
        /// What was seen.
        note: String,
    },
    /// Nothing broke, and something could not be judged; the first of it.
    Undecided {
        /// The first clause that is not known.
        clause: Option<Clause>,
        /// What was seen.
        note: String,
    },
}

impl Verdict {
    /// As in the record.
    pub fn passed(&self) -> Option<bool> {
        match self {
            Self::Passed => Some(true),
            Self::Broken { .. } => Some(false),
            Self::Undecided { .. } => None,
        }
    }
}

/// What the clauses come to.
pub fn verdict(clauses: &[Judged]) -> Verdict {
    if let Some(broken) = clauses.iter().find(|judged| judged.state == State::Broken) {
        return Verdict::Broken {
            clause: broken.clause,
            reason: broken.reason,
            text: broken.text.clone(),
            note: broken.note.clone(),
        };
    }
    let open = |judged: &&Judged| matches!(judged.state, State::Unknown | State::NotReached);
    // What is not known explains what was not reached after it.
    let unknown = clauses.iter().find(|judged| judged.state == State::Unknown);
    match unknown.or_else(|| clauses.iter().find(open)) {
        Some(judged) => Verdict::Undecided { clause: Some(judged.clause), note: judged.note.clone() },
        None if clauses.is_empty() => {
            Verdict::Undecided { clause: None, note: "nothing was judged".to_owned() }
        }
        None => Verdict::Passed,
    }
}
