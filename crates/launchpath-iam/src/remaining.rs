//! What remains to be known: a formula over open questions, exact where a decision is *unknown*.
//!
//! Not the evaluation: that is written once, over the [`Logic`] trait, and run with [`Tri`] for the decision and
//! with [`Formula`] for what it would take. INVARIANT: a formula is constant exactly where the three-valued result
//! is definite.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::condition::ConditionOperator;
use crate::explain::StatementRef;
use crate::layers::LayerKind;
use crate::tri::Tri;

/// One thing that is not known, put as a proposition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Open {
    /// A condition of a statement holds.
    Condition {
        /// The statement.
        statement: Arc<StatementRef>,
        /// The operator.
        operator: ConditionOperator,
        /// The context key.
        key: String,
        /// The values the policy wants.
        wanted: Vec<String>,
        /// Why that cannot be told.
        reason: String,
    },
    /// A statement covers the resource.
    Resource {
        /// The statement.
        statement: Arc<StatementRef>,
        /// Why that cannot be told.
        reason: String,
    },
    /// A statement names the principal.
    Principal {
        /// The statement.
        statement: Arc<StatementRef>,
        /// Why that cannot be told.
        reason: String,
    },
    /// A layer, or one policy in it, denies the request.
    Denies {
        /// The layer.
        layer: LayerKind,
        /// The policy or level; `None` for the whole layer.
        policy: Option<String>,
        /// Why that cannot be told.
        reason: String,
    },
    /// A layer, or one policy in it, allows the request.
    Allows {
        /// The layer.
        layer: LayerKind,
        /// The policy or level; `None` for the whole layer.
        policy: Option<String>,
        /// Why that cannot be told.
        reason: String,
    },
    /// Principal and resource belong to one account.
    SameAccount,
    /// The service honours resource control policies for this request.
    RcpApplies {
        /// The service prefix.
        service: String,
    },
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named =
            |policy: &Option<String>| policy.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        match self {
            Self::Condition { statement, operator, key, wanted, reason } => {
                write!(f, "{key} {operator} {} in {statement} ({reason})", List(wanted))
            }
            Self::Resource { statement, reason } => write!(f, "{statement} covers the resource ({reason})"),
            Self::Principal { statement, reason } => write!(f, "{statement} names the principal ({reason})"),
            Self::Denies { layer, policy, reason } => {
                write!(f, "the {layer}{} denies it ({reason})", named(policy))
            }
            Self::Allows { layer, policy, reason } => {
                write!(f, "the {layer}{} allows it ({reason})", named(policy))
            }
            Self::SameAccount => f.write_str("principal and resource are in one account"),
            Self::RcpApplies { service } => write!(f, "resource control policies apply to {service}"),
        }
    }
}

/// Values joined for people.
pub(crate) struct List<'a>(pub(crate) &'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("(no value)"),
            [value] => write!(f, "\"{value}\""),
            values => {
                f.write_str("any of ")?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "\"{value}\"")?;
                }
                Ok(())
            }
        }
    }
}

/// A formula over open questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// Certain.
    Always,
    /// Excluded.
    Never,
    /// This question has the answer yes.
    If(Arc<Open>),
    /// The contrary.
    Not(Box<Formula>),
    /// All of these; at least two.
    All(Vec<Formula>),
    /// At least one of these; at least two.
    Any(Vec<Formula>),
}

impl Formula {
    /// Every open question in it, in the order met, each once.
    pub fn questions(&self) -> Vec<&Open> {
        let mut list = Vec::new();
        self.collect(&mut list);
        list
    }

