//! Comparison with another launch: what differs, in launch order, and whether a difference can explain the outcome.
//!
//! Inside a diagnosis the other launch is the runtime asked for (`--against`) or any other of the input that provably works.
//! [`compare`] takes any two: runtimes, endpoints, versions, or the same runtime in two bundles. A difference explains
//! nothing where the launch got past the stage it bites, or where it makes no difference in effect (other groups, and every
//! path open all the same): both are said. What is known of one side only is not compared, and that is said too.
//!
//! What it is not: a diagnosis. It judges no runtime; start with [`contrast`], the aspects are in [`aspect`].

mod aspect;

use std::collections::BTreeSet;

use launchpath_model::aws::agentcore::Runtime;
use launchpath_model::ids::RuntimeId;
use launchpath_model::world::{DEFAULT_ENDPOINT, Invocation};
use launchpath_model::{EvidenceId, World};

use crate::case::Case;
use crate::chain::{Progress, Stage, assess};
use crate::diagnosis::{Comparison, Contrast, Difference, NotCompared, SCHEMA_VERSION, Side};
use crate::engine::diagnose;
use aspect::{Aspect, Seen};

/// The comparison, with what ranking needs of it.
pub(crate) struct Compared {
    pub(crate) plain: Comparison,
    pub(crate) image_differs: bool,
    pub(crate) role_same: bool,
}

/// Compares with the runtime asked for, else with one that works; `None` when there is neither.
pub(crate) fn with_another(case: &Case) -> Option<Compared> {
    let here = case.runtime()?;
    let works_here = case.latest_invocation().is_some_and(Invocation::was_answered);
    let wanted = case.world.subject.against.as_deref();
    if works_here && wanted.is_none() {
        return None; // It works itself: nothing to explain.
    }
    let others = case.world.runtimes.iter().filter(|(id, _)| Some(*id) != case.id.as_ref());
    let named = |id: &RuntimeId, runtime: &Runtime| {
        wanted.is_none_or(|wanted| {
            id.as_str() == wanted
                || runtime.agent_runtime_name.as_deref() == Some(wanted)
                || runtime.agent_runtime_arn.as_deref() == Some(wanted)
        })
    };
    others.filter(|(id, row)| named(id, &row.value)).find_map(|(id, row)| {
        let other = Case::of(case.world, Some(id.clone()), DEFAULT_ENDPOINT.to_owned());
        if working(&other).is_none() && wanted.is_none() {
            return None;
        }
        let plain = contrast(case, &other);
        let differs = |what: &str| plain.differences.iter().any(|difference| difference.what == what);
        let image_differs = differs(aspect::IMAGE);
        let role_same = here.role_arn.is_some() && here.role_arn == row.value.role_arn;
        Some(Compared { plain, image_differs, role_same })
    })
}

/// Compares the subjects of two worlds: `here` is the outcome to be explained.
pub fn compare(here: &World, there: &World) -> Contrast {
    let side = |world: &World| {
        let diagnosis = diagnose(world);
        Side { runtime: diagnosis.runtime, verdict: diagnosis.verdict, summary: diagnosis.summary }
    };
    Contrast {
        schema_version: SCHEMA_VERSION,
        here: side(here),
        there: side(there),
        comparison: contrast(&Case::new(here), &Case::new(there)),
    }
}

/// The world in which the subject is an older version of itself; `None` when that version was not described.
pub fn at_version(world: &World, version: &str) -> Option<World> {
    let id = world.subject_id()?;
    let row = world.runtime_versions.seen(&(id.clone(), version.to_owned()))?;
    row.value.agent_runtime_artifact.as_ref()?;
    let mut older = world.clone();
    let evidence = row.evidence.clone();
    older.runtimes.remove(&id);
    for call in evidence {
        older.runtimes.insert(id.clone(), row.value.clone(), call);
    }
    Some(older)
}

