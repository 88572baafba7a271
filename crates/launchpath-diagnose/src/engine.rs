//! The engine: world in, diagnosis out.
//!
//! Order: traces and failures along the chain, every check, judgement of each finding against the traces, ranking, proof of
//! each repair, probes, comparison, timeline. A check that crashes becomes a visible warning and never reads as a pass.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use launchpath_model::{EvidenceId, Outcome, World};

use crate::case::{ArtifactKind, Case, Mode, Platform};
use crate::chain::{Progress, Stage, Strength, assess};
use crate::diagnosis::{
    Cause, CauseStatus, Diagnosis, EvidenceRecord, Missing, RuledOut, RuntimeSummary, SCHEMA_VERSION, Saying,
    Undecided, Verdict, Warning,
};
use crate::faults::{self, Check, Context, Fault};
use crate::paths::KnownPaths;
use crate::rank::{Judged, Standing, rank};
use crate::{beliefs, comparison, paths, plan, probe, subject, timeline, traps};

/// Diagnoses the world's subject.
pub fn diagnose(world: &World) -> Diagnosis {
    diagnose_sharing(world, &KnownPaths::default())
}

fn diagnose_sharing(world: &World, shared: &KnownPaths) -> Diagnosis {
    let judgement = judge(world, shared);
    let mut diagnosis = assemble(world, &judgement);
    plan::prove(world, shared, &judgement, &mut diagnosis);
    diagnosis
}

/// Diagnoses every runtime that the world describes, in the order of their ids: each by the calls about it and those about nobody
/// in particular. What they share of the network is walked once. They are not compared with each other.
pub fn diagnose_all(world: &World) -> Vec<Diagnosis> {
    let shared = KnownPaths::default();
    world.per_runtime().iter().map(|world| diagnose_sharing(world, &shared)).collect()
}

/// Everything decided about one world, before it is put into words.
pub(crate) struct Judgement<'a> {
    case: Case<'a>,
    pub(crate) progress: Progress,
    pub(crate) judged: Vec<Judged>,
    comparison: Option<comparison::Compared>,
    crashed: Vec<(&'static str, String)>,
}

pub(crate) fn judge<'a>(world: &'a World, shared: &'a KnownPaths) -> Judgement<'a> {
    let case = Case::sharing(world, shared);
    let progress = assess(&case);
    let mut crashed = Vec::new();
    let mut judged = Vec::new();
    for fault in faults::all() {
        let context = Context { case: &case, progress: &progress };
        // INVARIANT: a check that panics never stops the others (ARCHITECTURE.md, invariant 9).
        match catch_unwind(AssertUnwindSafe(|| (fault.check)(&context))) {
            Ok(check) => judged.push(standing(fault, check, &progress)),
            Err(panic) => crashed.push((fault.code, panic_text(panic.as_ref()))),
        }
    }
    let comparison = comparison::with_another(&case);
    rank(&case, &progress, comparison.as_ref(), &mut judged);
    Judgement { case, progress, judged, comparison, crashed }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}

/// Holds a check's answer against the traces.
fn standing(fault: &'static Fault, check: Check, progress: &Progress) -> Judged {
    let standing = match check {
        Check::Found(findings) => {
            let (held, refuted): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| {
                let stage = finding.stage.unwrap_or(fault.stage);
                stage.is_side() || progress.trace_at_or_beyond(stage).is_none()
            });
            match (held.is_empty(), refuted.first()) {
                (true, Some(finding)) => {
                    let stage = finding.stage.unwrap_or(fault.stage);
                    refutation(stage, progress, finding.evidence())
                }
                (true, None) => Standing::NotApplicable,
                (false, _) => Standing::Found(held),
            }
        }
        Check::RuledOut(proof) => {
            Standing::RuledOut { because: proof.because().to_owned(), evidence: proof.evidence().to_vec() }
        }
        Check::Unknown(gaps) => match direct_trace(fault.stage, progress) {
            Some((because, evidence)) => Standing::RuledOut { because, evidence },
            None => Standing::Unknown(gaps),
        },
        Check::NotApplicable(_) => Standing::NotApplicable,
    };
    Judged { fault, standing, causes: Vec::new() }
}

/// A found fault that a trace beyond its stage refutes, whatever the configuration looks like.
fn refutation(stage: Stage, progress: &Progress, mut evidence: Vec<EvidenceId>) -> Standing {
    let trace = progress.trace_at_or_beyond(stage);
    let text = trace.map(|t| format!("«{}» was passed: {}", stage.title(), t.text)).unwrap_or_default();
    evidence.extend(trace.map(|t| t.evidence.clone()).unwrap_or_default());
    evidence.sort();
    evidence.dedup();
    Standing::RuledOut { because: format!("the configuration looks like it, but {text}"), evidence }
}

