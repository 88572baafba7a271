//! The diagnosis as complete plain data: what every renderer shows and nothing it does not.
//!
//! A public format (`--format json`, `schema_version` 1): change it only by adding. The engine fills it
//! ([`crate::diagnose`]), `launchpath-report` renders it.

use launchpath_model::evidence::CallError;
use launchpath_model::{EvidenceId, Outcome, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chain::Stage;
pub use crate::paths::plain::{HopState, NetworkPath, PathHop, Way, WayState};

/// Version of this format.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that was found out about one runtime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// Version of this format, 1.
    pub schema_version: u32,
    /// The runtime judged.
    pub runtime: RuntimeSummary,
    /// "Now" of the diagnosis: when the evidence was collected.
    pub reference_time: Option<Timestamp>,
    /// The answer in one word.
    pub verdict: Verdict,
    /// The answer in one sentence.
    pub summary: String,
    /// The launch chain in order.
    pub chain: Vec<ChainStage>,
    /// Where the chain breaks; absent when nothing shows a break.
    #[serde(rename = "break")]
    pub broken: Option<Break>,
    /// Causes of the break, most probable first.
    pub causes: Vec<Cause>,
    /// What would block later in the chain once the primary cause is mended.
    pub also_blocking: Vec<Cause>,
    /// Ways to clear everything that was found, each a whole list of repairs in launch order; the safest first.
    #[serde(default)]
    pub plans: Vec<Plan>,
    /// Traps that the evidence shows somebody fell into, and checks that crashed.
    pub warnings: Vec<Warning>,
    /// What is not the cause, with the evidence that shows it.
    pub ruled_out: Vec<RuledOut>,
    /// What could not be decided, and what would tell.
    pub unknown: Vec<Undecided>,
    /// The observations that would split the remaining probability best, best first.
    pub next_probes: Vec<Probe>,
    /// The network paths that the launch needs, walked from each of its subnets; empty where it has none of its own.
    #[serde(default)]
    pub paths: Vec<NetworkPath>,
    /// What happened when.
    pub timeline: Vec<TimelineEntry>,
    /// The difference to a runtime that works.
    pub comparison: Option<Comparison>,
    /// What people said: shown, never counted as proof.
    pub statements: Vec<Saying>,
    /// Every call that this diagnosis cites or that was refused.
    pub evidence: Vec<EvidenceRecord>,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A trace proves an answer.
    Launches,
    /// A cause is confirmed.
    Blocked,
    /// Suspects only, or nothing that proves an answer.
    Undecided,
    /// It fails, and all that the customer controls was seen and holds: a support case is due.
    NoFaultFound,
}

impl Verdict {
    /// The word as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Launches => "launches",
            Self::Blocked => "blocked",
            Self::Undecided => "undecided",
            Self::NoFaultFound => "no_fault_found",
        }
    }
}

/// The runtime judged. A member that is `null` is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuntimeSummary {
    /// Its ARN.
    pub arn: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// `PUBLIC` or `VPC`.
    pub network_mode: Option<String>,
    /// `V1` or `V2`.
    pub platform_version: Option<String>,
    /// `HTTP`, `MCP`, `A2A` or `AGUI`.
    pub protocol: Option<String>,
    /// The image's address or the code zip's `s3://` address.
    pub artifact: Option<String>,
    /// `READY`, `CREATE_FAILED`, …
    pub status: Option<String>,
    /// The endpoint asked about.
    pub endpoint: Option<String>,
}

/// How far one stage got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// A trace proves it.
    Reached,
    /// A failure of this very stage was seen, or it is proven that it cannot succeed.
    Failed,
    /// It comes after a failed stage, or its trace is provably missing.
    NotReached,
    /// Nothing proves either.
    Unknown,
    /// Not part of this combination of mode, platform, artifact and protocol.
    NotApplicable,
}

/// One stage of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainStage {
    /// Its name, for example `network_attach`.
    pub stage: String,
    /// Its title, for people.
    pub title: String,
    /// How far it got.
    pub state: StageState,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
    /// What shows it, or why it is unknown.
    pub note: String,
    /// True for a stage beside the path to the answer (log delivery): its failure blinds, but does not block.
    pub side: bool,
}