/// Compares two launches.
fn contrast(here: &Case, there: &Case) -> Comparison {
    let progress = assess(here);
    let mut differences = Vec::new();
    let mut same = Vec::new();
    let mut not_compared = Vec::new();
    for (a, b) in aspect::all(here).into_iter().zip(aspect::all(there)) {
        let (x, y) = match (&a.seen, &b.seen) {
            (Seen::Unknown(why), _) => {
                not_compared.push(not_known(&a, "here", why));
                continue;
            }
            (_, Seen::Unknown(why)) => {
                not_compared.push(not_known(&a, "there", why));
                continue;
            }
            (Seen::Set(x), Seen::Set(y)) => (only(x, y), only(y, x)),
            (Seen::Value(x), Seen::Value(y)) => (x.clone(), y.clone()),
            // Another mode has none of it; the mode itself is compared.
            _ => continue,
        };
        if x == y {
            if x != aspect::NONE {
                same.push(a.what.to_owned());
            }
            continue;
        }
        let (explains, explains_not) = judgement(&a, &b, &progress);
        differences.push(Difference {
            what: a.what.to_owned(),
            here: x,
            there: y,
            explains,
            explains_not,
            stage: a.bites.first().map(|stage| stage.id().to_owned()),
            evidence: a.evidence,
            evidence_there: b.evidence,
        });
    }
    let (works_because, evidence) =
        working(there).unwrap_or_else(|| ("nothing proves that it works".to_owned(), Vec::new()));
    let same_world = std::ptr::eq(here.world, there.world);
    let mut all = evidence;
    all.extend(there.runtime_evidence());
    if same_world {
        all.extend(here.runtime_evidence());
    }
    all.sort();
    all.dedup();
    Comparison {
        with: there.id.as_ref().map(ToString::to_string).unwrap_or_default(),
        works_because,
        evidence: all,
        differences,
        same,
        not_compared,
    }
}

/// What one side has and the other has not.
fn only(of: &BTreeSet<String>, not_of: &BTreeSet<String>) -> String {
    let own: Vec<&str> = of.difference(not_of).map(String::as_str).collect();
    if own.is_empty() { "nothing of its own".to_owned() } else { own.join(", ") }
}

fn not_known(aspect: &Aspect, side: &str, why: &str) -> NotCompared {
    NotCompared { what: aspect.what.to_owned(), why: format!("not known {side}: {why}") }
}

/// Whether a difference can explain how the launch ends here, and if not, why not; neither where nothing shows a break.
fn judgement(a: &Aspect, b: &Aspect, progress: &Progress) -> (Option<String>, Option<String>) {
    let fails = progress.first_failed().or_else(|| progress.first_reported());
    let Some(failed) = fails else { return (None, None) };
    if let (Some(x), Some(y)) = (&a.effect, &b.effect)
        && x == y
        && progress.position(failed) >= progress.position(a.effect_from)
    {
        return (None, Some(format!("it makes no difference in effect: {x} on both sides")));
    }
    if a.bites.is_empty() {
        return (None, Some("it does not bear on the launch".to_owned()));
    }
    if a.bites.iter().any(|stage| progress.in_break(*stage)) {
        return (Some(a.meaning.to_owned()), None);
    }
    // A side stage has no place in the break; its difference explains silence, not the failure.
    if a.bites.iter().all(|stage| stage.is_side()) {
        return (None, Some("it bears on the log, not on the answer".to_owned()));
    }
    let passed = a.bites.iter().rev().find_map(|stage| {
        let trace = progress.trace_at_or_beyond(*stage)?;
        Some(format!("«{}» was passed here: {}", stage.title(), trace.text))
    });
    let beyond = || {
        let first = a.bites.iter().find(|stage| progress.position(**stage).is_some())?;
        (progress.position(*first) > progress.position(failed))
            .then(|| format!("it bites at «{}», after the break", first.title()))
    };
    (None, passed.or_else(beyond).or_else(|| Some("its stage is not part of this launch".to_owned())))
}

/// Whether a runtime provably got as far as running its process, and the calls that show it.
fn working(other: &Case) -> Option<(String, Vec<EvidenceId>)> {
    let progress = assess(other);
    if progress.first_failed().is_some() {
        return None;
    }
    let stages = [Stage::Response, Stage::SessionHealth, Stage::Health, Stage::ProcessStart];
    let trace = stages.iter().find_map(|stage| progress.traces.get(stage)?.first())?;
    let when = trace.at.map(|at| format!(" at {at}")).unwrap_or_default();
    // READY on V2 proves a health check at build; only what was seen to run counts here.
    Some((format!("{}{when}", trace.text), trace.evidence.clone()))
}