/// A direct trace of the fault's own stage or beyond: what was not looked at cannot be the cause all the same.
///
/// What follows only from a state ("READY means …") does not rule out a fault nobody looked at.
fn direct_trace(stage: Stage, progress: &Progress) -> Option<(String, Vec<EvidenceId>)> {
    if stage.is_side() || stage < Stage::VpcValidation {
        // Up to acceptance what was checked then may have changed since (a tag, a policy): the check itself must say.
        return None;
    }
    let from = progress.position(stage)?;
    // A later call says nothing about who made the network, or with which rights: look only on the fault's own side of READY.
    let ready = progress.position(Stage::Ready).unwrap_or(usize::MAX);
    let to = if from < ready { ready } else { usize::MAX };
    let mut direct = progress
        .order
        .iter()
        .enumerate()
        .filter(|(at, s)| (from..to).contains(at) && !s.is_side())
        .flat_map(|(_, s)| progress.traces.get(s).into_iter().flatten())
        .filter(|trace| trace.strength == Strength::Direct);
    let trace = direct.next()?;
    Some((format!("«{}» was passed: {}", stage.title(), trace.text), trace.evidence.clone()))
}

fn assemble(world: &World, judgement: &Judgement) -> Diagnosis {
    let Judgement { case, progress, judged, comparison, crashed } = judgement;
    let mut causes: Vec<Cause> = judged.iter().flat_map(|j| j.causes.clone()).collect();
    causes.sort_by(|a, b| {
        a.status
            .cmp(&b.status)
            .then_with(|| is_side(&a.stage).cmp(&is_side(&b.stage)))
            .then_with(|| order(progress, &a.stage).cmp(&order(progress, &b.stage)))
            .then_with(|| b.probability.total_cmp(&a.probability))
            .then_with(|| a.fault.cmp(&b.fault))
    });
    // Suspects are ordered by probability alone; what is found, by where it bites.
    let found = causes.iter().take_while(|cause| cause.status != CauseStatus::Possible).count();
    causes[found..]
        .sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.fault.cmp(&b.fault)));
    let blocked = blocked_stages(&causes);
    let (causes, also_blocking) = split(causes, progress);
    let verdict = verdict(progress, &causes, judged);
    let mut warnings: Vec<Warning> = subject::warning(case).into_iter().collect();
    warnings.extend(traps::warnings(case, progress, judged));
    warnings.extend(crashed.iter().map(|(code, text)| Warning {
        code: "check.crashed".to_owned(),
        title: format!("the check of {code} crashed"),
        text: format!("its fault is not decided; please report this: {text}"),
        evidence: Vec::new(),
        command: None,
    }));
    let mut ruled_out: Vec<RuledOut> = judged.iter().filter_map(ruled_out).collect();
    ruled_out.extend(beliefs::refuted(case, progress));
    let unknown: Vec<Undecided> = judged.iter().filter_map(undecided).collect();
    let broken = progress.broken(&blocked);
    let mut diagnosis = Diagnosis {
        schema_version: SCHEMA_VERSION,
        runtime: summary_of_runtime(case),
        reference_time: world.collected_at,
        verdict,
        summary: String::new(),
        chain: progress.chain(&blocked),
        broken,
        next_probes: probe::probes(case, progress, &causes, &unknown),
        causes,
        also_blocking,
        plans: Vec::new(),
        warnings,
        ruled_out,
        unknown,
        paths: paths::plain::plain(case),
        timeline: timeline::timeline(case),
        comparison: comparison.as_ref().map(|compared| compared.plain.clone()),
        statements: world
            .statements
            .iter()
            .map(|s| Saying { by: s.by.clone(), text: s.text.clone(), evidence: vec![s.evidence.clone()] })
            .collect(),
        evidence: world.evidence.values().map(|call| record(call)).collect(),
    };
    diagnosis.summary = summary(&diagnosis, progress);
    diagnosis
}

pub(crate) fn order(progress: &Progress, stage: &str) -> usize {
    Stage::from_id(stage).and_then(|stage| progress.position(stage)).unwrap_or(usize::MAX)
}

fn blocked_stages(causes: &[Cause]) -> BTreeMap<Stage, (String, Vec<EvidenceId>)> {
    let mut blocked = BTreeMap::new();
    for cause in causes.iter().filter(|cause| cause.status == CauseStatus::Confirmed) {
        let Some(stage) = Stage::from_id(&cause.stage) else { continue };
        let mut evidence: Vec<EvidenceId> = cause.because.iter().flat_map(|b| b.evidence.clone()).collect();
        evidence.sort();
        evidence.dedup();
        let why = cause.because.first().map_or(cause.title.clone(), |line| line.text.clone());
        blocked.entry(stage).or_insert_with(|| (why, evidence));
    }
    blocked
}

