//! What the formats for people select and group, so that text and Markdown tell the same story.
//!
//! Nothing here is a new fact: each function answers with parts of the diagnosis, in another order.

use launchpath_model::{EvidenceId, Outcome};

use crate::diagnosis::{
    Because, Cause, ChainStage, Comparison, Diagnosis, EvidenceRecord, Fix, Plan, RuledOut, StageState,
    Undecided, Verdict,
};
use crate::wording;

/// What would stop the launch once the first cause is mended.
pub(crate) fn blocking_next(diagnosis: &Diagnosis) -> Vec<&Cause> {
    diagnosis.also_blocking.iter().filter(|cause| !cause.is_beside()).collect()
}

/// What stops no launch and hurts: a log that stays empty, sessions that end too soon.
pub(crate) fn beside(diagnosis: &Diagnosis) -> Vec<&Cause> {
    diagnosis.also_blocking.iter().filter(|cause| cause.is_beside()).collect()
}

/// The stage's title, or its name when the chain has no such stage.
pub(crate) fn stage_title(diagnosis: &Diagnosis, stage: &str) -> String {
    let known = diagnosis.chain.iter().find(|known| known.stage == stage);
    known.map_or_else(|| stage.to_owned(), |known| known.title.clone())
}

/// How the engine's sentence begins where it stands alone; beside the verdict it would be said twice.
const ECHOES: [&str; 3] = ["Undecided: ", "The launch is blocked: ", "The launch is probably blocked: "];

/// The engine's sentence as it stands beside the verdict.
pub(crate) fn bare(summary: &str) -> String {
    wording::capital(ECHOES.iter().find_map(|echo| summary.strip_prefix(echo)).unwrap_or(summary))
}

/// The answer in one sentence: the engine's, else what the members say.
pub(crate) fn headline(diagnosis: &Diagnosis) -> String {
    let summary = diagnosis.summary.trim();
    if !summary.is_empty() {
        return bare(summary);
    }
    if let Some(cause) = diagnosis.primary() {
        return cause.title.clone();
    }
    match (diagnosis.verdict, &diagnosis.broken) {
        (Verdict::Launches, _) => "a trace proves an answer".to_owned(),
        (_, Some(_)) => {
            format!("breaks {}; {}", interval(diagnosis), wording::count(diagnosis.causes.len(), "suspect"))
        }
        (Verdict::NoFaultFound, None) => "all that you control was seen and holds".to_owned(),
        _ => wording::count(diagnosis.causes.len(), "suspect"),
    }
}

/// The break in words: `between A and B`.
pub(crate) fn interval(diagnosis: &Diagnosis) -> String {
    let Some(broken) = &diagnosis.broken else { return String::new() };
    let title = |stage: &String| stage_title(diagnosis, stage);
    match (&broken.last_reached, &broken.first_unreached) {
        (Some(last), Some(first)) => format!("between {} and {}", title(last), title(first)),
        (Some(last), None) => format!("after {}", title(last)),
        (None, Some(first)) => format!("before or at {}", title(first)),
        (None, None) => "somewhere".to_owned(),
    }
}

/// The break as the engine words it, else its interval.
pub(crate) fn break_note(diagnosis: &Diagnosis) -> String {
    match diagnosis.broken.as_ref().map(|broken| broken.note.trim()) {
        None => String::new(),
        Some("") => format!("the launch breaks {}", interval(diagnosis)),
        Some(note) => note.to_owned(),
    }
}

/// What the reader is to do, in one line, with what kind of step it is.
pub(crate) fn first_step(diagnosis: &Diagnosis) -> Option<(&'static str, String)> {
    if let Some(fix) = primary_fix(diagnosis) {
        return Some(("Fix", fix.summary.clone()));
    }
    if let Some(probe) = diagnosis.next_probes.first() {
        return Some(("Next", probe.what.clone()));
    }
    (diagnosis.verdict == Verdict::NoFaultFound).then(|| ("Next", SUPPORT_ADVICE.to_owned()))
}

