//! `svc.version_not_ready`: an endpoint or a call comes before the version is READY.

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Check, Context, Fault, own_text};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.version_not_ready",
    title: "The version that is called is not READY yet",
    stage: Stage::Ready,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        if context.case.is_ready() {
            return Check::ruled_out("runtime status READY", context.case.runtime_evidence());
        }
        return own_text::not_named(context);
    };
    own_text::found(context, failure, mend())
}

fn mend() -> Repair {
    let mut repair =
        Repair::new("Wait until runtime and endpoint are READY, then call", Safety::Safe, Vec::new());
    repair.steps = vec![
        "# poll get-agent-runtime and get-agent-runtime-endpoint: the endpoint lags the runtime".to_owned(),
    ];
    repair
}
