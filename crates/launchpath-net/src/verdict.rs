//! Adding up: the verdict over parts, aims and alternatives.

use std::sync::Arc;

use launchpath_model::{EvidenceId, Gap, GapReason};

use crate::answer::{Answer, Blocker, BlockerKind, Outcome, Part, Verdict};
use crate::destination::Aim;
use crate::span::{Span, subtract_all};

/// What walking one alternative gave.
pub(crate) struct Outcomes {
    pub(crate) verdict: Verdict,
    pub(crate) parts: Vec<Part>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) assumed: Vec<Gap>,
}

/// The verdict over the parts of one aim.
pub(crate) fn verdict_of(parts: &[Part], aim: &Aim) -> (Verdict, Vec<Gap>) {
    let of = |outcome| parts.iter().filter(move |part| part.outcome == outcome);
    let delivered = of(Outcome::Delivered).next().is_some();
    let blocked = of(Outcome::Blocked).next().is_some();
    let unknown: Vec<Gap> = of(Outcome::Unknown).flat_map(|part| part.gaps.iter().cloned()).collect();
    match (delivered, blocked, unknown.is_empty()) {
        (_, _, false) => (Verdict::Unknown, unknown),
        (true, false, true) => (Verdict::All, Vec::new()),
        (false, _, true) => (Verdict::None, Vec::new()),
        (true, true, true) if aim.one_of => {
            // The packets differ by an address we do not know: which part is meant is unknown.
            let reached = destinations(of(Outcome::Delivered));
            let lost = destinations(of(Outcome::Blocked));
            let covers =
                |spans: &[Span<u128>]| subtract_all(aim.addresses.clone(), spans.iter().copied()).is_empty();
            if covers(&reached) && covers(&lost) {
                return (Verdict::Part, Vec::new());
            }
            let gap = Gap {
                what: format!("which address {} has", aim.what),
                reason: GapReason::NotAsked,
                evidence: Vec::new(),
                command: Some(aim.address_command()),
            };
            (Verdict::Unknown, vec![gap])
        }
        (true, true, true) => (Verdict::Part, Vec::new()),
    }
}

pub(crate) fn destinations<'p>(parts: impl Iterator<Item = &'p Part>) -> Vec<Span<u128>> {
    parts.flat_map(|part| part.packets.cubes().iter().map(|cube| cube.destination)).collect()
}

/// The verdict over several aims, each of which the sender may pick.
pub(crate) fn combine(verdicts: &[Verdict]) -> Verdict {
    if verdicts.contains(&Verdict::Unknown) {
        return Verdict::Unknown;
    }
    let all = verdicts.iter().all(|v| *v == Verdict::All);
    let none = verdicts.iter().all(|v| *v == Verdict::None);
    match (all && !verdicts.is_empty(), none) {
        (true, _) => Verdict::All,
        (false, true) => Verdict::None,
        (false, false) => Verdict::Part,
    }
}

pub(crate) fn add_up(
    outcomes: Vec<(Vec<Gap>, Outcomes)>,
    mut assumed: Vec<Gap>,
    hidden_zone: Option<Gap>,
    refused_wherever: impl FnOnce() -> bool,
) -> Answer {
    let first = outcomes.first().map_or(Verdict::Unknown, |(_, one)| one.verdict);
    let agree = outcomes.iter().all(|(_, one)| one.verdict == first);
    let mut unknown: Vec<Gap> = Vec::new();
    let mut verdict = first;
    if !agree {
        verdict = Verdict::Unknown;
        unknown.extend(outcomes.iter().flat_map(|(depends_on, _)| depends_on.iter().cloned()));
    }
    let mut parts = Vec::new();
    for (_, one) in outcomes {
        unknown.extend(one.gaps);
        assumed.extend(one.assumed);
        parts.extend(one.parts);
    }
    // A private zone that nobody listed could lead the name somewhere that is not blocked: not when no resolver answers, and
    // not when the source reaches nothing at all.
    let unanswered = |part: &Part| part.blockers.iter().any(|b| b.kind == BlockerKind::DnsNoAnswer);
    if let (Verdict::None, Some(gap)) = (verdict, hidden_zone)
        && !parts.iter().all(unanswered)
        && !refused_wherever()
    {
        verdict = Verdict::Unknown;
        unknown.push(gap);
    }
    if verdict != Verdict::Unknown {
        unknown.clear();
    }
    let mut blocked_by: Vec<Arc<Blocker>> = Vec::new();
    let mut evidence: Vec<EvidenceId> = Vec::new();
    for part in &parts {
        for blocker in &part.blockers {
            if !blocked_by.contains(blocker) {
                blocked_by.push(blocker.clone());
            }
        }
        for id in part
            .trace
            .iter()
            .flat_map(|hop| &hop.evidence)
            .chain(part.blockers.iter().flat_map(|b| &b.evidence))
        {
            // Few ids: looking is cheaper than sorting many copies.
            if !evidence.contains(id) {
                evidence.push(id.clone());
            }
        }
    }
    evidence.sort();
    dedup_gaps(&mut unknown);
    dedup_gaps(&mut assumed);
    Answer { verdict, parts, blocked_by, unknown, assumed, evidence }
}

pub(crate) fn dedup_gaps(gaps: &mut Vec<Gap>) {
    let mut seen: Vec<Gap> = Vec::with_capacity(gaps.len());
    for gap in gaps.drain(..) {
        if !seen.contains(&gap) {
            seen.push(gap);
        }
    }
    *gaps = seen;
}

pub(crate) fn undecided(gap: Gap) -> Answer {
    Answer {
        verdict: Verdict::Unknown,
        parts: Vec::new(),
        blocked_by: Vec::new(),
        evidence: gap.evidence.clone(),
        unknown: vec![gap],
        assumed: Vec::new(),
    }
}
