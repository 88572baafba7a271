//! The diagnoses of many runtimes: a line each for a terminal, all of them as JSON or JSON Lines.

use std::fmt::Write as _;

use crate::clean;
use crate::diagnosis::{Diagnosis, Verdict};
use crate::{json_lines, outline, wording};

/// A line for each runtime, those to look at first; then how many there are of each kind.
pub fn fleet_text(diagnoses: &[Diagnosis]) -> String {
    let mut order: Vec<&Diagnosis> = diagnoses.iter().collect();
    order.sort_by_key(|diagnosis| rank(diagnosis));
    let names: Vec<String> =
        order.iter().map(|diagnosis| clean::line(outline::runtime_name(diagnosis))).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let mut out = String::new();
    for (diagnosis, name) in order.iter().zip(&names) {
        let cause = diagnosis.primary().map(|cause| format!("{}: ", cause.fault)).unwrap_or_default();
        let summary = clean::line(&outline::headline(diagnosis));
        let _ = writeln!(out, "{:<15} {name:<width$}  {cause}{summary}", wording::verdict(diagnosis.verdict));
    }
    let of = |verdict: Verdict| diagnoses.iter().filter(|diagnosis| diagnosis.verdict == verdict).count();
    let _ = writeln!(
        out,
        "\n{}: {} blocked, {} undecided, {} without a fault found, {} launch",
        wording::count(diagnoses.len(), "runtime"),
        of(Verdict::Blocked),
        of(Verdict::Undecided),
        of(Verdict::NoFaultFound),
        of(Verdict::Launches)
    );
    out
}

fn rank(diagnosis: &Diagnosis) -> u8 {
    match diagnosis.verdict {
        Verdict::Blocked => 0,
        Verdict::Undecided => 1,
        Verdict::NoFaultFound => 2,
        Verdict::Launches => 3,
    }
}

/// All diagnoses as one JSON list, ending in a line feed.
pub fn fleet_json(diagnoses: &[Diagnosis]) -> String {
    // INVARIANT: the type holds no map with keys that are no strings, the only reason for which this could fail.
    let mut json = serde_json::to_string_pretty(diagnoses).expect("diagnoses serialise");
    json.push('\n');
    json
}

/// The records of all diagnoses, one after the other.
pub fn fleet_json_lines(diagnoses: &[Diagnosis]) -> String {
    diagnoses.iter().map(json_lines::render).collect()
}
