//! `writes` and `prints`.

use super::Ruling;
use crate::contract::clause::{Clause, Judged, Reason, State};
use crate::contract::facts::Facts;
use crate::contract::observation::Observations;
use crate::subject::Ending;

/// What the process printed of refused files. It breaks the clause only where something else broke as well: many a library
/// tries a folder, says so, and does without.
pub(super) fn writes(before: &[Judged], seen: &Observations) -> Judged {
    let ruling =
        Ruling::on(Clause::Writes, "the image's user may read and write what the process reads and writes");
    if matches!(seen.exit.as_ref().map(|exit| &exit.how), Some(Ending::NotStarted(_))) {
        return ruling.not_reached("it never started");
    }
    let facts = Facts::get();
    let said = |words: &[String]| {
        seen.output.lines().find(|line| {
            let line = line.to_lowercase();
            words.iter().any(|words| line.contains(words.as_str()))
        })
    };
    let (reason, line) = match (said(&facts.read_only_errors.value), said(&facts.permission_errors.value)) {
        (Some(line), _) => (Reason::ReadOnly, line),
        (None, Some(line)) => (Reason::PermissionDenied, line),
        (None, None) => return ruling.held("nothing printed of refused files"),
    };
    let line: String = line.trim().chars().take(240).collect();
    let note = format!("it printed: {line}");
    let state_of = |state: State| before.iter().any(|judged| judged.state == state);
    let judged = if state_of(State::Broken) {
        ruling.broken(reason, note)
    } else if state_of(State::Unknown) {
        ruling.unknown(Some(reason), note)
    } else {
        let mut judged = ruling.held(format!("{note}; it worked all the same"));
        judged.reason = Some(reason);
        return judged;
    };
    judged.advise(match reason {
        Reason::ReadOnly => "write below /tmp, or to a folder of the image that its user owns",
        _ => "give the image's USER the files it needs (COPY --chown, chmod), and write to folders it owns",
    })
}

/// A process that prints nothing cannot be diagnosed from its log. A remark, never a break.
pub(super) fn prints(seen: &Observations) -> Judged {
    let ruling = Ruling::on(Clause::Prints, "the process prints something");
    if matches!(seen.exit.as_ref().map(|exit| &exit.how), Some(Ending::NotStarted(_))) {
        return ruling.not_reached("it never started");
    }
    if seen.output.trim().is_empty() && !seen.output_truncated {
        let mut judged = ruling.held("it printed nothing: an empty log would not show whether it ran");
        judged.reason = Some(Reason::Silent);
        return judged
            .advise("log a line when the server listens and one per request (Python: PYTHONUNBUFFERED=1)");
    }
    ruling.held(match seen.output.lines().count() {
        count if seen.output_truncated => format!("more than the {count} lines that were kept"),
        1 => "one line".to_owned(),
        count => format!("{count} lines"),
    })
}
