//! The answer to one question, from every start, as text and as JSON.
//!
//! Nothing is decided here but how the answers from several subnets add up: the service chooses the subnet, so an answer that
//! differs between them is a part. Start with [`Answered::to`].

use std::fmt::Write as _;

use launchpath_diagnose::diagnosis::Safety;
use launchpath_diagnose::repair::{Change, Repair};
use launchpath_model::{EvidenceId, Gap, World};
use launchpath_net::{Answer, Blocker, Edit, Engine, Hop, HopVerdict, Outcome, Part, Verdict};
use launchpath_report::Options;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::page::{Page, calls};
use super::Evidence;
use super::question::Question;

/// The answer.
pub(crate) struct Answered<'a> {
    question: &'a Question,
    from: Vec<(String, Answer)>,
    verdict: Verdict,
    unknown: Vec<Gap>,
    repair: Option<Proven>,
}

/// Edits that open the path, and what the engine says once they are made.
struct Proven {
    edits: Vec<Edit>,
    commands: Vec<String>,
    then: Verdict,
}

impl<'a> Answered<'a> {
    /// Answers the question on the evidence.
    pub(crate) fn to(question: &'a Question, evidence: &Evidence) -> Self {
        let from = ask(question, &evidence.engine(&evidence.world));
        let verdict = total(question, &from);
        let mut unknown = question.gaps.clone();
        for (_, answer) in &from {
            for gap in &answer.unknown {
                if !unknown.contains(gap) {
                    unknown.push(gap.clone());
                }
            }
        }
        let repair = match verdict {
            Verdict::None | Verdict::Part => proven(question, &from, verdict, evidence),
            Verdict::All | Verdict::Unknown => None,
        };
        Self { question, from, verdict, unknown, repair }
    }

    /// 0 reachable, 1 not reachable or only partly, 3 unknown.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::All => 0,
            Verdict::None | Verdict::Part => 1,
            Verdict::Unknown => 3,
        }
    }

    fn blockers(&self) -> Vec<&Blocker> {
        let mut all: Vec<&Blocker> = Vec::new();
        for blocker in self.from.iter().flat_map(|(_, answer)| &answer.blocked_by).map(AsRef::as_ref) {
            if !all.contains(&blocker) {
                all.push(blocker);
            }
        }
        all
    }

    fn assumed(&self) -> Vec<Gap> {
        let mut all: Vec<Gap> = Vec::new();
        for gap in self.from.iter().flat_map(|(_, answer)| &answer.assumed) {
            if !all.contains(gap) && !self.unknown.contains(gap) {
                all.push(gap.clone());
            }
        }
        all
    }

    fn evidence(&self) -> Vec<&EvidenceId> {
        let mut all: Vec<&EvidenceId> = self.from.iter().flat_map(|(_, answer)| &answer.evidence).collect();
        all.sort();
        all.dedup();
        all
    }

    /// As JSON, ending in a line feed.
    pub(crate) fn json(&self) -> String {
        let edits = self.repair.as_ref().map(|repair| {
            json!({ "edits": repair.edits, "aws_cli": repair.commands, "then_reachable": reachable(repair.then) })
        });
        let decisive =
            self.from.iter().find(|(_, answer)| answer.verdict == self.verdict).or(self.from.first());
        let value = json!({
            "from": self.question.from,
            "to": self.question.to,
            "flow": self.question.flow_text(),
            "reachable": reachable(self.verdict),
            "blocked_by": self.blockers().into_iter().map(blocked_by).collect::<Vec<_>>(),
            "trace": decisive.map(|(_, answer)| trace(answer)).unwrap_or_default(),
            "by_source": self.from.iter().map(|(from, answer)| by_source(from, answer)).collect::<Vec<_>>(),
            "fix": edits,
            "unknown": self.unknown.iter().map(gap).collect::<Vec<_>>(),
            "assumed": self.assumed().iter().map(gap).collect::<Vec<_>>(),
            "evidence": self.evidence(),
        });
        format!("{value:#}\n")
    }

    /// As text, ending in a line feed.
    pub(crate) fn text(&self, options: &Options) -> String {
        let question = self.question;
        let (from, to, flow) = (&question.from, &question.to, question.flow_text());
        let mut page = Page::new(&format!("{}: {from} to {to}, {flow}", heading(self.verdict)));
        let verdicts: Vec<Verdict> = self.from.iter().map(|(_, answer)| answer.verdict).collect();
        if verdicts.iter().any(|verdict| Some(verdict) != verdicts.first()) {
            let each = self.from.iter().map(|(from, answer)| format!("{from} {}", words(answer.verdict)));
            page.paragraph(&format!(
                "It depends on the subnet, which the service chooses: {}.",
                each.collect::<Vec<_>>().join(", ")
            ));
        }
        for (source, answer) in &self.from {
            way(&mut page, source, answer, to);
        }
        let blockers = self.blockers();
        if !blockers.is_empty() {
            page.section("Blocked by");
            for blocker in blockers {
                let at = blocker.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
                page.item(&format!("{}{at}: {}{}", blocker.id, blocker.text, calls(&blocker.evidence)));
            }
        }
        if let Some(repair) = &self.repair {
            let count = if repair.edits.len() == 1 { "This change" } else { "These changes together" };
            page.section("What would open it");
            page.paragraph(&format!(
                "{count}, tried on a copy of the evidence: then it is {}.",
                words(repair.then)
            ));
            for command in &repair.commands {
                page.command(command);
            }
        }
        page.gaps("Not known", &self.unknown);
        page.gaps("Not seen, and taken to change nothing", &self.assumed());
        page.finish(options)
    }
}

