//! From what was seen to clauses: a pure function, so that it can be tested without running anything.
//!
//! A clause is *broken* only where the service would break it too. What a cut network, emulation, impatience or a default
//! payload may explain is *unknown*: the note says why, and the advice how to find out.
//!
//! One file per clause or two; start with [`judge`].

mod answers;
mod busy;
mod ends;
mod healthy;
mod listens;
mod prints;
mod suspect;
mod verdict;

#[cfg(test)]
mod property;

use std::time::Duration;

use super::clause::{Clause, Judged, Reason, State};
use super::observation::Observations;
use super::terms::Terms;

pub use ends::ending;
pub use suspect::target;
pub use verdict::{Verdict, verdict};

/// Judges every clause, in order.
pub fn judge(terms: &Terms, seen: &Observations) -> Vec<Judged> {
    let mut clauses = vec![
        ends::starts(seen),
        ends::stays_up(terms, seen),
        listens::listens(terms, seen),
        healthy::healthy(terms, seen),
        answers::answers(terms, seen),
        busy::healthy_while_busy(terms, seen),
        busy::idles(terms, seen),
    ];
    ends::attribute_limits(&mut clauses, seen);
    let writes = prints::writes(&clauses, seen);
    clauses.push(writes);
    clauses.push(prints::prints(seen));
    clauses
}

/// A clause being judged.
struct Ruling {
    clause: Clause,
    text: String,
}

impl Ruling {
    fn on(clause: Clause, text: impl Into<String>) -> Self {
        Self { clause, text: text.into() }
    }

    fn ruled(self, state: State, reason: Option<Reason>, note: impl Into<String>) -> Judged {
        Judged {
            clause: self.clause,
            state,
            text: self.text,
            reason,
            note: note.into(),
            at_ms: None,
            advice: None,
        }
    }

    fn held(self, note: impl Into<String>) -> Judged {
        self.ruled(State::Held, None, note)
    }

    fn broken(self, reason: Reason, note: impl Into<String>) -> Judged {
        self.ruled(State::Broken, Some(reason), note)
    }

    fn unknown(self, reason: Option<Reason>, note: impl Into<String>) -> Judged {
        self.ruled(State::Unknown, reason, note)
    }

    fn not_reached(self, note: impl Into<String>) -> Judged {
        self.ruled(State::NotReached, None, note)
    }

    fn not_applicable(self, note: impl Into<String>) -> Judged {
        self.ruled(State::NotApplicable, None, note)
    }
}

impl Judged {
    fn at(mut self, at: Duration) -> Self {
        self.at_ms = Some(milliseconds(at));
        self
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Whole milliseconds.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time for people: `12 ms`, `1.2 s`, `153 s`.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else if time < Duration::from_secs(10) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{:.0} s", time.as_secs_f64())
    }
}

/// A time here, with what it would be natively where it is emulated.
fn measured(terms: &Terms, time: Duration) -> String {
    match terms.native_estimate(time) {
        None => seconds(time),
        Some(native) => {
            format!("{} emulated; would need about {} natively, estimated", seconds(time), seconds(native))
        }
    }
}
