//! What is wrong with a policy document, where, how bad it is, and what AWS answers to it.
//!
//! Not errors of evaluation: evaluation cannot fail, it can only not know.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::location::Location;

/// How bad a finding about a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// AWS accepts it, but it hardly means what its author thought.
    Warning,
    /// AWS refuses to store it, though what it means is clear.
    Refused,
    /// AWS refuses to store it and its meaning cannot be told; the document counts as unknown.
    Unreadable,
}

/// One finding about a policy document.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{at}: {kind}")]
pub struct PolicyError {
    /// What is wrong.
    pub kind: PolicyErrorKind,
    /// Where it stands.
    pub at: Location,
}

impl PolicyError {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }

    /// The error IAM answers when somebody tries to store the document, `None` for a mere warning.
    pub fn aws_says(&self) -> Option<String> {
        self.kind.aws_says()
    }
}

/// The kinds of finding.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A text longer than any policy, in bytes; it was not read.
    #[error("{size} bytes long, more than {limit} are not read")]
    TextTooLong {
        /// How long it is.
        size: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Longer than AWS stores for this kind of policy, in characters.
    #[error("{size} characters long, the limit is {limit}")]
    TooLarge {
        /// How long it is.
        size: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Nested deeper than any policy.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// How deep it may be.
        limit: usize,
    },
    /// Another JSON type than the element takes.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What the element takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// An element the policy language does not have.
    #[error("unknown element `{name}`{}", hint(.suggestion.as_deref()))]
    UnknownElement {
        /// The name as written.
        name: String,
        /// The element it resembles.
        suggestion: Option<String>,
    },
    /// A member that stands twice in one object.
    #[error("`{0}` stands twice")]
    Duplicate(String),
    /// An element that must be there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Two elements of which only one may be there.
    #[error("{0} and {1} exclude each other")]
    Conflicting(&'static str, &'static str),
    /// A list that must not be empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// `Effect` is neither `Allow` nor `Deny`.
    #[error("`{0}` is no effect: it is `Allow` or `Deny`")]
    InvalidEffect(String),
    /// `Version` is neither `2012-10-17` nor `2008-10-17`.
    #[error("`{0}` is no version of the policy language")]
    InvalidVersion(String),
    /// No such condition operator.
    #[error("`{name}` is no condition operator{}", hint(.suggestion.as_deref()))]
    InvalidOperator {
        /// The name as written.
        name: String,
        /// The operator it resembles.
        suggestion: Option<String>,
    },
    /// A known element or operator in another case than documented.
    #[error("`{written}` is written `{documented}`")]
    OtherCase {
        /// As written.
        written: String,
        /// As documented.
        documented: String,
    },
    /// A value its operator cannot use.
    #[error("`{value}` is no {wanted}")]
    InvalidConditionValue {
        /// The value.
        value: String,
        /// What the operator compares.
        wanted: &'static str,
    },
    /// A statement id with characters IAM does not take, or one that is used twice.
    #[error("`{0}` is no statement id: letters and digits only")]
    InvalidSid(String),
    /// An action without its service prefix, or with a strange one.
    #[error("`{0}` is no action: it needs a service prefix such as `s3:`")]
    InvalidAction(String),
    /// A resource that is neither `*` nor an ARN.
    #[error("`{0}` is neither `*` nor an ARN")]
    InvalidResource(String),
    /// A principal that AWS does not know in this form.
    #[error("`{0}` is no principal: {1}")]
    InvalidPrincipal(String, &'static str),
    /// An element that this kind of policy must not have.
    #[error("{0} does not belong into {1}")]
    Misplaced(&'static str, &'static str),
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(" (`{name}`?)")).unwrap_or_default()
}

impl PolicyErrorKind {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::OtherCase { .. } | Self::InvalidConditionValue { .. } => Severity::Warning,
            Self::Empty(_)
            | Self::InvalidSid(_)
            | Self::InvalidAction(_)
            | Self::InvalidResource(_)
            | Self::InvalidPrincipal(..)
            | Self::Misplaced(..)
            | Self::TooLarge { .. } => Severity::Refused,
            _ => Severity::Unreadable,
        }
    }

    /// The code and message IAM answers to a document with this fault, `None` for a mere warning. The messages are
    /// IAM's own for identity and trust policies; other services word the same refusal differently.
    pub fn aws_says(&self) -> Option<String> {
        // AWS: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html#API_CreatePolicy_Errors
        let text = match self {
            Self::OtherCase { .. } | Self::InvalidConditionValue { .. } => return None,
            Self::TooLarge { limit, .. } | Self::TextTooLong { limit, .. } => {
                return Some(format!("LimitExceeded: Cannot exceed quota for PolicySize: {limit}"));
            }
            Self::Missing("Action") | Self::Empty("Action") => {
                "Policy statement must contain actions.".into()
            }
            Self::Missing("Resource") | Self::Empty("Resource") => {
                "Policy statement must contain resources.".into()
            }
            Self::InvalidSid(_) => {
                "Statement IDs (SID) in a single policy must be unique and alphanumeric.".into()
            }
            Self::InvalidAction(_) => {
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".into()
            }
            Self::InvalidResource(text) => format!("Resource {text} must be in ARN format or \"*\"."),
            Self::InvalidOperator { name, .. } => format!("Invalid Condition type : {name}."),
            Self::InvalidPrincipal(text, _) => format!("Invalid principal in policy: {text}"),
            Self::Misplaced("Principal", _) => "Policy document should not specify a principal.".into(),
            Self::Misplaced(element, _) => format!("Has prohibited field {element}"),
            _ => "Syntax errors in policy.".into(),
        };
        Some(format!("MalformedPolicyDocument: {text}"))
    }
}

/// All that is wrong with one document, in document order; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}
