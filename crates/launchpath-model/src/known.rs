//! Knowledge is three-valued: *known*, *absent* (we looked; it is not there), *unknown* with a reason.
//!
//! `Absent` cannot be written down by hand: an [`Absence`] comes only from [`crate::query::prove_absent`], which
//! demands a query that could have seen the thing.

use serde::Serialize;

use crate::evidence::EvidenceId;

/// A value together with the evidence that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// What is known.
    pub value: T,
    /// The calls that show it; never empty for what was read from a bundle.
    pub evidence: Vec<EvidenceId>,
}

/// Proof that a thing does not exist: a query that could have seen it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    evidence: Vec<EvidenceId>,
}

impl Absence {
    // INVARIANT: only `query` may call this, after the query was shown to cover the thing.
    pub(crate) fn proven_by(evidence: Vec<EvidenceId>) -> Self {
        Self { evidence }
    }

    /// The queries that could have seen the thing and did not.
    pub fn evidence(&self) -> &[EvidenceId] {
        &self.evidence
    }
}

/// Why something is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GapReason {
    /// No call of this input asked for it.
    NotAsked,
    /// The call was refused.
    Denied {
        /// The IAM action, for example `iam:GetRole`.
        action: String,
    },
    /// The call was throttled until it was given up.
    Throttled,
    /// The call failed for another reason.
    Failed {
        /// The error code, as received.
        code: String,
    },
    /// A call was answered, but it could not have seen the thing.
    NotVisible {
        /// What the query excludes, one sentence.
        why: String,
    },
    /// The document does not hold the member.
    MemberMissing {
        /// The member's JSON path.
        path: String,
    },
    /// This program cannot decide it.
    NotModelled {
        /// What is not modelled.
        what: String,
    },
}

/// Something unknown: why, which refusals show it, and the command that would tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What is missing, in words: "the role's trust policy".
    pub what: String,
    /// Why it is missing.
    pub reason: GapReason,
    /// Refused or blind calls; empty when nothing was asked.
    pub evidence: Vec<EvidenceId>,
    /// The AWS CLI command (or experiment) that would tell, ready to paste.
    pub command: Option<String>,
}

impl Gap {
    /// Nothing of this input asked for `what`; `command` would.
    pub fn not_asked(what: impl Into<String>, command: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            reason: GapReason::NotAsked,
            evidence: Vec::new(),
            command: Some(command.into()),
        }
    }

    /// The reason as one sentence fragment.
    pub fn reason_text(&self) -> String {
        match &self.reason {
            GapReason::NotAsked => "not asked".to_owned(),
            GapReason::Denied { action } => format!("access denied ({action})"),
            GapReason::Throttled => "throttled".to_owned(),
            GapReason::Failed { code } => format!("the call failed ({code})"),
            GapReason::NotVisible { why } => format!("not visible with this query: {why}"),
            GapReason::MemberMissing { path } => format!("the document has no {path}"),
            GapReason::NotModelled { what } => format!("not modelled: {what}"),
        }
    }
}

/// What we know of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// Seen.
    Known(Fact<T>),
    /// Proven not to exist.
    Absent(Absence),
    /// Neither.
    Unknown(Gap),
}

impl<T> Known<T> {
    /// A known value with its evidence.
    pub fn seen(value: T, evidence: Vec<EvidenceId>) -> Self {
        Self::Known(Fact { value, evidence })
    }

    /// The value, when it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(&fact.value),
            Self::Absent(_) | Self::Unknown(_) => None,
        }
    }

    /// The evidence of whatever state this is in.
    pub fn evidence(&self) -> &[EvidenceId] {
        match self {
            Self::Known(fact) => &fact.evidence,
            Self::Absent(absence) => absence.evidence(),
            Self::Unknown(gap) => &gap.evidence,
        }
    }

    /// Whether the thing is proven not to exist.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// The same state with the value replaced by what `change` makes of it.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Known(fact) => Known::Known(Fact { value: change(fact.value), evidence: fact.evidence }),
            Self::Absent(absence) => Known::Absent(absence),
            Self::Unknown(gap) => Known::Unknown(gap),
        }
    }

    /// The same state, borrowed.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Known(fact) => Known::Known(Fact { value: &fact.value, evidence: fact.evidence.clone() }),
            Self::Absent(absence) => Known::Absent(absence.clone()),
            Self::Unknown(gap) => Known::Unknown(gap.clone()),
        }
    }
}
