//! Worlds that come of repairs, each judged once however often the search returns to it.

use std::cell::RefCell;
use std::rc::Rc;

use launchpath_model::World;

use super::{Key, key};
use crate::chain::Stage;
use crate::diagnosis::{Cause, CauseStatus, Verified};
use crate::engine::{Judgement, before_stage, is_side, judge, order};
use crate::paths::KnownPaths;
use crate::repair::Repair;

/// What came of lists of repairs; `None` where one does not fit.
pub(super) struct Trials<'w> {
    shared: &'w KnownPaths,
    now: Rc<Trial>,
    known: RefCell<Vec<Tried>>,
}

/// A list of repairs, and what came of it.
type Tried = (Vec<Repair>, Option<Rc<Trial>>);

/// A world, and what was found in it.
pub(super) struct Trial {
    pub(super) world: World,
    found: Vec<Found>,
}

/// A cause that is more than a suspect.
pub(super) struct Found {
    pub(super) cause: Cause,
    /// Its repairs, the usual one first.
    pub(super) repairs: Vec<Repair>,
    /// The last stage before it.
    before: String,
}

impl<'w> Trials<'w> {
    pub(super) fn new(world: &World, shared: &'w KnownPaths, judgement: &Judgement) -> Self {
        Self { shared, now: Rc::new(Trial::of(world.clone(), judgement)), known: RefCell::default() }
    }

    /// The world as it is.
    pub(super) fn now(&self) -> Rc<Trial> {
        Rc::clone(&self.now)
    }

    /// The world after repairs, one after the other.
    pub(super) fn after(&self, repairs: &[Repair]) -> Option<Rc<Trial>> {
        if let Some((_, trial)) = self.known.borrow().iter().find(|(known, _)| known == repairs) {
            return trial.clone();
        }
        if repairs.is_empty() {
            return Some(self.now());
        }
        let trial = self.tried(repairs);
        self.known.borrow_mut().push((repairs.to_vec(), trial.clone()));
        trial
    }

    fn tried(&self, repairs: &[Repair]) -> Option<Rc<Trial>> {
        let (last, before) = repairs.split_last()?;
        let world = last.applied_to(&self.after(before)?.world)?;
        let judgement = judge(&world, self.shared);
        let trial = Trial::of(world.clone(), &judgement);
        Some(Rc::new(trial))
    }
}

impl Trial {
    fn of(world: World, judgement: &Judgement) -> Self {
        let causes =
            judgement.judged.iter().flat_map(|judged| judged.causes.iter().map(move |cause| (judged, cause)));
        let mut found: Vec<_> = causes.filter(|(_, cause)| cause.status != CauseStatus::Possible).collect();
        found.sort_by_key(|(_, cause)| {
            (is_side(&cause.stage), order(&judgement.progress, &cause.stage), cause.status)
        });
        let found = found.into_iter().map(|(judged, cause)| Found {
            repairs: judged.repairs_for(&cause.fault, &cause.subjects).to_vec(),
            before: before_stage(&judgement.progress, &cause.stage),
            cause: cause.clone(),
        });
        Self { found: found.collect(), world }
    }

    /// What was found, in launch order.
    pub(super) fn found(&self) -> &[Found] {
        &self.found
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.found.iter().map(|found| key(&found.cause)).collect()
    }

    /// What was found, in an order that does not depend on the way here.
    pub(super) fn blocking(&self) -> Vec<Key> {
        let mut keys = self.keys();
        keys.sort();
        keys
    }

    /// The repairs of a finding, the usual one first.
    pub(super) fn repairs(&self, wanted: &Key) -> &[Repair] {
        self.found.iter().find(|found| key(&found.cause) == *wanted).map_or(&[], |found| &found.repairs)
    }

    /// Whether a finding is gone, and did not only move elsewhere.
    pub(super) fn clears(&self, cleared: &Key, before: &[Key]) -> bool {
        let left = self.found.iter().map(|found| key(&found.cause));
        left.into_iter().all(|left| left != *cleared && (left.0 != cleared.0 || before.contains(&left)))
    }

    /// How far the launch gets after repairs, and what blocks then.
    pub(super) fn verified(&self, repairs: &[&Repair]) -> Verified {
        let next = self.found.iter().find(|found| !is_side(&found.cause.stage));
        let mut assumes: Vec<&str> = repairs.iter().filter_map(|repair| repair.assumes.as_deref()).collect();
        assumes.dedup();
        Verified {
            reaches: next.map_or_else(|| Stage::Response.id().to_owned(), |next| next.before.clone()),
            next_blocker: next.map(|next| next.cause.fault.clone()),
            assumes: (!assumes.is_empty()).then(|| assumes.join("; ")),
        }
    }
}
