//! How far the launch got: traces and failures lined up along the chain.

use std::collections::BTreeMap;

use launchpath_model::{Absence, EvidenceId, Gap, Timestamp};

use super::{Stage, stages, trace_rules};
use crate::case::Case;
use crate::diagnosis::{Break, ChainStage, StageState};

/// How a trace speaks for a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// It follows from a later state by documentation ("READY means …").
    Implied,
    /// A record of the stage itself.
    Direct,
}

/// Something that shows that a stage was reached.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The stage.
    pub stage: Stage,
    /// What was seen.
    pub text: String,
    /// The calls that show it; never empty.
    pub evidence: Vec<EvidenceId>,
    /// When it happened, where known.
    pub at: Option<Timestamp>,
    /// How it speaks.
    pub strength: Strength,
}

/// Something that shows that a stage failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The stage.
    pub stage: Stage,
    /// What was seen.
    pub text: String,
    /// The calls that show it; never empty.
    pub evidence: Vec<EvidenceId>,
    /// The fault the service itself names, when it does.
    pub fault: Option<&'static str>,
    /// True when only a person says so: it narrows, it proves nothing.
    pub reported: bool,
}

/// What a trace rule saw.
pub enum Sighting {
    /// Traces and failures.
    Seen(Vec<Trace>, Vec<Failure>),
    /// A valid query shows that the trace is not there.
    Missing(Absence, String),
    /// It could not be seen.
    NotVisible(Gap),
    /// The rule has nothing to say here.
    NotApplicable,
}

/// How far the launch got.
pub struct Progress {
    /// The stages in order.
    pub order: Vec<Stage>,
    /// Traces by stage.
    pub traces: BTreeMap<Stage, Vec<Trace>>,
    /// Failures by stage.
    pub failures: BTreeMap<Stage, Vec<Failure>>,
    /// Proof that an always-left trace is missing, by stage.
    pub missing: BTreeMap<Stage, (Absence, String)>,
    /// Why a stage's trace could not be seen.
    pub gaps: BTreeMap<Stage, Gap>,
}

/// Looks for every trace.
pub fn assess(case: &Case) -> Progress {
    let mut progress = Progress {
        order: stages(&case.combination),
        traces: BTreeMap::new(),
        failures: BTreeMap::new(),
        missing: BTreeMap::new(),
        gaps: BTreeMap::new(),
    };
    for rule in trace_rules() {
        match (rule.look)(case) {
            Sighting::Seen(traces, failures) => {
                for trace in traces {
                    progress.traces.entry(trace.stage).or_default().push(trace);
                }
                for failure in failures {
                    progress.failures.entry(failure.stage).or_default().push(failure);
                }
            }
            Sighting::Missing(absence, text) if rule.always_left => {
                progress.missing.insert(rule.stage, (absence, text));
            }
            Sighting::NotVisible(gap) => {
                progress.gaps.entry(rule.stage).or_insert(gap);
            }
            Sighting::Missing(..) | Sighting::NotApplicable => {}
        }
    }
    progress
}

impl Progress {
    /// Place of a stage in the order.
    pub fn position(&self, stage: Stage) -> Option<usize> {
        self.order.iter().position(|s| *s == stage)
    }

    /// The last main stage that a trace proves.
    pub fn last_reached(&self) -> Option<Stage> {
        self.order.iter().rev().copied().find(|stage| !stage.is_side() && self.traces.contains_key(stage))
    }

    /// The first main stage after it that was seen to fail (or whose always-left trace is provably missing).
    pub fn first_failed(&self) -> Option<Stage> {
        let after = self.last_reached().and_then(|stage| self.position(stage)).map_or(0, |at| at + 1);
        let failed = |stage: &Stage| {
            !stage.is_side()
                && (self.failures.get(stage).is_some_and(|all| all.iter().any(|f| !f.reported))
                    || self.missing.contains_key(stage))
        };
        self.order.iter().skip(after).copied().find(failed)
    }

    /// The first stage that a person reports as failing.
    pub fn first_reported(&self) -> Option<Stage> {
        let after = self.last_reached().and_then(|stage| self.position(stage)).map_or(0, |at| at + 1);
        self.order
            .iter()
            .skip(after)
            .copied()
            .find(|stage| !stage.is_side() && self.failures.contains_key(stage))
    }

    /// A trace at `stage` or beyond it on the main path: proof that the stage was passed.
    pub fn trace_at_or_beyond(&self, stage: Stage) -> Option<&Trace> {
        let from = self.position(stage)?;
        let candidates =
            self.order.iter().enumerate().filter(|(at, s)| *at >= from && (**s == stage || !s.is_side()));
        let mut traces = candidates.flat_map(|(_, stage)| self.traces.get(stage).into_iter().flatten());
        let first = traces.next()?;
        // A direct record is worth more than what follows from a state; among equals the nearest stage convinces most.
        let direct =
            (first.strength == Strength::Implied).then(|| traces.find(|t| t.strength == Strength::Direct));
        Some(direct.flatten().unwrap_or(first))
    }

