//! Proof of repairs, and plans: whole lists of repairs that clear everything that was found.
//!
//! A repair is applied to a copy of the world and the world is judged again; one that changes nothing is never shown. A
//! plan goes on from there: mending the first blocker may uncover another one behind it, which is mended next, until nothing
//! blocks any more or nothing is known that would help. From what was collected on the way everything that can be left out
//! is left out. Where a blocker can be mended in several ways, each way makes a plan of its own.
//!
//! What it is not: it invents no repairs; the faults bring them ([`crate::repair`]). Start with [`prove`].

use launchpath_model::World;
use serde_json::Value;

use crate::chain::Stage;
use crate::diagnosis::{Cause, CauseStatus, Diagnosis, Fix, Plan, PlanStep, Safety, Verified};
use crate::engine::{Judgement, before_stage, is_side, judge, order};
use crate::repair::Repair;
use crate::repair::rewrite::rewrite;

/// So many plans are looked for: more ways than a reader compares.
const MOST_PLANS: usize = 4;
/// A chain that hides more blockers than this one behind the other is not followed further.
const MOST_STEPS: usize = 12;

/// What tells one finding from another: the fault and its subjects.
type Key = (String, Vec<String>);

/// Gives every cause the first of its repairs that is proven to help, and the diagnosis its plans.
pub(crate) fn prove(world: &World, judgement: &Judgement, diagnosis: &mut Diagnosis) {
    let before: Vec<Key> = found(judgement).map(key).collect();
    for cause in diagnosis.causes.iter_mut().chain(&mut diagnosis.also_blocking) {
        let proven = repairs(judgement, cause).find_map(|repair| {
            let repaired = repair.applied_to(world)?;
            let after = judge(&repaired);
            clears(&after, &key(cause), &before).then(|| fix(repair, world, verified(&after, &[repair])))
        });
        cause.fix = proven;
    }
    if !before.is_empty() {
        diagnosis.plans = plans(world);
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
    let mut world = world.clone();
    let mut summaries = Vec::new();
    for step in ways(&world).into_iter().next().unwrap_or_default() {
        let Some(after) = step.repair.applied_to(&world) else { break };
        rewrite(&step.repair, &after, bundle);
        summaries.push(step.repair.summary);
        world = after;
    }
    summaries
}

fn plans(world: &World) -> Vec<Plan> {
    let ways = ways(world);
    let number = ways.len();
    ways.into_iter().enumerate().filter_map(|(rank, steps)| plan(world, steps, rank, number)).collect()
}

/// Every way to clear what was found, each without a step that could be left out; the safest first.
fn ways(world: &World) -> Vec<Vec<Step>> {
    let mut search = Search { found_at_first: found(&judge(world)).map(key).collect(), finished: Vec::new() };
    search.explore(world, &[]);
    let mut ways: Vec<Vec<Step>> = Vec::new();
    for steps in search.finished {
        let steps = without_needless(world, steps);
        let same = |other: &Vec<Step>| other.iter().map(|s| &s.repair).eq(steps.iter().map(|s| &s.repair));
        if !steps.is_empty() && !ways.iter().any(same) {
            ways.push(steps);
        }
    }
    // Stable: among equals, the usual way of each fault stays first.
    ways.sort_by_key(|steps| cost(world, steps));
    ways
}

struct Search {
    found_at_first: Vec<Key>,
    finished: Vec<Vec<Step>>,
}

impl Search {
    /// Mends the first blocker that can be mended, in each of its ways, and goes on in the world that comes of it.
    fn explore(&mut self, world: &World, steps: &[Step]) {
        let judgement = judge(world);
        let before: Vec<Key> = found(&judgement).map(key).collect();
        let mut mended = false;
        for cause in in_launch_order(&judgement) {
            for repair in repairs(&judgement, cause) {
                if self.finished.len() >= MOST_PLANS || steps.len() >= MOST_STEPS {
                    break;
                }
                let Some(next) = repair.applied_to(world) else { continue };
                if !clears(&judge(&next), &key(cause), &before) {
                    continue;
                }
                mended = true;
                let hidden_by = steps
                    .last()
                    .filter(|_| !self.found_at_first.contains(&key(cause)))
                    .map(|step| step.cause.fault.clone());
                let step = Step { cause: cause.clone(), hidden_by, repair: repair.clone() };
                self.explore(&next, &[steps, &[step]].concat());
            }
            if mended {
                return;
            }
        }
        self.finished.push(steps.to_vec());
    }
}

/// Leaves out every step without which the world ends up no worse.
fn without_needless(world: &World, mut steps: Vec<Step>) -> Vec<Step> {
    let left = |steps: &[Step]| applied(world, steps).map(|world| blocking(&world));
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
fn cost(world: &World, steps: &[Step]) -> (usize, usize, usize) {
    let left = applied(world, steps).map_or(usize::MAX, |world| blocking(&world).len());
    (left, changes_to_review(steps), steps.iter().map(|step| size(&step.repair)).sum())
}

fn changes_to_review(steps: &[Step]) -> usize {
    steps.iter().filter(|step| step.repair.safety == Safety::Review).map(|step| size(&step.repair)).sum()
}

fn size(repair: &Repair) -> usize {
    repair.changes.len().max(1)
}

fn plan(world: &World, steps: Vec<Step>, rank: usize, number: usize) -> Option<Plan> {
    let mended = applied(world, &steps)?;
    let after = judge(&mended);
    let repairs: Vec<&Repair> = steps.iter().map(|step| &step.repair).collect();
    let review = changes_to_review(&steps);
    let all: usize = repairs.iter().map(|repair| size(repair)).sum();
    let verified = verified(&after, &repairs);
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
    let mut world_so_far = world.clone();
    let mut shown = Vec::new();
    for step in steps {
        let next = step.repair.applied_to(&world_so_far)?;
        let so_far = judge(&next);
        shown.push(PlanStep {
            fault: step.cause.fault,
            stage: step.cause.stage,
            subjects: step.cause.subjects,
            hidden_by: step.hidden_by,
            fix: fix(&step.repair, &world_so_far, self::verified(&so_far, &[&step.repair])),
        });
        world_so_far = next;
    }
    Some(Plan { steps: shown, safety, why: format!("{place}; {risk}"), verified })
}

fn plural(number: usize, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

/// The world after every step; `None` when one does not fit.
fn applied(world: &World, steps: &[Step]) -> Option<World> {
    steps.iter().try_fold(world.clone(), |world, step| step.repair.applied_to(&world))
}

/// What was found in a world.
fn blocking(world: &World) -> Vec<Key> {
    let mut keys: Vec<Key> = found(&judge(world)).map(key).collect();
    keys.sort();
    keys
}

/// Whether a repair cleared a finding and did not only move the fault elsewhere.
fn clears(after: &Judgement, cleared: &Key, before: &[Key]) -> bool {
    found(after).map(key).all(|left| left != *cleared && (left.0 != cleared.0 || before.contains(&left)))
}

fn found<'a>(judgement: &'a Judgement<'_>) -> impl Iterator<Item = &'a Cause> {
    judgement
        .judged
        .iter()
        .flat_map(|judged| &judged.causes)
        .filter(|cause| cause.status != CauseStatus::Possible)
}

fn in_launch_order<'a>(judgement: &'a Judgement<'_>) -> Vec<&'a Cause> {
    let mut causes: Vec<&Cause> = found(judgement).collect();
    causes
        .sort_by_key(|cause| (is_side(&cause.stage), order(&judgement.progress, &cause.stage), cause.status));
    causes
}

fn repairs<'a>(judgement: &'a Judgement<'_>, cause: &Cause) -> impl Iterator<Item = &'a Repair> + use<'a> {
    let (fault, subjects) = key(cause);
    judgement.judged.iter().flat_map(move |judged| judged.repairs_for(&fault, &subjects))
}

fn key(cause: &Cause) -> Key {
    (cause.fault.clone(), cause.subjects.clone())
}

/// How far the launch gets after repairs, and what blocks then.
fn verified(after: &Judgement, repairs: &[&Repair]) -> Verified {
    let next = in_launch_order(after).into_iter().find(|cause| !is_side(&cause.stage));
    let mut assumes: Vec<&str> = repairs.iter().filter_map(|repair| repair.assumes.as_deref()).collect();
    assumes.dedup();
    Verified {
        reaches: next.map_or_else(
            || Stage::Response.id().to_owned(),
            |next| before_stage(&after.progress, &next.stage),
        ),
        next_blocker: next.map(|cause| cause.fault.clone()),
        assumes: (!assumes.is_empty()).then(|| assumes.join("; ")),
    }
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
