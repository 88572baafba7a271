//! The world of an Amazon Bedrock AgentCore Runtime as typed values.
//!
//! What it is: ids, ARNs, times, evidence, three-valued knowledge, the AWS resources a launch touches, and the
//! [`World`] that holds them. What it is not: it reads no files, asks no service, knows no clock and decides
//! nothing; `launchpath-intake` fills it and `launchpath-diagnose` judges it.
//!
//! Start with [`known`] (what is known, absent or unknown), then [`query`] (when a "not found" counts), then [`world`].

pub mod arn;
pub mod aws;
pub mod command;
pub mod evidence;
pub mod ids;
pub mod known;
mod open_enum;
pub mod query;
pub mod service;
pub mod table;
pub mod time;
pub mod world;

pub use arn::Arn;
pub use evidence::{Evidence, EvidenceId, Outcome};
pub use known::{Absence, Fact, Gap, GapReason, Known};
pub use query::{Read, ReadState, Target};
pub use table::{Row, Selection, Table};
pub use time::Timestamp;
pub use world::World;
