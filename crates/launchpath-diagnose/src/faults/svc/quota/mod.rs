//! `svc.quota`: sessions or another quota of the account are used up.

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, own_text, trial};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.quota",
    title: "A quota of the account is used up",
    stage: Stage::SessionPlacement,
    since: "0.1.0",
    prior: 2.0,
    needs: &["InvokeAgentRuntime", "GetAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        if let Some(call) = context.case.latest_invocation()
            && let Some(error) = &call.error
            && (error.code == "ServiceQuotaExceededException" || error.http == Some(402))
        {
            let text = format!("the call was refused for a quota: {}", process_log::excerpt(&error.message));
            let lines = vec![because(text, std::slice::from_ref(&call.evidence), DIRECT)];
            let finding = Finding::new(Certainty::Proven, trial::runtime_subject(context.case), lines);
            return Check::found(finding.map(|finding| finding.with_repair(mend())));
        }
        return own_text::by_code(
            context,
            -32003,
            "by which the service tells that a quota is used up",
            mend(),
        )
        .unwrap_or_else(|| own_text::not_named(context));
    };
    own_text::found(context, failure, mend())
}

fn mend() -> Repair {
    let mut repair = Repair::new(
        "Stop sessions that are not needed, shorten their idle time-out, or ask for a higher quota",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec!["# aws bedrock-agentcore stop-runtime-session …; lifecycleConfiguration idleRuntimeSessionTimeout; aws service-quotas list-service-quotas --service-code bedrock-agentcore".to_owned()];
    repair
}