/// The primary cause and its rivals on one side, what would block next on the other.
fn split(causes: Vec<Cause>, progress: &Progress) -> (Vec<Cause>, Vec<Cause>) {
    // What only blinds us does not explain a break on the path: it is said beside.
    let called = progress.first_failed().is_some()
        || progress.first_reported().is_some()
        || progress.traces.contains_key(&Stage::Response);
    let (side, causes): (Vec<Cause>, Vec<Cause>) = causes.into_iter().partition(|cause| {
        let after = cause.stage == Stage::Lifecycle.id();
        (called || after) && cause.status != CauseStatus::Possible && is_side(&cause.stage)
    });
    let Some(first) = causes.first().filter(|cause| cause.status != CauseStatus::Possible).cloned() else {
        return (causes, side);
    };
    let confirmed = first.status == CauseStatus::Confirmed;
    let mut main = Vec::new();
    let mut also = Vec::new();
    for (at, mut cause) in causes.into_iter().enumerate() {
        cause.primary = at == 0;
        let later = order(progress, &cause.stage) > order(progress, &first.stage);
        match cause.status {
            // A suspect beside a confirmed cause explains nothing any more.
            CauseStatus::Possible if confirmed => {}
            // Another proven fault blocks as well, at the same stage or later; a side stage never blocks.
            CauseStatus::Confirmed | CauseStatus::Likely if at > 0 && (confirmed || later) => {
                also.push(cause);
            }
            _ => main.push(cause),
        }
    }
    if confirmed {
        for cause in &mut main {
            cause.probability = 1.0;
        }
    }
    also.extend(side);
    (main, also)
}

fn verdict(progress: &Progress, causes: &[Cause], judged: &[Judged]) -> Verdict {
    if causes.iter().any(|cause| cause.status == CauseStatus::Confirmed && !is_side(&cause.stage)) {
        return Verdict::Blocked;
    }
    if progress.traces.contains_key(&Stage::Response) {
        return Verdict::Launches;
    }
    let undecided = judged.iter().any(|j| matches!(j.standing, Standing::Unknown(_)));
    let fails = progress.first_failed().is_some();
    if causes.is_empty() && !undecided && fails { Verdict::NoFaultFound } else { Verdict::Undecided }
}

fn ruled_out(judged: &Judged) -> Option<RuledOut> {
    let Standing::RuledOut { because, evidence } = &judged.standing else { return None };
    Some(RuledOut {
        fault: judged.fault.code.to_owned(),
        title: judged.fault.title.to_owned(),
        because: because.clone(),
        evidence: evidence.clone(),
    })
}

fn undecided(judged: &Judged) -> Option<Undecided> {
    let Standing::Unknown(gaps) = &judged.standing else { return None };
    let missing = gaps.iter().map(|gap| Missing {
        evidence: gap.what.clone(),
        reason: gap.reason_text(),
        command: gap.command.clone(),
        calls: gap.evidence.clone(),
    });
    Some(Undecided {
        fault: judged.fault.code.to_owned(),
        title: judged.fault.title.to_owned(),
        missing: missing.collect(),
    })
}

fn record(evidence: &launchpath_model::Evidence) -> EvidenceRecord {
    EvidenceRecord {
        id: evidence.id.clone(),
        service: evidence.service.clone(),
        operation: evidence.operation.clone(),
        at: evidence.at,
        outcome: evidence.outcome,
        error: evidence.error.clone().filter(|_| evidence.outcome != Outcome::Ok),
        command: evidence.command(),
    }
}

fn summary_of_runtime(case: &Case) -> RuntimeSummary {
    let runtime = case.runtime();
    let mode = case.combination.mode.map(|mode| if mode == Mode::Vpc { "VPC" } else { "PUBLIC" }.to_owned());
    let platform = if case.combination.platform == Platform::V2 { "V2" } else { "V1" };
    let artifact = match case.combination.artifact {
        ArtifactKind::Container => runtime.and_then(|r| r.container_uri()).map(str::to_owned),
        ArtifactKind::CodeZip => runtime
            .and_then(|r| r.code())
            .and_then(|c| c.code.as_ref()?.s3.clone())
            .map(|s3| format!("s3://{}/{}", s3.bucket.unwrap_or_default(), s3.prefix.unwrap_or_default())),
        ArtifactKind::Unknown => None,
    };
    RuntimeSummary {
        arn: runtime.and_then(|r| r.agent_runtime_arn.clone()),
        id: case.id.as_ref().map(ToString::to_string),
        name: runtime.and_then(|r| r.agent_runtime_name.clone()),
        account: case.world.account.as_ref().map(ToString::to_string),
        region: case.world.region.as_ref().map(ToString::to_string),
        network_mode: mode,
        platform_version: runtime
            .filter(|_| case.combination.platform_assumed.is_none())
            .map(|_| platform.to_owned()),
        protocol: runtime.map(|_| case.combination.protocol.to_string()),
        artifact,
        status: case.status().map(ToString::to_string),
        endpoint: Some(case.endpoint.clone()),
    }
}