/// The interval in which the launch breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Break {
    /// The last stage proven reached.
    pub last_reached: Option<String>,
    /// The first stage proven not reached.
    pub first_unreached: Option<String>,
    /// The interval in words.
    pub note: String,
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseStatus {
    /// Direct evidence, or a proof that the stage cannot succeed, and no trace beyond it.
    Confirmed,
    /// Found, but the evidence leaves room.
    Likely,
    /// Not found and not ruled out: a suspect inside the break.
    Possible,
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// The fault's code, for example `net.endpoint_sg_blocks`.
    pub fault: String,
    /// The fault's title.
    pub title: String,
    /// The stage it breaks.
    pub stage: String,
    /// How sure it is.
    pub status: CauseStatus,
    /// 0 to 1, among all causes.
    pub probability: f64,
    /// Whether it is the one to mend first.
    pub primary: bool,
    /// The resources at fault.
    pub subjects: Vec<String>,
    /// Why, line by line.
    pub because: Vec<Because>,
    /// The repair, when there is one whose effect was proven.
    pub fix: Option<Fix>,
}

/// One line of the reasoning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Because {
    /// The line.
    pub text: String,
    /// The calls it rests on.
    pub evidence: Vec<EvidenceId>,
    /// The factor by which it changes the odds of this cause; the first line of a suspect is its prior.
    pub weight: f64,
}

/// Whether a repair can do harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Safety {
    /// Only adds; nothing that works now can stop.
    Safe,
    /// Changes something others may use: read it first.
    Review,
}

/// A repair, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// What to change, one sentence.
    pub summary: String,
    /// Whether it can do harm.
    pub safety: Safety,
    /// Commands, one per line.
    pub aws_cli: Vec<String>,
    /// The same as Terraform.
    pub terraform: Option<String>,
    /// The same as CloudFormation.
    pub cloudformation: Option<String>,
    /// The proof: the edit applied to the world in memory and the diagnosis run again.
    pub verified: Option<Verified>,
}

/// What the diagnosis says after the repair was applied in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// The last stage up to which nothing blocks any more.
    pub reaches: String,
    /// The fault that blocks next, when one does.
    pub next_blocker: Option<String>,
    /// What the proof takes for granted.
    pub assumes: Option<String>,
}

/// Repairs that together clear every blocker that was found, or as many as can be cleared; none of them can be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The repairs, in launch order.
    pub steps: Vec<PlanStep>,
    /// Whether any of them can do harm.
    pub safety: Safety,
    /// Why it stands where it stands among the plans.
    pub why: String,
    /// The proof: all of them applied to the world in memory and the diagnosis run again.
    pub verified: Verified,
}

/// One repair of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// The fault it clears.
    pub fault: String,
    /// The stage of that fault.
    pub stage: String,
    /// The resources at fault.
    pub subjects: Vec<String>,
    /// The fault that hides this one: it is found only once that one is mended.
    pub hidden_by: Option<String>,
    /// The repair; its own proof stands with the cause.
    pub fix: Fix,
}

/// A trap or another remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Its code, for example `trap.eni_evidence`.
    pub code: String,
    /// One sentence.
    pub title: String,
    /// What it means here.
    pub text: String,
    /// The calls it is about.
    pub evidence: Vec<EvidenceId>,
    /// The command that would decide what the trap left open.
    pub command: Option<String>,
}

/// A fault that is not the cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuledOut {
    /// The fault's code; `belief.…` for theories people hold about such failures that are no fault kinds.
    pub fault: String,
    /// Its title.
    pub title: String,
    /// How we know.
    pub because: String,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
}

/// A fault that could not be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undecided {
    /// The fault's code.
    pub fault: String,
    /// Its title.
    pub title: String,
    /// What is missing.
    pub missing: Vec<Missing>,
}

