//! Proof of repairs, and plans: whole lists of repairs that clear everything that was found.
//!
//! A repair is applied to a copy of the world and the world is judged again; one that changes nothing is never shown. A
//! plan goes on from there: mending the first blocker may uncover another one behind it, which is mended next, until nothing
//! blocks any more or nothing is known that would help. From what was collected on the way everything that can be left out
//! is left out. Where a blocker can be mended in several ways, each way makes a plan of its own.
//!
//! What it is not: it invents no repairs; the faults bring them ([`crate::repair`]). Start with [`prove`].

mod trial;

use launchpath_model::World;
use serde_json::Value;

use crate::diagnosis::{Cause, Diagnosis, Fix, Plan, PlanStep, Safety, Verified};
use crate::engine::{Judgement, judge};
use crate::paths::KnownPaths;
use crate::repair::Repair;
use crate::repair::rewrite::rewrite;
use trial::Trials;

/// So many plans are looked for: more ways than a reader compares.
const MOST_PLANS: usize = 4;
/// A chain that hides more blockers than this one behind the other is not followed further.
const MOST_STEPS: usize = 12;

/// What tells one finding from another: the fault and its subjects.
type Key = (String, Vec<String>);

/// Gives every cause the first of its repairs that is proven to help, and the diagnosis its plans.
pub(crate) fn prove(world: &World, shared: &KnownPaths, judgement: &Judgement, diagnosis: &mut Diagnosis) {
    let trials = Trials::new(world, shared, judgement);
    let now = trials.now();
    let before: Vec<Key> = now.keys();
    for cause in diagnosis.causes.iter_mut().chain(&mut diagnosis.also_blocking) {
        let proven = now.repairs(&key(cause)).iter().find_map(|repair| {
            let after = trials.after(std::slice::from_ref(repair))?;
            let helps = after.clears(&key(cause), &before);
            helps.then(|| fix(repair, world, after.verified(&[repair])))
        });
        cause.fix = proven;
    }
    if !before.is_empty() {
        diagnosis.plans = plans(&trials);
    }
}

/// A step of a plan: what was found, and the repair chosen for it.
#[derive(Clone)]
struct Step {
    cause: Cause,
    hidden_by: Option<String>,
    repair: Repair,
}

/// Writes the repairs of the safest plan into `bundle`, the whole bundle that `world` was read from with every answer in it,
/// and says what they are, in launch order. Nothing is written where nothing was found or nothing helps.
pub fn apply_to_bundle(world: &World, bundle: &mut Value) -> Vec<String> {
    let shared = KnownPaths::default();
    let mut summaries = Vec::new();
    let trials = Trials::new(world, &shared, &judge(world, &shared));
    let mut world = world.clone();
    for step in ways(&trials).into_iter().next().unwrap_or_default() {
        let Some(after) = step.repair.applied_to(&world) else { break };
        rewrite(&step.repair, &after, bundle);
        summaries.push(step.repair.summary);
        world = after;
    }
    summaries
}

fn plans(trials: &Trials) -> Vec<Plan> {
    let ways = ways(trials);
    let number = ways.len();
    ways.into_iter().enumerate().filter_map(|(rank, steps)| plan(trials, steps, rank, number)).collect()
}

/// Every way to clear what was found, each without a step that could be left out; the safest first.
fn ways(trials: &Trials) -> Vec<Vec<Step>> {
    let mut search = Search { trials, found_at_first: trials.now().keys(), finished: Vec::new() };
    search.explore(&[]);
    let mut ways: Vec<Vec<Step>> = Vec::new();
    for steps in search.finished {
        let steps = without_needless(trials, steps);
        let same = |other: &Vec<Step>| other.iter().map(|s| &s.repair).eq(steps.iter().map(|s| &s.repair));
        if !steps.is_empty() && !ways.iter().any(same) {
            ways.push(steps);
        }
    }
    // Stable: among equals, the usual way of each fault stays first.
    ways.sort_by_cached_key(|steps| cost(trials, steps));
    ways
}

struct Search<'a, 'w> {
    trials: &'a Trials<'w>,
    found_at_first: Vec<Key>,
    finished: Vec<Vec<Step>>,
}

