//! The words for the values of a diagnosis, the same in every format for people.

use launchpath_model::Outcome;

use crate::canvas::Ink;
use crate::diagnosis::{CauseStatus, Safety, StageState, Verdict, Verified};

/// The verdict in capitals.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Launches => "LAUNCHES",
        Verdict::Blocked => "BLOCKED",
        Verdict::Undecided => "UNDECIDED",
        Verdict::NoFaultFound => "NO FAULT FOUND",
    }
}

/// The ink of a verdict.
pub(crate) fn verdict_ink(verdict: Verdict) -> Ink {
    match verdict {
        Verdict::Launches => Ink::GoodStrong,
        Verdict::Blocked => Ink::BadStrong,
        Verdict::Undecided | Verdict::NoFaultFound => Ink::DoubtStrong,
    }
}

/// A stage's state as sign, words and ink.
pub(crate) fn state(state: StageState) -> (&'static str, &'static str, Ink) {
    match state {
        StageState::Reached => ("✔", "reached", Ink::Good),
        StageState::Failed => ("✘", "failed", Ink::Bad),
        StageState::NotReached => ("○", "not reached", Ink::Dim),
        StageState::Unknown => ("?", "unknown", Ink::Doubt),
        StageState::NotApplicable => ("–", "n/a", Ink::Dim),
    }
}

/// How sure a cause is.
pub(crate) fn status(status: CauseStatus) -> &'static str {
    match status {
        CauseStatus::Confirmed => "confirmed",
        CauseStatus::Likely => "likely",
        CauseStatus::Possible => "possible",
    }
}

/// How a call ended.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "answered",
        Outcome::Denied => "access denied",
        Outcome::NotFound => "not found",
        Outcome::Error => "failed",
        Outcome::Throttled => "throttled",
    }
}

/// Whether a repair can do harm, as a remark to it.
pub(crate) fn safety(safety: Safety) -> &'static str {
    match safety {
        Safety::Safe => "safe: it only adds, nothing that works now can stop",
        Safety::Review => "review first: it changes something others may use",
    }
}

/// The proof of a repair, one sentence. `title` turns a stage's name into its title.
pub(crate) fn proof(verified: &Verified, title: impl Fn(&str) -> String) -> String {
    let next = match &verified.next_blocker {
        Some(fault) => format!("next blocker {fault}"),
        None => "next blocker none".to_owned(),
    };
    let assumes = match &verified.assumes {
        Some(what) => format!("; assumes {what}"),
        None => String::new(),
    };
    format!("proven in memory: reaches {}, {next}{assumes}", title(&verified.reaches))
}

/// A share as a whole percentage that never claims certainty or impossibility by rounding.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent.is_nan() => "? %".to_owned(),
        percent if percent >= 100.0 => "100 %".to_owned(),
        percent if percent > 99.0 => ">99 %".to_owned(),
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 1.0 => "<1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// A factor on the odds, for example `×6`, `×0.25`.
pub(crate) fn weight(weight: f64) -> String {
    if !weight.is_finite() {
        return if weight.is_nan() { "×?" } else { "×∞" }.to_owned();
    }
    let digits = match weight.abs() {
        size if size >= 10_000.0 => return format!("×{weight:.0e}"),
        size if size >= 10.0 || size == 0.0 => return format!("×{weight:.0}"),
        size if size >= 1.0 => 1,
        size if size >= 0.01 => 2,
        size if size >= 0.001 => 3,
        _ => return format!("×{weight:.0e}"),
    };
    let text = format!("{weight:.digits$}");
    format!("×{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// At most `limit` characters of the text, and how many were left out.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.to_owned() };
    let rest = text[end..].chars().count();
    format!("{}… ({})", &text[..end], more(rest, "character"))
}

/// At most about `limit` characters of the text, cut between words; the same text when it is no longer.
pub(crate) fn clipped(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.to_owned() };
    let end = text[..end].rfind(' ').filter(|space| *space > end / 2).unwrap_or(end);
    format!("{} …", text[..end].trim_end_matches([' ', ',', ';', ':']))
}

