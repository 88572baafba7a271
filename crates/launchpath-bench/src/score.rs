//! The score: what the diagnosis said of each world against what is wrong in it.

use launchpath_diagnose::diagnose;
use launchpath_diagnose::diagnosis::{Cause, CauseStatus, Diagnosis};
use launchpath_intake::open_bytes;

use crate::baseline;
use crate::suite::{Kind, World};

/// What came of one world.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) faults: Vec<&'static str>,
    /// The first cause is one that is there.
    pub(crate) top1: bool,
    /// One of the first three causes is one that is there.
    pub(crate) top3: bool,
    /// The cause is named as confirmed or likely.
    pub(crate) named: bool,
    /// Faults that the evidence shows and that are not named: as a cause, as also blocking, or in the plan.
    pub(crate) unnamed: Vec<&'static str>,
    /// Whether the evidence that is left shows it.
    pub(crate) decidable: bool,
    /// Confirmed causes that are not there.
    pub(crate) wrong_confirmed: Vec<String>,
    /// Likely causes that are not there.
    pub(crate) wrong_likely: Vec<String>,
    /// The error text alone would have led there.
    pub(crate) baseline: bool,
}

impl Outcome {
    /// Nothing was named that is not there; where nothing is named, that is an abstention.
    pub(crate) fn is_honest(&self) -> bool {
        self.wrong_confirmed.is_empty() && self.wrong_likely.is_empty()
    }
}

/// Judges every world, in order, on all processors.
///
/// # Errors
/// A bundle cannot be read: a defect of the suite.
pub(crate) fn all(worlds: &[World]) -> Result<Vec<Outcome>, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = worlds.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = worlds
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(score).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut outcomes = Vec::with_capacity(worlds.len());
        for part in parts {
            outcomes.extend(part.join().map_err(|_| "a judging thread panicked".to_owned())??);
        }
        Ok(outcomes)
    })
}

/// The diagnosis of a world.
///
/// # Errors
/// The bundle cannot be read: a defect of the suite.
pub(crate) fn diagnosis_of(world: &World) -> Result<Diagnosis, String> {
    let read = open_bytes("world.json", world.bundle.to_string().as_bytes())
        .map_err(|error| format!("{}: {error}", world.name))?;
    Ok(diagnose(&read))
}

/// Judges one world.
fn score(world: &World) -> Result<Outcome, String> {
    let diagnosis = diagnosis_of(world)?;
    let is_there = |cause: &Cause| world.faults.contains(&cause.fault.as_str());
    let said = |status: CauseStatus| -> Vec<String> {
        let all = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
        let mut wrong: Vec<String> =
            all.filter(|c| c.status == status && !is_there(c)).map(|c| c.fault.clone()).collect();
        wrong.dedup();
        wrong
    };
    Ok(Outcome {
        name: world.name.clone(),
        kind: world.kind,
        faults: world.faults.clone(),
        top1: first(&diagnosis).is_some_and(is_there),
        top3: diagnosis.causes.iter().chain(&diagnosis.also_blocking).take(3).any(is_there),
        named: first(&diagnosis).is_some_and(|c| c.status != CauseStatus::Possible && is_there(c)),
        unnamed: world.visible.iter().copied().filter(|fault| !names(&diagnosis, fault)).collect(),
        decidable: world.decidable,
        wrong_confirmed: said(CauseStatus::Confirmed),
        wrong_likely: said(CauseStatus::Likely),
        baseline: world.error.as_deref().and_then(baseline::guess).is_some_and(|g| world.faults.contains(&g)),
    })
}

/// The first cause; of a launch that nothing blocks, the first of what is said beside it.
fn first(diagnosis: &Diagnosis) -> Option<&Cause> {
    diagnosis.causes.iter().chain(&diagnosis.also_blocking).next()
}

fn names(diagnosis: &Diagnosis, fault: &str) -> bool {
    let all = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
    let found = all.filter(|cause| cause.status != CauseStatus::Possible).any(|cause| cause.fault == fault);
    found || diagnosis.plans.iter().flat_map(|plan| &plan.steps).any(|step| step.fault == fault)
}