impl Search<'_, '_> {
    /// Mends the first blocker that can be mended, in each of its ways, and goes on in the world that comes of it.
    fn explore(&mut self, steps: &[Step]) {
        let repairs = repairs_of(steps);
        let Some(here) = self.trials.after(&repairs) else { return };
        let before: Vec<Key> = here.keys();
        let mut mended = false;
        for found in here.found() {
            for repair in &found.repairs {
                if self.finished.len() >= MOST_PLANS || steps.len() >= MOST_STEPS {
                    break;
                }
                let next = [repairs.as_slice(), std::slice::from_ref(repair)].concat();
                let Some(after) = self.trials.after(&next) else { continue };
                if !after.clears(&key(&found.cause), &before) {
                    continue;
                }
                mended = true;
                let hidden_by = steps
                    .last()
                    .filter(|_| !self.found_at_first.contains(&key(&found.cause)))
                    .map(|step| step.cause.fault.clone());
                let step = Step { cause: found.cause.clone(), hidden_by, repair: repair.clone() };
                self.explore(&[steps, &[step]].concat());
            }
            if mended {
                return;
            }
        }
        self.finished.push(steps.to_vec());
    }
}

fn repairs_of(steps: &[Step]) -> Vec<Repair> {
    steps.iter().map(|step| step.repair.clone()).collect()
}

/// Leaves out every step without which the world ends up no worse.
fn without_needless(trials: &Trials, mut steps: Vec<Step>) -> Vec<Step> {
    let left = |steps: &[Step]| trials.after(&repairs_of(steps)).map(|trial| trial.blocking());
    let Some(aim) = left(&steps) else { return steps };
    for at in (0..steps.len()).rev() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if left(&fewer).is_some_and(|left| left == aim) {
            steps = fewer;
        }
    }
    steps
}

/// What a plan leaves in the way, then how many of its changes need review, then how many it has.
fn cost(trials: &Trials, steps: &[Step]) -> (usize, usize, usize) {
    let left = trials.after(&repairs_of(steps)).map_or(usize::MAX, |trial| trial.blocking().len());
    (left, changes_to_review(steps), steps.iter().map(|step| size(&step.repair)).sum())
}

fn changes_to_review(steps: &[Step]) -> usize {
    steps.iter().filter(|step| step.repair.safety == Safety::Review).map(|step| size(&step.repair)).sum()
}

fn size(repair: &Repair) -> usize {
    repair.changes.len().max(1)
}

fn plan(trials: &Trials, steps: Vec<Step>, rank: usize, number: usize) -> Option<Plan> {
    let after = trials.after(&repairs_of(&steps))?;
    let repairs: Vec<&Repair> = steps.iter().map(|step| &step.repair).collect();
    let review = changes_to_review(&steps);
    let all: usize = repairs.iter().map(|repair| size(repair)).sum();
    let verified = after.verified(&repairs);
    let safety = if review == 0 { Safety::Safe } else { Safety::Review };
    let risk = match review {
        0 => "it only adds: nothing that works now can stop".to_owned(),
        _ => format!(
            "{review} of {all} {} something others may use",
            plural(all, "change touches", "changes touch")
        ),
    };
    let place = match (number, rank) {
        (1, _) => "the only way found".to_owned(),
        (_, 0) => format!("the safest of {number} ways found"),
        _ => format!("way {} of {number}", rank + 1),
    };
    let mut shown = Vec::new();
    let mut so_far: Vec<Repair> = Vec::new();
    for step in steps {
        let before = trials.after(&so_far)?;
        so_far.push(step.repair.clone());
        let after = trials.after(&so_far)?;
        shown.push(PlanStep {
            fault: step.cause.fault,
            stage: step.cause.stage,
            subjects: step.cause.subjects,
            hidden_by: step.hidden_by,
            fix: fix(&step.repair, &before.world, after.verified(&[&step.repair])),
        });
    }
    Some(Plan { steps: shown, safety, why: format!("{place}; {risk}"), verified })
}

fn plural(number: usize, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

fn key(cause: &Cause) -> Key {
    (cause.fault.clone(), cause.subjects.clone())
}

fn fix(repair: &Repair, world: &World, verified: Verified) -> Fix {
    Fix {
        summary: repair.summary.clone(),
        safety: repair.safety,
        aws_cli: repair.aws_cli(world),
        terraform: repair.terraform(world),
        cloudformation: repair.cloudformation(world),
        verified: Some(verified),
    }
}
