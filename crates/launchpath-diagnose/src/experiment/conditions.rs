//! In what a rehearsal was not like the launch it stands for, as far as that can make the difference.
//!
//! What was seen under other conditions is at most likely; the sentences say which condition it was, so that a reader knows what
//! would decide.

use launchpath_model::world::{Attempt, Clause, ClauseState, Rehearsal};

use crate::case::Case;

/// A condition that what a rehearsal saw may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The runtime's environment variables.
    Environment,
    /// The runtime's own network.
    Network,
    /// The caller's payload.
    Payload,
}

/// The conditions of `on` that the rehearsal did not share, each as a sentence.
pub(crate) fn differences(case: &Case, rehearsal: &Rehearsal, on: &[Condition]) -> Vec<String> {
    on.iter().filter_map(|condition| difference(case, rehearsal, *condition)).collect()
}

fn difference(case: &Case, rehearsal: &Rehearsal, on: Condition) -> Option<String> {
    match on {
        Condition::Environment => {
            let Some(runtime) = case.runtime() else {
                return Some("with what environment variables the runtime starts is not known".to_owned());
            };
            let runtime = runtime.environment_variables.as_ref()?;
            let missing: Vec<&str> =
                runtime.keys().map(String::as_str).filter(|name| !was_given(rehearsal, name)).collect();
            (!missing.is_empty())
                .then(|| format!("without the runtime's environment variables {}", missing.join(", ")))
        }
        Condition::Network => {
            let first = unreached(rehearsal)?;
            Some(format!("it tried to reach {}, and its network was not the runtime's", first.target))
        }
        Condition::Payload => Some("with another payload than the caller's".to_owned()),
    }
}

/// Whether the rehearsal was given an environment variable.
pub(crate) fn was_given(rehearsal: &Rehearsal, name: &str) -> bool {
    rehearsal.environment.iter().any(|given| given == name)
}

/// What it tried to reach in a network that was not the runtime's.
fn unreached(rehearsal: &Rehearsal) -> Option<&Attempt> {
    rehearsal.network.first().filter(|_| !rehearsal.behind_vpc_rules)
}

/// The clause at which the rehearsal could not tell how it went on; later ones say nothing then.
pub(crate) fn undecided(rehearsal: &Rehearsal) -> Option<&Clause> {
    let decided = |clause: &&Clause| matches!(clause.state, ClauseState::Unknown | ClauseState::Broken);
    rehearsal.clauses.iter().find(decided).filter(|clause| clause.state == ClauseState::Unknown)
}

/// What the process tried to reach before the rehearsal could not tell any more; `None` when its network was not the reason.
pub(crate) fn cut_off(rehearsal: &Rehearsal) -> Option<&str> {
    undecided(rehearsal)?;
    unreached(rehearsal).map(|attempt| attempt.target.as_str())
}
