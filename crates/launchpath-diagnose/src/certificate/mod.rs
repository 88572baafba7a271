//! The certificate of a verdict: everything that a third party needs to check it again from the bundle, without this engine.
//!
//! A public format (`launchpath-certificate/1`, see `docs/certificate.md`): change it only by adding. What it is: the diagnosis with
//! every statement tied to the values it rests on (call and JSON pointer), one packet for every network way, the policy
//! statements behind every permission, and digests. What it is not: a signature, or a second opinion. The checker is
//! `launchpath-verify`, which shares no code with this crate. Start with [`certify`].

mod cite;
mod digest;
mod path;
mod permission;

use std::collections::BTreeMap;

use launchpath_model::{EvidenceId, World};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use path::{HopClaim, PacketClaim, PathClaim};
pub use permission::{PermissionClaim, StatementClaim};

use crate::case::Case;
use crate::chain::{self, Progress, Stage};
use crate::diagnosis::{
    Because, Break, Cause, CauseStatus, Diagnosis, RuntimeSummary, StageState, Undecided, Verdict,
};
use cite::Citer;

/// The value of `format`.
pub const FORMAT: &str = "launchpath-certificate/1";

/// A verdict with all it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Name and version of this format.
    pub format: String,
    /// The program that made it.
    pub made_by: String,
    /// The evidence it is about.
    pub bundle: BundleClaim,
    /// The runtime judged.
    pub runtime: RuntimeSummary,
    /// The answer in one word.
    pub verdict: Verdict,
    /// The exit code of the diagnosis.
    pub exit_code: u8,
    /// The answer in one sentence; no claim of its own.
    pub summary: String,
    /// Where the chain breaks.
    #[serde(rename = "break")]
    pub broken: Option<Break>,
    /// The launch chain in order.
    pub chain: Vec<StageClaim>,
    /// Causes of the break.
    pub causes: Vec<CauseClaim>,
    /// What would block once the primary cause is mended.
    pub also_blocking: Vec<CauseClaim>,
    /// What is not the cause.
    pub ruled_out: Vec<ExclusionClaim>,
    /// What could not be decided: nothing is claimed of it.
    pub unknown: Vec<Undecided>,
    /// The codes of the warnings; they count for the exit code.
    pub warnings: Vec<String>,
    /// One packet for each network way of the launch, element by element.
    pub paths: Vec<PathClaim>,
    /// The permissions of the launch with the statements that decide.
    pub permissions: Vec<PermissionClaim>,
    /// Every cited call with its digest.
    pub calls: BTreeMap<EvidenceId, CallClaim>,
}

/// The evidence, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleClaim {
    /// SHA-256 of the bundle's canonical JSON, every answer inside.
    pub sha256: String,
    /// How many calls it holds.
    pub calls: usize,
}

/// One cited call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallClaim {
    /// The service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// SHA-256 of the call's canonical JSON.
    pub sha256: String,
}

/// A predicate over the bundle that anybody can evaluate. `pointer` is a JSON pointer (RFC 6901) inside the call; `inside` a second
/// one, into the JSON document that the text there holds (CloudTrail's events are such texts).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "claim", rename_all = "snake_case")]
pub enum Claim {
    /// The call ended so.
    Outcome {
        /// The call.
        call: EvidenceId,
        /// `ok`, `denied`, `not_found`, `error` or `throttled`.
        outcome: String,
        /// The error's code, when it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// The value is this one.
    Value {
        /// The call.
        call: EvidenceId,
        /// Where.
        pointer: String,
        /// Where in the document held there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inside: Option<String>,
        /// The value.
        equals: Value,
    },
    /// The text holds this one.
    Contains {
        /// The call.
        call: EvidenceId,
        /// Where.
        pointer: String,
        /// Where in the document held there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inside: Option<String>,
        /// The part.
        text: String,
    },
    /// The list is empty, and the answer that holds it is whole.
    Empty {
        /// The call.
        call: EvidenceId,
        /// Where.
        pointer: String,
    },
}

/// Why a stage stands where it stands, when no call of its own shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Follows {
    /// A later stage was reached.
    LaterStage,
    /// An earlier stage was not reached.
    Break,
    /// A confirmed cause stops it.
    Cause {
        /// The fault's code.
        fault: String,
    },
}

