//! What a process says of its own end, for the faults that its words or a rehearsal show.
//!
//! A log holds many words: only those count that are said of this kind of fault. A rehearsal counts by the clause that it broke,
//! or, in records of before clauses had names, by the words as in a log. Start with [`process`].

use serde_json::Value;

use crate::report::{Found, holds, not_checked};
use crate::{Shown, list, text};

/// What shows a fault.
struct Sign {
    fault: &'static str,
    /// Words that stand in what the process prints then; one is enough.
    words: &'static [&'static str],
    /// Reasons for a broken clause of a rehearsal (`docs/rehearsal.md`).
    reasons: &'static [&'static str],
    stages: &'static [&'static str],
}

/// Where a process that ends at its start breaks the launch.
const START: &[&str] = &["process_start"];
/// Where a process that does not answer as it should breaks the launch.
const HEALTH: &[&str] = &["health", "session_health"];

const SIGNS: &[Sign] = &[
    Sign {
        fault: "app.dependency_drift",
        words: &[
            "No module named",
            "cannot import name",
            "has no attribute",
            "unexpected keyword argument",
            "ERR_PACKAGE_PATH_NOT_EXPORTED",
            "does not provide an export named",
        ],
        reasons: &[],
        stages: START,
    },
    Sign {
        fault: "app.dependency_not_packaged",
        words: &[
            "No module named",
            "Cannot find module",
            "Cannot find package",
            "cannot open shared object file",
            "bad interpreter",
            "NoClassDefFoundError",
            "ClassNotFoundException",
        ],
        reasons: &[],
        stages: START,
    },
    Sign {
        fault: "app.missing_source_file",
        words: &["No module named", "Cannot find module", "No such file or directory", "ENOENT"],
        reasons: &[],
        stages: START,
    },
    Sign { fault: "app.slow_init", words: &[], reasons: &["slow_start"], stages: HEALTH },
    Sign {
        fault: "contract.wrong_port",
        words: &[],
        reasons: &["wrong_port", "nothing_listens", "loopback_only"],
        stages: HEALTH,
    },
    Sign { fault: "contract.wrong_path", words: &[], reasons: &["path_not_found"], stages: HEALTH },
    Sign { fault: "contract.host_header_421", words: &[], reasons: &["host_refused"], stages: HEALTH },
    Sign {
        fault: "contract.protocol_mismatch",
        words: &[],
        reasons: &["other_protocol", "method_not_allowed"],
        stages: HEALTH,
    },
    Sign {
        fault: "contract.blocked_event_loop",
        words: &[],
        reasons: &["event_loop_blocked"],
        stages: HEALTH,
    },
    Sign {
        fault: "contract.first_request_5xx",
        words: &[],
        reasons: &["error_status_5xx"],
        stages: &["request", "response"],
    },
    Sign {
        fault: "contract.mcp_session",
        words: &[],
        reasons: &["session_refused"],
        stages: &["request", "response"],
    },
];

/// The process's own words of this kind, in its log or in a rehearsal of its image that did not pass.
pub(crate) fn process(cause: &Value, shown: &Shown) -> Option<Found> {
    let sign = SIGNS.iter().find(|sign| sign.fault == text(cause, "fault"))?;
    if !sign.stages.contains(&text(cause, "stage")) {
        return Some(not_checked("no rule of this checker says what such a fault breaks at this stage"));
    }
    let mut why = "no words of the process that are said of this kind of fault are quoted";
    for because in list(cause, "because") {
        for claim in list(because, "claims") {
            let Some(call) = shown.bundle.call(text(claim, "call")) else { continue };
            let quoted = text(claim, "claim") == "contains"
                && sign.words.iter().any(|word| text(claim, "text").contains(word));
            match text(call, "operation") {
                "Rehearse" if call["response"]["passed"] != Value::Bool(false) => {}
                "Rehearse" if !(quoted || broke(call, sign)) => {}
                "Rehearse" if !shown.subject.rehearsed(call) => {
                    why = "that the rehearsed image is the runtime's is the word of whoever offered it";
                }
                "Rehearse" => return Some(holds("a rehearsal of the image did not pass, and shows it")),
                "FilterLogEvents" | "GetLogEvents" if quoted && shown.subject.logged(call) => {
                    return Some(holds("the process's log holds the words quoted"));
                }
                _ => {}
            }
        }
    }
    Some(not_checked(why))
}

/// Whether the rehearsal broke a clause for a reason of this kind.
fn broke(call: &Value, sign: &Sign) -> bool {
    let clauses =
        list(&call["response"], "clauses").iter().filter(|clause| text(clause, "state") == "broken");
    clauses.chain([&call["response"]]).any(|clause| sign.reasons.contains(&text(clause, "reason")))
}