/// What follows when nothing is left on the customer's side.
pub(crate) const SUPPORT_ADVICE: &str =
    "open an AWS Support case and attach this diagnosis: what it rules out need not be asked again";

/// The repair of the cause to mend first.
pub(crate) fn primary_fix(diagnosis: &Diagnosis) -> Option<&Fix> {
    diagnosis.primary().and_then(|cause| cause.fix.as_ref())
}

/// The safest plan and the others, where they say more than the primary cause's fix does.
pub(crate) fn plans(diagnosis: &Diagnosis) -> Option<(&Plan, &[Plan])> {
    let (first, others) = diagnosis.plans.split_first()?;
    (first.steps.len() > 1 || !others.is_empty()).then_some((first, others))
}

/// The line of reasoning that counts most for a cause, without what it quotes; its title where there is none.
pub(crate) fn strongest(cause: &Cause) -> &str {
    let heavier =
        |a: &&Because, b: &&Because| a.weight.total_cmp(&b.weight).then(std::cmp::Ordering::Greater);
    let strongest = cause.because.iter().max_by(heavier);
    strongest.map_or(&cause.title, |because| wording::split_quote(&because.text).0)
}

/// All causes but the primary one.
pub(crate) fn other_causes(diagnosis: &Diagnosis) -> Vec<&Cause> {
    let primary = diagnosis.primary().map(std::ptr::from_ref);
    diagnosis.causes.iter().filter(|cause| Some(std::ptr::from_ref(*cause)) != primary).collect()
}

/// The runtime's name, else its id, else its ARN.
pub(crate) fn runtime_name(diagnosis: &Diagnosis) -> &str {
    let runtime = &diagnosis.runtime;
    [&runtime.id, &runtime.name, &runtime.arn]
        .into_iter()
        .find_map(|name| name.as_deref())
        .unwrap_or("runtime not named in the evidence")
}

/// A line of the chain's picture.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChainRow<'a> {
    /// A stage, or neighbours of which nothing differs but the title; whether one of them may be
    /// the one that breaks.
    Stages { stages: Vec<&'a ChainStage>, inside: bool },
    /// The break.
    Break,
}

/// The chain without the stages that are not part of it, the break in its place.
pub(crate) fn chain_rows(diagnosis: &Diagnosis) -> Vec<ChainRow<'_>> {
    let stages: Vec<&ChainStage> =
        diagnosis.chain.iter().filter(|stage| stage.state != StageState::NotApplicable).collect();
    let position = |name: &Option<String>| {
        name.as_ref().and_then(|name| stages.iter().position(|stage| &stage.stage == name))
    };
    let broken = diagnosis.broken.as_ref();
    let last = broken.and_then(|broken| position(&broken.last_reached));
    let first = broken.and_then(|broken| position(&broken.first_unreached));
    let (start, end) = match (broken, last, first) {
        (None, ..) => (None, 0),
        (Some(_), Some(last), first) => (Some(last + 1), first.unwrap_or(stages.len()).max(last + 1)),
        (Some(broken), None, Some(first)) if broken.last_reached.is_none() => (Some(0), first),
        (Some(_), None, Some(first)) => (Some(first), first),
        (Some(_), None, None) => (Some(stages.len()), stages.len()),
    };
    // The first stage proven not reached may be the one that breaks; alone it needs no mark.
    let is_inside = |index: usize| start.is_some_and(|start| end > start && (start..=end).contains(&index));

    let mut rows = Vec::new();
    for index in 0..=stages.len() {
        if start == Some(index) {
            rows.push(ChainRow::Break);
        }
        if let Some(stage) = stages.get(index) {
            rows.push(ChainRow::Stages { stages: vec![stage], inside: is_inside(index) });
        }
    }
    rows
}

