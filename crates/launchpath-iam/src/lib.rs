//! IAM policy evaluation that explains itself.

mod arn;
pub mod batch;
mod compiled;
mod condition;
mod context;
mod document;
mod error;
mod evaluate;
mod explain;
mod glob;
mod json;
mod layers;
mod location;
mod parse;
mod principal;
mod principal_match;
mod rcp;
mod remaining;
mod request;
mod template;
mod tri;

pub use compiled::CompiledPolicySet;
pub use condition::{Condition, ConditionOperator, SetQualifier, Test};
pub use context::{Context, ContextValue};
pub use document::{Effect, Patterns, Policy, PrincipalSpec, Principals, Statement, Version};
pub use error::{PolicyError, PolicyErrorKind, PolicyErrors, Severity};
pub use evaluate::{Decision, Outcome, evaluate};
pub use explain::{Actual, Failure, Reason, StatementRef};
pub use glob::Glob;
pub use layers::{Document, EndpointKind, Guardrails, Layer, LayerKind, Layers, Level, NamedPolicy};
pub use location::{Location, Position};
pub use parse::Reading;
pub use principal::{Principal, PrincipalError, PrincipalKind};
pub use remaining::{Formula, Open};
pub use request::Request;
pub use tri::Tri;
