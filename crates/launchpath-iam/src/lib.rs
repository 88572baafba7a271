//! IAM policy evaluation that explains itself.

mod arn;
mod condition;
mod context;
mod document;
mod error;
mod glob;
mod json;
mod location;
mod parse;
mod principal;
mod request;
mod template;
mod tri;

pub use condition::{Condition, ConditionOperator, SetQualifier, Test};
pub use context::{Context, ContextValue};
pub use document::{Effect, Patterns, Policy, PrincipalSpec, Principals, Statement, Version};
pub use error::{PolicyError, PolicyErrorKind, PolicyErrors, Severity};
pub use glob::Glob;
pub use location::{Location, Position};
pub use parse::Reading;
pub use principal::{Principal, PrincipalError, PrincipalKind};
pub use request::Request;
pub use tri::Tri;