/// One stage of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageClaim {
    /// Its name.
    pub stage: String,
    /// How far it got.
    pub state: StageState,
    /// Whether it lies beside the path to the answer.
    pub side: bool,
    /// What shows it, in words.
    pub note: String,
    /// The stage it follows from, when no call shows it directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
    /// What they say.
    pub claims: Vec<Claim>,
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CauseClaim {
    /// The fault's code.
    pub fault: String,
    /// The stage it breaks.
    pub stage: String,
    /// How sure it is.
    pub status: CauseStatus,
    /// Whether it is the one to mend first.
    pub primary: bool,
    /// The resources at fault.
    pub subjects: Vec<String>,
    /// Why, line by line.
    pub because: Vec<LineClaim>,
}

/// One line of reasoning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineClaim {
    /// The line.
    pub text: String,
    /// The calls it rests on.
    pub evidence: Vec<EvidenceId>,
    /// What they say.
    pub claims: Vec<Claim>,
}

/// A fault that is not the cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExclusionClaim {
    /// The fault's code.
    pub fault: String,
    /// How we know.
    pub because: String,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
    /// What they say.
    pub claims: Vec<Claim>,
}

/// The certificate of a diagnosis of `world`, which was read from `bundle`: the bundle's JSON with every answer inside.
///
/// A call that the bundle does not hold cannot be cited: what only somebody's word on the command line says is left out.
pub fn certify(world: &World, diagnosis: &Diagnosis, bundle: &Value) -> Certificate {
    let case = Case::new(world);
    let progress = chain::assess(&case);
    let mut citer = Citer::new(bundle);
    let chain = diagnosis.chain.iter().map(|stage| {
        let evidence = citer.known(&stage.evidence);
        StageClaim {
            stage: stage.stage.clone(),
            state: stage.state,
            side: stage.side,
            note: stage.note.clone(),
            follows: follows(stage.state, &stage.stage, diagnosis, &progress),
            claims: citer.claims(&stage.note, &[], &evidence),
            evidence,
        }
    });
    let chain = chain.collect();
    let causes = diagnosis.causes.iter().map(|cause| cause_claim(&mut citer, cause)).collect();
    let also_blocking = diagnosis.also_blocking.iter().map(|cause| cause_claim(&mut citer, cause)).collect();
    let ruled_out = diagnosis.ruled_out.iter().map(|ruled| {
        let evidence = citer.known(&ruled.evidence);
        ExclusionClaim {
            fault: ruled.fault.clone(),
            because: ruled.because.clone(),
            claims: citer.claims(&ruled.because, &[], &evidence),
            evidence,
        }
    });
    let ruled_out = ruled_out.collect();
    let paths = path::claims(&case, diagnosis, &mut citer);
    let permissions = permission::claims(&case, &mut citer);
    Certificate {
        format: FORMAT.to_owned(),
        made_by: format!("launchpath {}", env!("CARGO_PKG_VERSION")),
        bundle: BundleClaim { sha256: digest::of(bundle), calls: citer.len() },
        runtime: diagnosis.runtime.clone(),
        verdict: diagnosis.verdict,
        exit_code: diagnosis.exit_code(),
        summary: diagnosis.summary.clone(),
        broken: diagnosis.broken.clone(),
        chain,
        causes,
        also_blocking,
        ruled_out,
        unknown: diagnosis.unknown.clone(),
        warnings: diagnosis.warnings.iter().map(|warning| warning.code.clone()).collect(),
        paths,
        permissions,
        calls: citer.cited(),
    }
}

/// The rule by which a stage without a trace of its own has its state.
fn follows(state: StageState, stage: &str, diagnosis: &Diagnosis, progress: &Progress) -> Option<Follows> {
    let id = Stage::from_id(stage)?;
    match state {
        StageState::Reached if !progress.traces.contains_key(&id) => Some(Follows::LaterStage),
        StageState::Failed => {
            let mut causes = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
            let cause = causes.find(|c| c.status == CauseStatus::Confirmed && c.stage == stage)?;
            Some(Follows::Cause { fault: cause.fault.clone() })
        }
        StageState::NotReached if !progress.missing.contains_key(&id) => Some(Follows::Break),
        _ => None,
    }
}

fn cause_claim(citer: &mut Citer, cause: &Cause) -> CauseClaim {
    let mut line = |line: &Because| {
        let evidence = citer.known(&line.evidence);
        LineClaim {
            text: line.text.clone(),
            claims: citer.claims(&line.text, &cause.subjects, &evidence),
            evidence,
        }
    };
    CauseClaim {
        fault: cause.fault.clone(),
        stage: cause.stage.clone(),
        status: cause.status,
        primary: cause.primary,
        subjects: cause.subjects.clone(),
        because: cause.because.iter().map(&mut line).collect(),
    }
}

/// The JSON Schema (draft 2020-12) of the certificate.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Certificate).to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), Value::String(FORMAT.to_owned()));
    }
    schema
}