    fn collect<'a>(&'a self, list: &mut Vec<&'a Open>) {
        match self {
            Self::Always | Self::Never => {}
            Self::If(open) => {
                if !list.contains(&&**open) {
                    list.push(open);
                }
            }
            Self::Not(inner) => inner.collect(list),
            Self::All(items) | Self::Any(items) => items.iter().for_each(|item| item.collect(list)),
        }
    }

    /// When the request is allowed unless something holds: those things.
    ///
    /// That is the case where the formula is true as soon as every question in it has the answer no.
    pub fn unless(&self) -> Option<Vec<&Formula>> {
        match self {
            Self::Not(inner) => Some(vec![inner]),
            Self::All(items) => {
                let parts = items.iter().map(|item| match item {
                    Self::Not(inner) => Some(&**inner),
                    _ => None,
                });
                parts.collect()
            }
            _ => None,
        }
    }

    fn join(
        a: Self,
        b: Self,
        neutral: &Self,
        absorbing: &Self,
        take: fn(Self) -> Result<Vec<Self>, Self>,
        make: fn(Vec<Self>) -> Self,
    ) -> Self {
        if a == *absorbing || b == *neutral {
            return a;
        }
        if b == *absorbing || a == *neutral {
            return b;
        }
        let mut items = take(a).unwrap_or_else(|one| vec![one]);
        for item in take(b).unwrap_or_else(|one| vec![one]) {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        if items.len() == 1 {
            return items.remove(0);
        }
        make(items)
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn listed(f: &mut fmt::Formatter<'_>, items: &[Formula], word: &str) -> fmt::Result {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                match item {
                    Formula::All(_) | Formula::Any(_) => write!(f, "({item})")?,
                    _ => write!(f, "{item}")?,
                }
            }
            Ok(())
        }
        match self {
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::If(open) => write!(f, "{open}"),
            Self::Not(inner) => match &**inner {
                Self::All(_) | Self::Any(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::All(items) => listed(f, items, "and"),
            Self::Any(items) => listed(f, items, "or"),
        }
    }
}

/// The logic an evaluation runs in.
pub(crate) trait Logic: Sized + Clone + PartialEq {
    /// Whether verdicts are kept for telling reasons.
    const EXPLAINS: bool;
    fn known(value: bool) -> Self;
    fn open(question: impl FnOnce() -> Open) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn negate(self) -> Self;
    fn tri(&self) -> Tri;

    fn lift(value: Tri, question: impl FnOnce() -> Open) -> Self {
        match value {
            Tri::True => Self::known(true),
            Tri::False => Self::known(false),
            Tri::Unknown => Self::open(question),
        }
    }
}

impl Logic for Tri {
    const EXPLAINS: bool = false;

    fn known(value: bool) -> Self {
        value.into()
    }

    fn open(_question: impl FnOnce() -> Open) -> Self {
        Self::Unknown
    }

    fn and(self, other: Self) -> Self {
        self.min(other)
    }

    fn or(self, other: Self) -> Self {
        self.max(other)
    }

    fn negate(self) -> Self {
        !self
    }

    fn tri(&self) -> Tri {
        *self
    }
}

impl Logic for Formula {
    const EXPLAINS: bool = true;

    fn known(value: bool) -> Self {
        if value { Self::Always } else { Self::Never }
    }

    fn open(question: impl FnOnce() -> Open) -> Self {
        Self::If(Arc::new(question()))
    }

    fn and(self, other: Self) -> Self {
        let take = |formula| match formula {
            Self::All(items) => Ok(items),
            other => Err(other),
        };
        Self::join(self, other, &Self::Always, &Self::Never, take, Self::All)
    }

    fn or(self, other: Self) -> Self {
        let take = |formula| match formula {
            Self::Any(items) => Ok(items),
            other => Err(other),
        };
        Self::join(self, other, &Self::Never, &Self::Always, take, Self::Any)
    }

    fn negate(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(inner) => *inner,
            // One `not` per question reads better than one around them all.
            Self::Any(items) => items.into_iter().map(Self::negate).fold(Self::Always, Logic::and),
            other => Self::Not(Box::new(other)),
        }
    }

    fn tri(&self) -> Tri {
        match self {
            Self::Always => Tri::True,
            Self::Never => Tri::False,
            _ => Tri::Unknown,
        }
    }
}
