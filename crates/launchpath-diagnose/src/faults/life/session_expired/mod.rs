//! `life.session_expired`: a client goes on with a session whose microVM has ended.

use launchpath_model::{Gap, GapReason, Outcome, service};

use super::idle_limit;
use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "life.session_expired",
    title: "The session that the caller uses has ended",
    stage: Stage::SessionPlacement,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(failed) = case.latest_invocation().filter(|call| call.outcome != Outcome::Ok) else {
        return Check::unknown(gap());
    };
    let Some(session) = &failed.session else { return Check::unknown(gap()) };
    let answered = case
        .invocations()
        .into_iter()
        .rfind(|call| call.session.as_ref() == Some(session) && call.was_answered() && call.at < failed.at);
    let Some((earlier, before, at)) = answered.and_then(|call| Some((call, call.at?, failed.at?))) else {
        return Check::unknown(gap());
    };
    let idle = at.seconds_since(before);
    let limit = idle_limit(case);
    let mut evidence = case.runtime_evidence();
    evidence.extend([earlier.evidence.clone(), failed.evidence.clone()]);
    let text =
        format!("the session was last used {idle} seconds before; it ends when it is idle for {limit}");
    if idle <= limit {
        // A session also ends at its greatest age; it is no older than the runtime, and nobody else saw it begin.
        let oldest = case.created_at().map(|created| at.seconds_since(created));
        return match (oldest, lifetime(case)) {
            (Some(oldest), most) if oldest <= most => Check::ruled_out(text, evidence),
            _ => Check::unknown(Gap { evidence, ..age() }),
        };
    }
    // A session id may be used again and gets a new microVM: only a client that relies on the old one's state fails.
    let lost = failed.error.as_ref().is_some_and(|error| {
        let lower = error.message.to_lowercase();
        error.http == Some(404) || lower.contains("(404)") || lower.contains("session")
    });
    if !lost {
        return Check::unknown(Gap { evidence, ..gap() });
    }
    let finding = Finding::new(
        Certainty::Circumstantial,
        trial::runtime_subject(case),
        vec![because(text, &evidence, 10.0)],
    );
    let stage = context.progress.first_failed().unwrap_or(FAULT.stage);
    Check::found(finding.map(|finding| finding.at(stage).with_repair(begin_again())))
}

/// The greatest age of a session, in seconds.
fn lifetime(case: &Case) -> i64 {
    let own = case.runtime().and_then(|runtime| runtime.lifecycle_configuration.as_ref());
    let own = own.and_then(|lifecycle| lifecycle.get("maxLifetime")?.as_i64());
    own.unwrap_or_else(|| service::limit("max_lifetime_seconds").0)
}

fn age() -> Gap {
    Gap {
        what: "when the session of the failing call began, or whether somebody stopped it".to_owned(),
        reason: GapReason::NotVisible {
            why: "it was not idle for too long, and also ends at its greatest age".to_owned(),
        },
        evidence: Vec::new(),
        command: None,
    }
}

fn gap() -> Gap {
    Gap {
        what: "when the session of the failing call was last used".to_owned(),
        reason: GapReason::NotVisible {
            why: "no earlier answered call of the same session is on record".to_owned(),
        },
        evidence: Vec::new(),
        command: None,
    }
}

fn begin_again() -> Repair {
    let mut repair = Repair::new(
        "Let the client begin a new session when the old one has ended: initialize again, and keep its state outside the microVM",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec!["# MCP: send initialize again on 404; or a longer idleRuntimeSessionTimeout in lifecycleConfiguration".to_owned()];
    repair
}