/// One missing piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// What is missing, in words.
    pub evidence: String,
    /// Why it is missing.
    pub reason: String,
    /// The command that would tell.
    pub command: Option<String>,
    /// The refused or blind calls.
    pub calls: Vec<EvidenceId>,
}

/// An observation or experiment that would help.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// What it is.
    pub what: String,
    /// The exact command.
    pub command: String,
    /// The faults it tells apart.
    pub splits: Vec<String>,
    /// Expected information, in bits.
    pub gain_bits: f64,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
}

/// The difference to a runtime that works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The other runtime's id.
    pub with: String,
    /// How we know that it works.
    pub works_because: String,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What is the same.
    pub same: Vec<String>,
    /// What is known of one side only, or of none.
    #[serde(default)]
    pub not_compared: Vec<NotCompared>,
}

/// Two launches and what differs between them: the public format of `launchpath compare`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contrast {
    /// Version of this format, 1.
    pub schema_version: u32,
    /// The launch whose outcome is to be explained.
    pub here: Side,
    /// The launch it is held against.
    pub there: Side,
    /// What differs.
    pub comparison: Comparison,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The runtime.
    pub runtime: RuntimeSummary,
    /// How its launch ends, in one word.
    pub verdict: Verdict,
    /// How its launch ends, in one sentence.
    pub summary: String,
}

/// Something that could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotCompared {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// What, for example `image`.
    pub what: String,
    /// Here.
    pub here: String,
    /// There.
    pub there: String,
    /// Whether it can explain the break, and how.
    pub explains: Option<String>,
    /// Why it cannot explain the break.
    #[serde(default)]
    pub explains_not: Option<String>,
    /// The first stage it bears on.
    #[serde(default)]
    pub stage: Option<String>,
    /// The calls that show it here.
    #[serde(default)]
    pub evidence: Vec<EvidenceId>,
    /// The calls that show it there: in a comparison of two bundles, of the other bundle.
    #[serde(default)]
    pub evidence_there: Vec<EvidenceId>,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Saying {
    /// Who, as recorded.
    pub by: Option<String>,
    /// The text.
    pub text: String,
    /// The call it is recorded as.
    pub evidence: Vec<EvidenceId>,
}

/// One call, so that a reader can repeat it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceRecord {
    /// Its id in the bundle.
    pub id: EvidenceId,
    /// The AWS CLI's service name, or `launchpath`.
    pub service: String,
    /// The API operation.
    pub operation: String,
    /// When it was answered.
    pub at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// The refusal or failure.
    #[schemars(with = "Option<ErrorShape>")]
    pub error: Option<CallError>,
    /// The command that repeats it.
    pub command: String,
}

/// Shape of an error in the schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ErrorShape {
    code: String,
    message: String,
    http: Option<u16>,
}

impl Cause {
    /// Whether it lies beside the path of a launch, at a stage that stops nothing: log delivery, what comes after an answer.
    pub fn is_beside(&self) -> bool {
        Stage::from_id(&self.stage).is_some_and(Stage::is_side)
    }
}

impl Diagnosis {
    /// The exit code, the same for every format: 0 healthy and everything decisive seen, 1 broken with a confirmed or
    /// likely cause, 3 could not tell, 4 warnings only.
    ///
    /// What only blinds, such as a role that may not write its log, breaks no launch: beside a launch that is proved it is a warning,
    /// and beside one that is not, whether it launches remains open.
    pub fn exit_code(&self) -> u8 {
        let breaks = |cause: &Cause| cause.status != CauseStatus::Possible && !cause.is_beside();
        if self.primary().is_some_and(breaks) {
            return 1;
        }
        match self.verdict {
            Verdict::Launches if self.warnings.is_empty() && self.also_blocking.is_empty() => 0,
            Verdict::Launches => 4,
            Verdict::Blocked => 1,
            Verdict::Undecided | Verdict::NoFaultFound => 3,
        }
    }

    /// The cause to mend first.
    pub fn primary(&self) -> Option<&Cause> {
        self.causes.iter().find(|cause| cause.primary)
    }
}
