//! May this principal do this action on this resource in this context, and why? Answered from policy documents, as
//! AWS documents it, without asking AWS.
//!
//! Pure and usable alone: no I/O, no clock, no dependency on the rest of the workspace. Not a linter for least
//! privilege, and not a list of what actions exist.
//!
//! # What an answer is
//!
//! [`evaluate`] takes a [`Request`] and its [`Layers`] and gives an [`Outcome`]: a [`Decision`], the reasons, and,
//! where the decision is unknown, exactly what remains open. Every layer, every document in it and every context key
//! can be *known*, *known to be absent*, or *not known* with a reason; what is not known can widen a decision to
//! [`Decision::Unknown`], never turn it round.
//!
//! ```
//! use launchpath_iam::{Context, Decision, Guardrails, Layer, Layers, Policy, Principal, Request, evaluate};
//!
//! let role = Policy::parse(
//!     r#"{
//!         "Version": "2012-10-17",
//!         "Statement": [
//!             {"Sid": "Pull", "Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"},
//!             {"Effect": "Deny", "Action": "ecr:*", "Resource": "*",
//!              "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}
//!         ]
//!     }"#,
//! )?;
//! let ask = |context| {
//!     let who = Principal::parse("arn:aws:sts::111122223333:assumed-role/exec/session")?;
//!     let repository = "arn:aws:ecr:us-east-1:111122223333:repository/agent";
//!     Ok::<_, Box<dyn std::error::Error>>(Request::new(who, "ecr:BatchGetImage", repository, context)?)
//! };
//! let mut layers = Layers { identity: Layer::one("exec", role), ..Layers::none() };
//!
//! // Everything is said, and the key is not there: the negated condition holds, the request is denied.
//! let outcome = evaluate(&ask(Context::complete())?, &layers);
//! assert_eq!(outcome.decision, Decision::ExplicitlyDenied);
//! assert_eq!(
//!     outcome.because[0].to_string(),
//!     "statement 2 of the identity-based policy exec (line 5 column 13) denies it",
//! );
//!
//! // With the right VPC it is allowed, but somebody may not have looked at the organisation.
//! let request = ask(Context::complete().with("aws:SourceVpc", "vpc-1"))?;
//! assert_eq!(evaluate(&request, &layers).decision, Decision::Allowed);
//! layers.scps = Guardrails::Unknown("organizations:ListPoliciesForTarget was denied".into());
//! let outcome = evaluate(&request, &layers);
//! assert_eq!(outcome.decision, Decision::Unknown);
//! assert!(outcome.remaining_text().unwrap().contains("organizations:ListPoliciesForTarget was denied"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - Documents: [`Policy`] and its parts, [`Policy::parse`] and [`Policy::read`] (as far as readable, with findings),
//!   [`Policy::check`] for the rules of one kind of policy.
//! - Questions: [`Principal`], [`Request`], [`Context`] ([`Context::complete`] or [`Context::partial`]).
//! - Policies in force: [`Layers`], [`Layer`], [`Guardrails`], [`NamedPolicy`]; [`attached`] for AWS-managed policies.
//! - Answers: [`evaluate`], or [`CompiledPolicySet`] for many requests on the same policies, where
//!   [`CompiledPolicySet::decide`] gives the bare decision and takes well under a microsecond.
//! - Many questions as JSON: [`batch`].
//!
//! # Where it does not know
//!
//! AWS leaves some behaviour undocumented: several values of a key without a set operator, an IPv4 address in IPv6
//! clothing, a `NotPrincipal` that names a user without its account, principals in gateway endpoint policies. The
//! answer is then unknown wherever it depends on that. `DISAGREEMENTS.md` lists where tests of others expect more.

mod arn;
pub mod batch;
mod check;
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
mod managed;
mod parse;
mod principal;
mod principal_match;
mod rcp;
mod remaining;
mod request;
mod template;
mod tri;

pub use check::{DocumentKind, WhiteSpace, check_length};
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
pub use managed::{ManagedPolicy, attached, managed_policies, managed_policy};
pub use parse::Reading;
pub use principal::{Principal, PrincipalError, PrincipalKind};
pub use remaining::{Formula, Open};
pub use request::{Request, RequestError};
pub use tri::Tri;