/// The rows with neighbours joined of which nothing differs but the title. What failed always stands alone.
pub(crate) fn join_runs(rows: Vec<ChainRow<'_>>) -> Vec<ChainRow<'_>> {
    fn key(stage: &ChainStage) -> (StageState, &str, &[EvidenceId], bool) {
        (stage.state, &stage.note, &stage.evidence, stage.side)
    }
    let mut joined: Vec<ChainRow<'_>> = Vec::new();
    for row in rows {
        match (joined.last_mut(), row) {
            (
                Some(ChainRow::Stages { stages: run, inside: run_inside }),
                ChainRow::Stages { stages, inside },
            ) if *run_inside == inside
                && key(run[0]) == key(stages[0])
                && !run[0].side
                && run[0].state != StageState::Failed =>
            {
                run.extend(stages);
            }
            (_, row) => joined.push(row),
        }
    }
    joined
}

/// The titles of the stages that are not part of this launch.
pub(crate) fn not_applicable(diagnosis: &Diagnosis) -> Vec<String> {
    let absent = diagnosis.chain.iter().filter(|stage| stage.state == StageState::NotApplicable);
    absent.map(|stage| stage.title.clone()).collect()
}

/// One missing piece of evidence and the faults that it leaves open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gap<'a> {
    pub(crate) evidence: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) command: Option<&'a str>,
    pub(crate) calls: &'a [EvidenceId],
    pub(crate) faults: Vec<&'a Undecided>,
}

/// What is missing, each piece once, what leaves most open first. Faults without a named gap come last.
pub(crate) fn gaps(diagnosis: &Diagnosis) -> Vec<Gap<'_>> {
    let mut gaps: Vec<Gap<'_>> = Vec::new();
    for fault in &diagnosis.unknown {
        let unnamed = Gap { evidence: "", reason: "", command: None, calls: &[], faults: Vec::new() };
        let named = fault.missing.iter().map(|missing| Gap {
            evidence: &missing.evidence,
            reason: &missing.reason,
            command: missing.command.as_deref(),
            calls: &missing.calls,
            faults: Vec::new(),
        });
        let named: Vec<Gap<'_>> = named.collect();
        for gap in if named.is_empty() { vec![unnamed] } else { named } {
            let same = |other: &&mut Gap<'_>| {
                (other.evidence, other.reason, other.command) == (gap.evidence, gap.reason, gap.command)
            };
            match gaps.iter_mut().find(same) {
                Some(known) if known.faults.iter().any(|known| known.fault == fault.fault) => {}
                Some(known) => known.faults.push(fault),
                None => gaps.push(Gap { faults: vec![fault], ..gap }),
            }
        }
    }
    gaps.sort_by_key(|gap| (gap.evidence.is_empty(), std::cmp::Reverse(gap.faults.len())));
    gaps
}

/// Faults that one observation rules out, together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refutation<'a> {
    pub(crate) because: &'a str,
    pub(crate) evidence: &'a [EvidenceId],
    pub(crate) faults: Vec<&'a RuledOut>,
}

/// What is ruled out: theories that people hold first, then in the engine's order, same reasons together.
pub(crate) fn refutations(diagnosis: &Diagnosis) -> Vec<Refutation<'_>> {
    let is_belief = |fault: &&RuledOut| fault.fault.starts_with("belief.");
    let beliefs = diagnosis.ruled_out.iter().filter(is_belief);
    let faults = diagnosis.ruled_out.iter().filter(|fault| !is_belief(fault));
    let mut groups: Vec<Refutation<'_>> = Vec::new();
    for fault in beliefs.chain(faults) {
        let same = |group: &&mut Refutation<'_>| {
            (group.because, group.evidence) == (fault.because.as_str(), fault.evidence.as_slice())
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.faults.push(fault),
            None => groups.push(Refutation {
                because: &fault.because,
                evidence: &fault.evidence,
                faults: vec![fault],
            }),
        }
    }
    groups
}

/// The failing invocations among the calls: the symptom.
pub(crate) fn failed_invocations(diagnosis: &Diagnosis) -> Vec<&EvidenceRecord> {
    let failed = |record: &&EvidenceRecord| {
        record.service == "bedrock-agentcore"
            && record.operation.starts_with("InvokeAgentRuntime")
            && record.outcome != Outcome::Ok
    };
    diagnosis.evidence.iter().filter(failed).collect()
}

