//! `client.timeout`: a time-out of the caller's own fires first.

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Check, Context, Fault, own_text};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "client.timeout",
    title: "The caller gives up before the answer comes",
    stage: Stage::Response,
    since: "0.1.0",
    prior: 1.0,
    needs: &["InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        return own_text::not_named(context);
    };
    own_text::found(context, failure, mend())
}

fn mend() -> Repair {
    let mut repair = Repair::new(
        "Let the caller wait as long as the request may take: 15 minutes, or stream",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec!["# boto3: Config(read_timeout=900, retries={\"max_attempts\": 0}); API Gateway and Lambda: answer at once, work in the background".to_owned()];
    repair
}
