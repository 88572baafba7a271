//! The score as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::injection::UNDECIDABLE;
use crate::score::Outcome;
use crate::suite::Kind;

/// The table in Markdown, as it stands in the README.
pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "| worlds | number | top 1 | top 3 | all faults named | wrong cause confirmed | wrong cause likely | error text alone |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    );
    for kind in Kind::ALL {
        let of: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.kind == kind).collect();
        let count = |holds: fn(&Outcome) -> bool| of.iter().filter(|outcome| holds(outcome)).count();
        let share = |holds: fn(&Outcome) -> bool| {
            if kind == Kind::Healthy { "–".to_owned() } else { percent(count(holds), of.len()) }
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            kind.name(),
            of.len(),
            share(|o| o.top1),
            share(|o| o.top3),
            share(|o| o.unnamed.is_empty()),
            count(|o| !o.wrong_confirmed.is_empty()),
            count(|o| !o.wrong_likely.is_empty()),
            share(|o| o.baseline),
        );
    }
    out.push_str(&abstentions(outcomes));
    out.push_str(&by_fault(outcomes));
    for (fault, why) in UNDECIDABLE {
        let _ = writeln!(out, "\nNo world holds {fault}: {why}.");
    }
    out
}

/// Whether it was right to abstain where evidence was withheld.
fn abstentions(outcomes: &[Outcome]) -> String {
    let mut out = String::from(
        "\n| evidence withheld | worlds | named | rightly not decided | not decided although shown | wrongly named |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for (text, decidable) in [("what is left shows it", true), ("what is left does not show it", false)] {
        let of: Vec<&Outcome> =
            outcomes.iter().filter(|o| o.kind == Kind::Withheld && o.decidable == decidable).collect();
        let wrong = of.iter().filter(|o| !o.is_honest()).count();
        let named = of.iter().filter(|o| o.is_honest() && o.named).count();
        let silent = of.len() - wrong - named;
        let (right, missed) = if decidable { (0, silent) } else { (silent, 0) };
        let _ = writeln!(
            out,
            "| {text} | {} | {} | {} | {} | {wrong} |",
            of.len(),
            percent(named, of.len()),
            percent(right, of.len()),
            percent(missed, of.len())
        );
    }
    out.push('\n');
    out
}

/// Top 1 of single faults, fault by fault.
fn by_fault(outcomes: &[Outcome]) -> String {
    let mut rows: BTreeMap<&str, (usize, usize, usize, usize)> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.kind == Kind::Single) {
        let row = rows.entry(outcome.faults[0]).or_default();
        row.0 += 1;
        row.1 += usize::from(outcome.named);
        row.2 += usize::from(outcome.top3);
        row.3 += usize::from(outcome.baseline);
    }
    let mut out = String::from(
        "| one fault, all the evidence | worlds | confirmed or likely | top 3 | error text alone |\n|---|--:|--:|--:|--:|\n",
    );
    for (fault, (number, named, top3, baseline)) in rows {
        let _ = writeln!(
            out,
            "| {fault} | {number} | {} | {} | {} |",
            percent(named, number),
            percent(top3, number),
            percent(baseline, number)
        );
    }
    out
}

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    // Rounded down: 100 % is said only of all.
    format!("{} %", part * 100 / whole)
}

/// Whether a world was judged worse than it could have been.
pub(crate) fn is_miss(outcome: &Outcome) -> bool {
    let shown = outcome.kind != Kind::Healthy && outcome.decidable;
    !outcome.is_honest() || (shown && (!outcome.named || !outcome.unnamed.is_empty()))
}

/// The worlds that were missed, a line each.
pub(crate) fn misses(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for (number, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| is_miss(outcome)) {
        let _ = writeln!(
            out,
            "{number:>5} {} · {}{}{}{}{}",
            outcome.kind.name(),
            outcome.name,
            if outcome.named || outcome.kind == Kind::Healthy {
                ""
            } else if outcome.top1 {
                " · only suspected"
            } else {
                " · MISSED"
            },
            if outcome.unnamed.is_empty() {
                String::new()
            } else {
                format!(" · not named: {}", outcome.unnamed.join(" "))
            },
            said(" · WRONGLY CONFIRMED ", &outcome.wrong_confirmed),
            said(" · wrongly likely ", &outcome.wrong_likely),
        );
    }
    out
}

fn said(what: &str, faults: &[String]) -> String {
    if faults.is_empty() { String::new() } else { format!("{what}{}", faults.join(" ")) }
}