fn summary(diagnosis: &Diagnosis, progress: &Progress) -> String {
    if let Some(primary) = diagnosis.primary() {
        let first = primary.because.first().map(|b| b.text.clone()).unwrap_or_default();
        let word = if is_side(&primary.stage) {
            "Nothing stops the launch, but its log will stay empty"
        } else if primary.status == CauseStatus::Confirmed {
            "The launch is blocked"
        } else {
            "The launch is probably blocked"
        };
        return format!("{word}: {}", headline(&first));
    }
    match diagnosis.verdict {
        Verdict::Launches => {
            format!("The runtime launches: an invocation was answered{}.", beside(diagnosis))
        }
        Verdict::NoFaultFound => {
            "It fails, and everything the customer controls was seen and holds: a support case is due."
                .to_owned()
        }
        _ => match &diagnosis.broken {
            Some(broken) => {
                let suspects = diagnosis.causes.len();
                let areas = areas(&diagnosis.causes);
                let lead = if suspects == 0 {
                    String::new()
                } else {
                    let noun = if suspects == 1 { "suspect" } else { "suspects" };
                    format!("; {suspects} {noun}: {areas}")
                };
                format!("Undecided: {}{lead}.", broken.note)
            }
            None if progress.last_reached().is_none() => {
                "Undecided: the runtime was not seen, so nothing can be said about its launch.".to_owned()
            }
            None => "Nothing found that would stop the launch; no trace proves an answer.".to_owned(),
        },
    }
}

/// What is wrong beside a launch that succeeds.
fn beside(diagnosis: &Diagnosis) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for cause in &diagnosis.also_blocking {
        if !codes.contains(&cause.fault.as_str()) {
            codes.push(&cause.fault);
        }
    }
    if codes.is_empty() { String::new() } else { format!("; wrong beside it: {}", codes.join(", ")) }
}

/// The first line of a reason as the end of a sentence. What a process printed may be of any length; the whole stands with the
/// cause.
fn headline(reason: &str) -> String {
    const MOST: usize = 240;
    let line = reason.lines().next().unwrap_or_default().trim_end().trim_end_matches('.');
    if line.chars().count() <= MOST {
        return format!("{line}.");
    }
    let cut: String = line.chars().take(MOST).collect();
    // At a word's end, unless that leaves next to nothing.
    let end = cut.rfind(' ').filter(|end| *end > MOST / 4).unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end())
}

/// The areas of the most probable suspects, in words.
fn areas(causes: &[Cause]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for cause in causes.iter().take(3) {
        let name = match cause.fault.split('.').next().unwrap_or_default() {
            "app" | "contract" | "image" => "image and application",
            "net" => "network",
            "iam" => "permissions",
            "logs" => "logging",
            _ => "service",
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [] => String::new(),
        [first] => format!("{first} first"),
        [first, rest @ ..] => format!("{first} first, then {}", rest.join(", then ")),
    }
}

pub(crate) fn is_side(stage: &str) -> bool {
    Stage::from_id(stage).is_some_and(Stage::is_side)
}

pub(crate) fn before_stage(progress: &Progress, stage: &str) -> String {
    let at = order(progress, stage);
    let before = progress.order.iter().take(at).rfind(|stage| !stage.is_side());
    before.map_or_else(|| "nothing".to_owned(), |stage| stage.id().to_owned())
}

#[cfg(test)]
mod tests {
    use super::headline;

    #[test]
    fn a_headline_is_one_line_with_one_stop_and_an_end() {
        assert_eq!(headline("it failed.\nTraceback"), "it failed.");
        let long = headline(&format!("the process died of ValueError: {}", "x".repeat(500_000)));
        assert!(long.chars().count() <= 241 && long.ends_with('…'), "{long}");
        let words = headline(&"word ".repeat(200));
        assert!(words.ends_with("word…") && words.chars().count() < 245, "{words}");
    }
}