/// The calls that were refused for lack of permission.
pub(crate) fn denied(diagnosis: &Diagnosis) -> Vec<EvidenceId> {
    let denied = diagnosis.evidence.iter().filter(|record| record.outcome == Outcome::Denied);
    denied.map(|record| record.id.clone()).collect()
}

/// Calls of one operation that were refused, and the faults that they leave open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) calls: Vec<EvidenceId>,
    pub(crate) faults: Vec<&'a str>,
}

/// The refused calls by operation, what leaves most open first. A call that leaves nothing open is among them.
pub(crate) fn refusals(diagnosis: &Diagnosis) -> Vec<Refusal<'_>> {
    let mut refusals: Vec<Refusal<'_>> = Vec::new();
    for record in diagnosis.evidence.iter().filter(|record| record.outcome == Outcome::Denied) {
        let (service, operation) = (record.service.as_str(), record.operation.as_str());
        match refusals.iter_mut().find(|known| (known.service, known.operation) == (service, operation)) {
            Some(known) => known.calls.push(record.id.clone()),
            None => refusals.push(Refusal {
                service,
                operation,
                calls: vec![record.id.clone()],
                faults: Vec::new(),
            }),
        }
    }
    for refusal in &mut refusals {
        let cites = |fault: &&Undecided| {
            fault.missing.iter().any(|missing| missing.calls.iter().any(|call| refusal.calls.contains(call)))
        };
        let open = diagnosis.unknown.iter().filter(cites).map(|fault| fault.fault.as_str());
        refusal.faults = open.collect();
    }
    refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.faults.len()));
    refusals
}

/// The refused calls that leave something open. A refused invocation is the symptom, not a gap.
pub(crate) fn open_refusals(diagnosis: &Diagnosis) -> Vec<Refusal<'_>> {
    let mut refusals = refusals(diagnosis);
    refusals.retain(|refusal| !refusal.faults.is_empty());
    refusals
}

/// The command that prints the permissions that were missing.
pub(crate) const PERMISSIONS: &str = "launchpath permissions";

/// Whether the other launch of a comparison provably got as far as running its process.
pub(crate) fn gets_further(comparison: &Comparison) -> bool {
    comparison.works_because != "nothing proves that it works"
}

/// The command that repeats a call; a person's statement has none.
pub(crate) fn repeats(record: &EvidenceRecord) -> Option<&str> {
    let command = record.command.trim();
    (!command.is_empty() && record.operation != "Statement").then_some(command)
}

#[cfg(test)]
mod tests {
    use launchpath_model::EvidenceId;

    use super::{ChainRow, chain_rows, gaps, join_runs, refutations};
    use crate::diagnosis::{Break, ChainStage, Diagnosis, Missing, RuledOut, StageState, Undecided};

    /// A chain written as one letter per stage: `R`eached, `F`ailed, `n`ot reached, `?`, `-` for not part of it,
    /// `s` for an unknown stage beside the path.
    fn diagnosis(chain: &str, last: Option<usize>, first: Option<usize>) -> Diagnosis {
        let empty = serde_json::json!({
            "schema_version": 1, "runtime": {}, "reference_time": null, "verdict": "undecided", "summary": "",
            "chain": [], "break": null, "causes": [], "also_blocking": [], "warnings": [], "ruled_out": [],
            "unknown": [], "next_probes": [], "timeline": [], "comparison": null, "statements": [], "evidence": []
        });
        let mut diagnosis: Diagnosis = serde_json::from_value(empty).unwrap();
        let stages = chain.chars().enumerate().map(|(index, letter)| ChainStage {
            stage: index.to_string(),
            title: index.to_string(),
            state: match letter {
                'R' => StageState::Reached,
                'F' => StageState::Failed,
                'n' => StageState::NotReached,
                '-' => StageState::NotApplicable,
                _ => StageState::Unknown,
            },
            evidence: Vec::new(),
            note: String::new(),
            side: letter == 's',
        });
        diagnosis.chain = stages.collect();
        diagnosis.broken = (last.is_some() || first.is_some()).then(|| Break {
            last_reached: last.map(|index| index.to_string()),
            first_unreached: first.map(|index| index.to_string()),
            note: String::new(),
        });
        diagnosis
    }

