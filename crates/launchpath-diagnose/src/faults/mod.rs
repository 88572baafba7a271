//! The fault catalogue: one folder per kind of fault, one table of all.
//!
//! A fault is one way for a stage to fail. Its check answers *found*, *ruled out* or *unknown*, never a bool; a cause without
//! evidence cannot be built ([`Finding::new`] and [`Check::ruled_out`] take evidence or refuse). To add one:
//! `cargo xtask new-fault area.name`.

mod app;
mod build;
mod client;
mod contract;
mod fs;
mod iam;
mod image;
mod life;
mod logs;
mod net;
mod own_text;
mod request;
mod svc;
mod tool;
mod trial;

use launchpath_model::{EvidenceId, Gap};

use crate::case::Case;
use crate::chain::{Progress, Stage};
use crate::diagnosis::Because;
use crate::repair::Repair;

/// One kind of fault.
pub struct Fault {
    /// `area.fault_name`; forever: never renamed, never reused.
    pub code: &'static str,
    /// Names what is wrong, never the remedy.
    pub title: &'static str,
    /// The stage it breaks.
    pub stage: Stage,
    /// The first version that knew it.
    pub since: &'static str,
    /// Prior odds, from field frequency (field cases that name it; 0.5 where only neighbouring services showed it).
    pub prior: f64,
    /// The operations whose answers the check needs.
    pub needs: &'static [&'static str],
    /// The check.
    pub check: fn(&Context) -> Check,
    /// `doc.md`: what happens, why, how it is known, how to confirm by hand, the fix, references.
    pub doc: &'static str,
}

/// What a check may look at.
pub struct Context<'c, 'w> {
    /// The runtime and its world.
    pub case: &'c Case<'w>,
    /// How far the launch got.
    pub progress: &'c Progress,
}

/// What a check says.
pub enum Check {
    /// The fault is there, once or several times.
    Found(Vec<Finding>),
    /// The fault is not there.
    RuledOut(Proof),
    /// It cannot be told; never empty.
    Unknown(Vec<Gap>),
    /// It cannot occur in this combination, for example a network fault in PUBLIC mode.
    NotApplicable(&'static str),
}

/// Why a fault is not there, with the calls that show it; never without calls.
pub struct Proof {
    because: String,
    evidence: Vec<EvidenceId>,
}

impl Proof {
    /// The sentence.
    pub fn because(&self) -> &str {
        &self.because
    }

    /// The calls.
    pub fn evidence(&self) -> &[EvidenceId] {
        &self.evidence
    }
}

impl Check {
    /// The fault is there once.
    pub fn found(finding: Option<Finding>) -> Self {
        match finding {
            Some(finding) => Self::Found(vec![finding]),
            None => Self::Unknown(vec![uncited()]),
        }
    }

    /// The fault is not there: a sentence and the calls that show it. Without calls it is unknown.
    pub fn ruled_out(because: impl Into<String>, mut evidence: Vec<EvidenceId>) -> Self {
        if evidence.is_empty() {
            return Self::Unknown(vec![uncited()]);
        }
        evidence.sort();
        evidence.dedup();
        Self::RuledOut(Proof { because: because.into(), evidence })
    }

    /// One thing is missing.
    pub fn unknown(gap: Gap) -> Self {
        Self::Unknown(vec![gap])
    }
}

fn uncited() -> Gap {
    Gap {
        what: "a call that shows it".to_owned(),
        reason: launchpath_model::GapReason::NotAsked,
        evidence: Vec::new(),
        command: None,
    }
}

/// How directly a finding is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// It fits, and so do other causes.
    Circumstantial,
    /// A proof that the stage cannot succeed, or direct evidence: a traceback, a denied call, the service's own reason.
    Proven,
}

/// One finding.
pub struct Finding {
    /// The stage it breaks here, when not the fault's own.
    pub stage: Option<Stage>,
    /// The resources at fault.
    pub subjects: Vec<String>,
    /// Why, line by line; the first has evidence.
    pub because: Vec<Because>,
    /// How directly it is shown.
    pub certainty: Certainty,
    /// Repairs, not yet proven, the usual one first: each alone is meant to clear the finding.
    pub repairs: Vec<Repair>,
}

impl Finding {
    /// A finding; `None` when no line cites a call.
    pub fn new(certainty: Certainty, subjects: Vec<String>, because: Vec<Because>) -> Option<Self> {
        let cited = because.iter().any(|line| !line.evidence.is_empty());
        cited.then_some(Self { stage: None, subjects, because, certainty, repairs: Vec::new() })
    }

    /// The same finding at another stage than the fault's own.
    #[must_use]
    pub fn at(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    /// The same finding with a repair, after those it has: another way to clear it.
    #[must_use]
    pub fn with_repair(mut self, repair: Repair) -> Self {
        self.repairs.push(repair);
        self
    }

    /// Every call it cites.
    pub fn evidence(&self) -> Vec<EvidenceId> {
        let mut all: Vec<EvidenceId> = self.because.iter().flat_map(|line| line.evidence.clone()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// A line of reasoning that multiplies the odds by `weight`.
pub fn because(text: impl Into<String>, evidence: &[EvidenceId], weight: f64) -> Because {
    Because { text: text.into(), evidence: evidence.to_vec(), weight }
}

pub(crate) use image::config::config as image_config;
use image::needed_again_at as image_needed_again_at;

/// The service-linked role that makes the interfaces.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html>
pub(crate) const NETWORK_ROLE: &str = "AWSServiceRoleForBedrockAgentCoreNetwork";

/// Weight of a line that shows the fault directly.
pub const DIRECT: f64 = 1000.0;

/// Every kind of fault, in the order of the catalogue.
pub fn all() -> Vec<&'static Fault> {
    [
        app::FAULTS,
        build::FAULTS,
        client::FAULTS,
        contract::FAULTS,
        fs::FAULTS,
        iam::FAULTS,
        image::FAULTS,
        life::FAULTS,
        logs::FAULTS,
        net::FAULTS,
        request::FAULTS,
        svc::FAULTS,
        tool::FAULTS,
    ]
    .concat()
}

/// The fault of a code.
pub fn find(code: &str) -> Option<&'static Fault> {
    all().into_iter().find(|fault| fault.code == code)
}

#[cfg(test)]
mod tests;
