//! Live, read-only collection of evidence: the only crate that talks to AWS.
//!
//! A collection *only writes a bundle* (`launchpath-bundle/1`); what the evidence means is decided
//! elsewhere, from the bundle, so every live run can be replayed.
//!
//! - [`operation`]: the table of operations that may be sent, with the IAM action of each.
//! - `plan`: what is asked and after what; [`plan()`] describes it.
//! - [`collect`]: runs the plan against an account, or any `--endpoint-url`.
//! - [`registry_login`], [`download_code`]: what fetching an image from ECR or code from S3 needs of AWS.
//! - [`script()`]: the same collection as a script of AWS CLI commands.
//! - [`permissions`]: the minimum policy, generated from the table.
//! - [`short_lived`]: the user's own credentials, for a rehearsal.
//! - `wire`, `client`: how a call is written, signed, sent and read; `mask`: what is left out.
//!
//! It sits on the foundation of the AWS SDK (credentials, signing, retries, TLS) with one generic
//! operation, not on its service crates: answers stay documents, members newer than any SDK survive,
//! and the build takes minutes less.

mod client;
mod collect;
mod credentials;
mod endpoint;
mod facts;
mod image;
mod image_config;
mod invoke;
mod mask;
pub mod operation;
pub mod permissions;
mod plan;
mod progress;
mod rate;
mod record;
mod script;
mod settings;
mod target;
mod transport;
mod wire;

pub use collect::collect;
pub use credentials::{ShortLived, short_lived};
pub use endpoint::Partition;
pub use image::{CodeObject, ImageError, RegistryLogin, download_code, registry_login};
pub use mask::text as mask_text;
pub use plan::{Plan, PlanStep, PlannedCall, plan};
pub use progress::{Progress, Silent};
pub use record::Outcome;
pub use script::script;
pub use settings::{CollectError, Request, Settings};
