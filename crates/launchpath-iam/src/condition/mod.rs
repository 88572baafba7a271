//! Conditions: operators, the values they compare, and evaluation against a request.
//!
//! Start at [`ConditionOperator`] for the names, at `evaluate.rs` for the logic of several values, absent keys and
//! set qualifiers, at `value.rs` for how single values compare.

mod evaluate;
mod operator;
mod value;

pub(crate) use evaluate::{CompiledCondition, variable};
pub use operator::{ConditionOperator, SetQualifier, Test};
pub(crate) use value::check_value;

pub use crate::document::Condition;