/// `1 call`, `2 calls`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// The text with a capital at its beginning, unless its first word is a name such as `vpce-1` or `langchain.callbacks`.
pub(crate) fn capital(text: &str) -> String {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.trim_end_matches([',', ':']).chars().all(char::is_alphabetic) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| format!("{}{}", c.to_uppercase(), chars.as_str()))
}

/// The text with a capital at its beginning and a full stop at its end.
pub(crate) fn sentence(text: &str) -> String {
    let stop = if text.trim().is_empty() || text.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capital(text))
}

/// `1 more call`, `2 more calls`.
pub(crate) fn more(number: usize, one: &str) -> String {
    count(number, &format!("more {one}"))
}

/// Fault codes as they are when few, else gathered by area: `net.{dns_off, nacl}, iam.trust_policy`.
pub fn codes(codes: &[&str]) -> String {
    if codes.len() <= 3 {
        return codes.join(", ");
    }
    let mut areas: Vec<(&str, Vec<&str>)> = Vec::new();
    for code in codes {
        let (area, name) = code.split_once('.').unwrap_or(("", code));
        match areas.iter_mut().find(|(known, _)| *known == area) {
            Some((_, names)) => names.push(name),
            None => areas.push((area, vec![name])),
        }
    }
    let parts = areas.iter().map(|(area, names)| match (area.is_empty(), names.as_slice()) {
        (true, names) => names.join(", "),
        (false, [name]) => format!("{area}.{name}"),
        (false, names) => format!("{area}.{{{}}}", names.join(", ")),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// `1 theory`, `2 theories`.
pub(crate) fn theories(number: usize) -> String {
    if number == 1 { "1 theory".to_owned() } else { format!("{number} theories") }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A line of reasoning and what it quotes: everything after the first line break is quoted as it was printed.
pub(crate) fn split_quote(text: &str) -> (&str, Option<&str>) {
    match text.split_once('\n') {
        Some((said, quoted)) if !quoted.trim().is_empty() => (said, Some(quoted)),
        Some((said, _)) => (said, None),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{capital, codes, list, percent, sentence, shortened, weight};

    #[test]
    fn sentences_begin_large_and_names_stay_as_they_are() {
        let texts =
            ["the launch", "vpce-1 admits nothing", "langchain.callbacks is gone", "an answer: none", ""];
        assert_eq!(
            texts.map(capital),
            ["The launch", "vpce-1 admits nothing", "langchain.callbacks is gone", "An answer: none", ""]
        );
        assert_eq!(["it breaks", "it breaks.", ""].map(sentence), ["It breaks.", "It breaks.", ""]);
    }

    #[test]
    fn codes_are_gathered_by_area_when_they_are_many() {
        assert_eq!(codes(&["net.nacl", "iam.trust_policy"]), "net.nacl, iam.trust_policy");
        assert_eq!(codes(&["net.a", "iam.b", "net.c", "odd"]), "net.{a, c}, iam.b, odd");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(shortened("äöüß", 4), "äöüß");
        assert_eq!(shortened("äöüß", 2), "äö… (2 more characters)");
    }

    #[test]
    fn percentages_never_round_to_certainty() {
        let shares = [0.0, 0.000_1, 0.0149, 0.5, 0.989, 0.999_9, 1.0, f64::NAN];
        assert_eq!(shares.map(percent), ["0 %", "<1 %", "1 %", "50 %", "99 %", ">99 %", "100 %", "? %"]);
    }

    #[test]
    fn weights_are_short() {
        let weights = [6.0, 1.5, 0.25, 0.08, 0.005, 0.000_01, 120.0, 1e6, f64::INFINITY, f64::NAN, 0.0];
        assert_eq!(
            weights.map(weight),
            ["×6", "×1.5", "×0.25", "×0.08", "×0.005", "×1e-5", "×120", "×1e6", "×∞", "×?", "×0"]
        );
    }

    #[test]
    fn lists_read_aloud() {
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
