//! What a local look at an image, or a local run of it, has shown: read from records, never made here.
//!
//! Both are about an image that somebody had at hand. Whether it is the one the runtime runs is judged where it is used, by the
//! digests. Names of clauses, reasons and kinds of findings are part of the public record and stay text: one that is not known
//! says nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::evidence::EvidenceId;
use crate::time::Timestamp;

/// Which image a record speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageIdentity {
    /// The image, as given.
    pub image: Option<String>,
    /// Digest of its manifest.
    pub digest: Option<String>,
    /// Digest of its config blob.
    pub config_digest: Option<String>,
    /// Digest of the index it was taken from.
    pub index_digest: Option<String>,
    /// Its machine, for example `arm64`.
    pub architecture: Option<String>,
}

/// How one clause of the contract ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClauseState {
    /// It held.
    Held,
    /// It broke.
    Broken,
    /// It was tried and could not be told.
    Unknown,
    /// An earlier clause broke.
    NotReached,
    /// It does not apply to this protocol or image.
    NotApplicable,
}

/// One clause of the contract in a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its name, for example `listens`.
    pub name: String,
    /// How it ended.
    pub state: ClauseState,
    /// Why it broke, for example `loopback_only`.
    pub reason: Option<String>,
    /// The clause as a sentence.
    pub text: Option<String>,
    /// What was seen.
    pub note: Option<String>,
    /// When it was decided, in milliseconds after the start.
    pub at_ms: Option<i64>,
}

/// A connection or name look-up that the process tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The name, or the address when there is none.
    pub target: String,
    /// The port.
    pub port: Option<u16>,
    /// How it ended, for example `dropped`.
    pub outcome: Option<String>,
}

/// A recorded run of an image under the service's contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// The call it is recorded as.
    pub evidence: EvidenceId,
    /// When.
    pub at: Option<Timestamp>,
    /// Which image.
    pub identity: ImageIdentity,
    /// True or false when the record says whether the contract held.
    pub passed: Option<bool>,
    /// The clause that broke, as a sentence or name.
    pub broken_clause: Option<String>,
    /// Every clause that the record names, in order.
    pub clauses: Vec<Clause>,
    /// The protocol it was run under.
    pub protocol: Option<String>,
    /// The port it was asked on.
    pub port: Option<u16>,
    /// Whether the machine was emulated: then times prove nothing.
    pub emulated: bool,
    /// The process's exit code.
    pub exit_code: Option<i64>,
    /// The number of the signal that ended it.
    pub signal: Option<i64>,
    /// Whether it used up its memory.
    pub out_of_memory: bool,
    /// The machine of a program that this one could not execute, for example `arm64`.
    pub program_architecture: Option<String>,
    /// Milliseconds to the first listening socket.
    pub first_listen_ms: Option<i64>,
    /// Milliseconds to the first healthy answer.
    pub first_healthy_ms: Option<i64>,
    /// What the time to a healthy answer would be without emulation, estimated.
    pub native_estimate_ms: Option<i64>,
    /// Addresses on which something listened.
    pub listeners: Vec<String>,
    /// What it tried to reach.
    pub network: Vec<Attempt>,
    /// Names of the environment variables that it was given.
    pub environment: Vec<String>,
    /// Whether its network let through only what the diagnosed VPC would; else it had none, or none like the runtime's.
    pub behind_vpc_rules: bool,
    /// Everything the process printed, in order.
    pub output: String,
    /// Installed distributions and their versions, when recorded.
    pub distributions: BTreeMap<String, String>,
    /// The record, as received.
    pub record: Value,
}

/// How sure a finding of an inspection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingCertainty {
    /// It may be.
    Possible,
    /// It is so unless the code guards against it.
    Likely,
    /// It is so.
    Certain,
}

/// Something that an inspection found.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFinding {
    /// Its kind, for example `missing_submodule`.
    pub kind: String,
    /// How sure it is.
    pub certainty: FindingCertainty,
    /// One sentence.
    pub text: String,
    /// The file.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<i64>,
    /// More about it, by kind.
    pub detail: Value,
}

impl ImageFinding {
    /// A text member of the detail.
    pub fn detail_text(&self, name: &str) -> Option<&str> {
        self.detail.get(name)?.as_str().filter(|text| !text.is_empty())
    }
}

/// A recorded static inspection of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The call it is recorded as.
    pub evidence: EvidenceId,
    /// Which image.
    pub identity: ImageIdentity,
    /// Media type of its manifest.
    pub media_type: Option<String>,
    /// The user its process runs as.
    pub user: Option<String>,
    /// How many layers it has.
    pub layers: Option<i64>,
    /// The command it starts.
    pub argv: Vec<String>,
    /// Ports that it declares, for example `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// Installed distributions and their versions.
    pub distributions: BTreeMap<String, String>,
    /// What it found.
    pub findings: Vec<ImageFinding>,
    /// What it could not check.
    pub not_checked: Vec<String>,
    /// The record, as received.
    pub record: Value,
}
