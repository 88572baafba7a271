//! `svc.session_conflict`: a second operation meets a session that is being set up or torn down.

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Check, Context, Fault, own_text};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.session_conflict",
    title: "Another operation of the same session is under way",
    stage: Stage::SessionPlacement,
    since: "0.1.0",
    prior: 1.0,
    needs: &["InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        return own_text::by_code(context, -32005, "by which the service tells of another operation", mend())
            .unwrap_or_else(|| own_text::not_named(context));
    };
    own_text::found(context, failure, mend())
}

fn mend() -> Repair {
    let mut repair = Repair::new(
        "Call again after a moment, and make the calls of one session one after the other",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec!["# retry with a growing pause (SDKs retry HTTP calls, not WebSockets)".to_owned()];
    repair
}