fn ask(question: &Question, engine: &Engine<'_>) -> Vec<(String, Answer)> {
    let ask = |start| engine.reach_from(start, &question.destination, &question.flow);
    question.starts.iter().map(|(name, start)| (name.clone(), ask(start))).collect()
}

/// The verdict over all starts.
fn total(question: &Question, from: &[(String, Answer)]) -> Verdict {
    let mut verdicts = from.iter().map(|(_, answer)| answer.verdict);
    let Some(first) = verdicts.next().filter(|_| question.gaps.is_empty()) else {
        return Verdict::Unknown;
    };
    verdicts.fold(first, |all, verdict| match (all, verdict) {
        (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
        (a, b) if a == b => a,
        _ => Verdict::Part,
    })
}

/// The edits of every blocker, if each has one and together they change the verdict.
fn proven(
    question: &Question,
    from: &[(String, Answer)],
    now: Verdict,
    evidence: &Evidence,
) -> Option<Proven> {
    let mut edits: Vec<Edit> = Vec::new();
    for (_, answer) in from {
        for edit in answer.edits()? {
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
    let changes = edits.iter().cloned().map(Change::Network).collect();
    let repair = Repair::new("open the path", Safety::Review, changes);
    let changed: World = repair.applied_to(&evidence.world)?;
    let then = total(question, &ask(question, &evidence.engine(&changed)));
    let commands = repair.aws_cli(&evidence.world);
    (then != now && !edits.is_empty()).then_some(Proven { edits, commands, then })
}

/// The parts whose fate says the verdict, one of each fate; the delivered one first.
fn shown(answer: &Answer) -> Vec<&Part> {
    let fates: &[Outcome] = match answer.verdict {
        Verdict::All => &[Outcome::Delivered],
        Verdict::None => &[Outcome::Blocked],
        Verdict::Part => &[Outcome::Delivered, Outcome::Blocked],
        Verdict::Unknown => &[Outcome::Unknown, Outcome::Delivered, Outcome::Blocked],
    };
    let parts = fates.iter().filter_map(|fate| answer.parts.iter().find(|part| part.outcome == *fate));
    if answer.verdict == Verdict::Part { parts.collect() } else { parts.take(1).collect() }
}

fn trace(answer: &Answer) -> Vec<&Hop> {
    let part = match answer.verdict {
        Verdict::Part => shown(answer).pop(),
        _ => shown(answer).into_iter().next(),
    };
    part.map(|part| part.trace.iter().map(AsRef::as_ref).collect()).unwrap_or_default()
}

fn way(page: &mut Page, source: &str, answer: &Answer, to: &str) {
    let parts = shown(answer);
    for part in &parts {
        let fate = match part.outcome {
            Outcome::Delivered => "delivered",
            Outcome::Blocked => "dropped",
            Outcome::Unknown => "not known",
        };
        if parts.len() == 1 {
            page.section(&format!("The way from {source} to {to}"));
        } else {
            page.section(&format!("The way from {source} to {to}: {fate}"));
            page.paragraph(&format!("For example {}", part.example));
        }
        for (index, hop) in part.trace.iter().enumerate() {
            page.step(index + 1, &hop_text(hop));
        }
    }
    if answer.verdict == Verdict::Part {
        page.paragraph(&format!(
            "Delivered in all: {:.1} % of the packets.",
            answer.delivered_share() * 100.0
        ));
    }
}

fn hop_text(hop: &Hop) -> String {
    let mark = match hop.verdict {
        HopVerdict::Passed => "",
        HopVerdict::Dropped => "DROPPED: ",
        HopVerdict::Unknown => "not known: ",
    };
    let mut text = format!("{mark}{} {}", snake(hop.kind), hop.id);
    if let Some(at) = &hop.at {
        let _ = write!(text, " at {at}");
    }
    let mut side: Vec<String> = Vec::new();
    side.extend((hop.leg == launchpath_net::Leg::Reply).then(|| "reply".to_owned()));
    side.extend(hop.direction.map(snake));
    if !side.is_empty() {
        let _ = write!(text, " ({})", side.join(", "));
    }
    let _ = write!(text, ": {}{}", hop.text, calls(&hop.evidence));
    text
}

/// The public name of an enumeration's value, in words.
fn snake(value: impl Serialize) -> String {
    let text = serde_json::to_value(value).ok();
    text.as_ref().and_then(Value::as_str).unwrap_or_default().replace('_', " ")
}

fn heading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::All => "Reachable",
        Verdict::None => "Not reachable",
        Verdict::Part => "Partly reachable",
        Verdict::Unknown => "Unknown",
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::All => "reachable",
        Verdict::None => "not reachable",
        Verdict::Part => "partly reachable",
        Verdict::Unknown => "unknown",
    }
}

fn reachable(verdict: Verdict) -> Value {
    match verdict {
        Verdict::All => json!(true),
        Verdict::None => json!(false),
        Verdict::Part => json!("partly"),
        Verdict::Unknown => json!("unknown"),
    }
}

fn blocked_by(blocker: &Blocker) -> Value {
    json!({
        "kind": blocker.kind.element(),
        "id": blocker.id,
        "at": blocker.at,
        "reason": blocker.kind,
        "leg": blocker.leg,
        "direction": blocker.direction,
        "rule": blocker.rule,
        "text": blocker.text,
        "evidence": blocker.evidence,
        "edit": blocker.edit,
    })
}

fn gap(gap: &Gap) -> Value {
    json!({ "what": gap.what, "why": gap.reason_text(), "command": gap.command, "evidence": gap.evidence })
}

fn by_source(from: &str, answer: &Answer) -> Value {
    let parts = answer.parts.iter().map(|part| {
        json!({
            "outcome": part.outcome,
            "example": part.example,
            "share": part.share,
            "blocked_by": part.blockers.iter().map(|blocker| blocked_by(blocker)).collect::<Vec<_>>(),
            "trace": part.trace.iter().map(AsRef::as_ref).collect::<Vec<&Hop>>(),
        })
    });
    json!({
        "source": from,
        "reachable": reachable(answer.verdict),
        "delivered_share": answer.delivered_share(),
        "parts": parts.collect::<Vec<_>>(),
    })
}