    /// The picture in one line: titles, `*` after those that may be the one that breaks, `X` for the break.
    fn picture(rows: &[ChainRow<'_>]) -> String {
        let row = |row: &ChainRow<'_>| match row {
            ChainRow::Break => "X".to_owned(),
            ChainRow::Stages { stages, inside } => {
                let titles: Vec<&str> = stages.iter().map(|stage| stage.title.as_str()).collect();
                format!("{}{}", titles.join("+"), if *inside { "*" } else { "" })
            }
        };
        rows.iter().map(row).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_break_stands_after_the_last_stage_reached() {
        for (chain, last, first, wanted) in [
            ("RRFn", Some(1), Some(2), "0 1 X 2 3"),
            ("RR??Fn", Some(1), Some(4), "0 1 X 2* 3* 4* 5"),
            ("R-?sF", Some(0), Some(4), "0 X 2* 3* 4*"),
            ("??F", None, Some(2), "X 0* 1* 2*"),
            ("RR??", Some(1), None, "0 1 X 2* 3*"),
            ("RRR", None, None, "0 1 2"),
            ("RRR", Some(9), Some(9), "0 1 2 X"),
            ("RRF", Some(2), Some(1), "0 1 2 X"),
        ] {
            assert_eq!(picture(&chain_rows(&diagnosis(chain, last, first))), wanted, "{chain}");
        }
    }

    #[test]
    fn neighbours_that_say_the_same_are_joined_and_failures_never() {
        let joined = |chain, last, first| picture(&join_runs(chain_rows(&diagnosis(chain, last, first))));
        assert_eq!(joined("RR??Fnn", Some(1), Some(4)), "0+1 X 2+3* 4* 5+6");
        assert_eq!(joined("FF", None, None), "0 1");
        assert_eq!(joined("?s?", None, None), "0 1 2");
    }

    fn missing(evidence: &str) -> Missing {
        Missing { evidence: evidence.into(), reason: "denied".into(), command: None, calls: Vec::new() }
    }

    #[test]
    fn what_is_missing_is_named_once_with_all_that_it_leaves_open() {
        let mut diagnosis = diagnosis("", None, None);
        let unknown = |fault: &str, missing: &[Missing]| Undecided {
            fault: fault.into(),
            title: String::new(),
            missing: missing.to_vec(),
        };
        diagnosis.unknown = vec![
            unknown("a", &[missing("one")]),
            unknown("b", &[missing("one"), missing("two"), missing("two")]),
            unknown("c", &[missing("two")]),
            unknown("d", &[missing("two")]),
            unknown("e", &[]),
        ];
        let shown: Vec<(&str, String)> = gaps(&diagnosis)
            .iter()
            .map(|gap| (gap.evidence, gap.faults.iter().map(|fault| fault.fault.as_str()).collect()))
            .collect();
        assert_eq!(shown, [("two", "bcd".to_owned()), ("one", "ab".to_owned()), ("", "e".to_owned())]);
    }

    #[test]
    fn one_observation_is_told_once_and_beliefs_come_first() {
        let mut diagnosis = diagnosis("", None, None);
        let ruled_out = |fault: &str, because: &str, id: &str| RuledOut {
            fault: fault.into(),
            title: String::new(),
            because: because.into(),
            evidence: vec![EvidenceId::from(id)],
        };
        diagnosis.ruled_out = vec![
            ruled_out("net.a", "seen", "c1"),
            ruled_out("net.b", "seen", "c2"),
            ruled_out("net.c", "seen", "c1"),
            ruled_out("belief.d", "seen", "c3"),
        ];
        let shown: Vec<String> = refutations(&diagnosis)
            .iter()
            .map(|group| group.faults.iter().map(|fault| fault.fault.as_str()).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(shown, ["belief.d", "net.a net.c", "net.b"]);
    }
}
