//! Three-valued logic after Kleene: what is true, what is false, and what cannot be told from what was given.
//!
//! INVARIANT: an operation on unknowns gives a definite answer only when every way of filling them in gives it.

use std::ops::Not;

use serde::Serialize;

/// True, false or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tri {
    /// Certainly not.
    False,
    /// Not known.
    Unknown,
    /// Certainly.
    True,
}

impl Tri {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// At least one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// All of them; true for none.
    pub fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for item in items {
            result = result.min(item);
            if result == Self::False {
                break;
            }
        }
        result
    }

    /// Any of them; false for none.
    pub fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for item in items {
            result = result.max(item);
            if result == Self::True {
                break;
            }
        }
        result
    }

    /// Whether it is certain.
    pub fn is_true(self) -> bool {
        self == Self::True
    }

    /// Whether it is certainly not so.
    pub fn is_false(self) -> bool {
        self == Self::False
    }

    /// Whether it cannot be told.
    pub fn is_unknown(self) -> bool {
        self == Self::Unknown
    }
}

impl Not for Tri {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}