    /// Whether `stage` lies in the interval in which the launch breaks.
    pub fn in_break(&self, stage: Stage) -> bool {
        let Some(end) = self.first_failed().or_else(|| self.first_reported()).and_then(|s| self.position(s))
        else {
            return false;
        };
        let start = self.last_reached().and_then(|s| self.position(s)).map_or(0, |at| at + 1);
        // A stage of the other platform's order does not exist here.
        self.position(stage).is_some_and(|at| (start..=end).contains(&at))
    }

    /// The failures seen, whatever their stage.
    pub fn all_failures(&self) -> impl Iterator<Item = &Failure> {
        self.failures.values().flatten()
    }

    /// The chain as plain data. `blocked`: stages that confirmed causes prove impossible, with the reason.
    pub fn chain(&self, blocked: &BTreeMap<Stage, (String, Vec<EvidenceId>)>) -> Vec<ChainStage> {
        let reached = self.last_reached().and_then(|stage| self.position(stage));
        let failed = self.first_unreached(blocked).and_then(|stage| self.position(stage));
        let describe = |(at, stage): (usize, &Stage)| {
            let (state, evidence, note) = self.describe(at, *stage, reached, failed, blocked);
            ChainStage {
                stage: stage.id().to_owned(),
                title: stage.title().to_owned(),
                state,
                evidence,
                note,
                side: stage.is_side(),
            }
        };
        self.order.iter().enumerate().map(describe).collect()
    }

    fn first_unreached(&self, blocked: &BTreeMap<Stage, (String, Vec<EvidenceId>)>) -> Option<Stage> {
        let by_cause =
            blocked.keys().filter(|stage| !stage.is_side()).filter_map(|s| Some((self.position(*s)?, *s)));
        let by_failure = self.first_failed().and_then(|s| Some((self.position(s)?, s)));
        by_cause.chain(by_failure).min().map(|(_, stage)| stage)
    }

    fn describe(
        &self,
        at: usize,
        stage: Stage,
        reached: Option<usize>,
        failed: Option<usize>,
        blocked: &BTreeMap<Stage, (String, Vec<EvidenceId>)>,
    ) -> (StageState, Vec<EvidenceId>, String) {
        if let Some(trace) =
            self.traces.get(&stage).and_then(|all| all.iter().max_by_key(|t| (t.strength, t.at)))
        {
            return (StageState::Reached, trace.evidence.clone(), trace.text.clone());
        }
        if !stage.is_side() && reached.is_some_and(|last| at < last) {
            let beyond = self.trace_at_or_beyond(stage);
            let (evidence, title) =
                beyond.map_or_else(Default::default, |t| (t.evidence.clone(), t.stage.title()));
            return (StageState::Reached, evidence, format!("proven by a later stage ({title})"));
        }
        if let Some((why, evidence)) = blocked.get(&stage) {
            return (StageState::Failed, evidence.clone(), why.clone());
        }
        if let Some(failure) = self.failures.get(&stage).and_then(|all| all.first()) {
            let state = if failure.reported { StageState::Unknown } else { StageState::Failed };
            let note = if failure.reported {
                format!("as reported: {}", failure.text)
            } else {
                failure.text.clone()
            };
            return (state, failure.evidence.clone(), note);
        }
        if let Some((absence, text)) = self.missing.get(&stage) {
            return (StageState::NotReached, absence.evidence().to_vec(), text.clone());
        }
        if failed.is_some_and(|first| at > first) && !stage.is_side() {
            return (StageState::NotReached, Vec::new(), "after the break".to_owned());
        }
        let (note, evidence) = match self.gaps.get(&stage) {
            Some(gap) => (format!("{}: {}", gap.what, gap.reason_text()), gap.evidence.clone()),
            None => ("leaves no trace that this input could show".to_owned(), Vec::new()),
        };
        (StageState::Unknown, evidence, note)
    }

    /// The break as plain data.
    pub fn broken(&self, blocked: &BTreeMap<Stage, (String, Vec<EvidenceId>)>) -> Option<Break> {
        let last = self.last_reached();
        let (first, reported) = match self.first_unreached(blocked) {
            Some(stage) => (stage, false),
            None => (self.first_reported()?, true),
        };
        let from = last.map(|stage| format!("after «{}» and ", stage.title())).unwrap_or_default();
        let mut note = format!("the launch breaks {from}not later than «{}»", first.title());
        if reported {
            note.push_str(" (as reported; no record of the failure itself)");
        }
        Some(Break {
            last_reached: last.map(|stage| stage.id().to_owned()),
            first_unreached: Some(first.id().to_owned()),
            note,
        })
    }
}
