//! `svc.opaque_create_failed`: a failed state with an internal error, or without a reason, and nothing of the customer's in the way.

use launchpath_model::aws::agentcore::RuntimeStatus;
use launchpath_model::{Gap, GapReason, service};

use crate::case::{Case, Mode, Platform};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::process_log::excerpt;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.opaque_create_failed",
    title: "The creation fails, and the service does not say why",
    stage: Stage::Ready,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(runtime) = case.runtime() else {
        return Check::unknown(gap(case, "the runtime's state was not read"));
    };
    let evidence = case.runtime_evidence();
    let status = match &runtime.status {
        Some(status @ (RuntimeStatus::CreateFailed | RuntimeStatus::UpdateFailed)) => status,
        Some(status) => {
            return Check::ruled_out(format!("status {status}: nothing failed before it"), evidence);
        }
        None => return Check::unknown(gap(case, "the answer names no state")),
    };
    let reason = runtime.failure_reason.as_deref().unwrap_or_default();
    let known = service::recognise_error(reason).map(|known| known.id.as_str());
    if !reason.is_empty() && known != Some("generic_internal_error") {
        return Check::ruled_out(format!("the service says why: {}", excerpt(reason)), evidence);
    }
    // Behind an internal error of V2, or of a VPC, may be a path or an image that nobody named.
    let nothing_of_the_customer = case.combination.mode == Some(Mode::Public)
        && case.combination.platform == Platform::V1
        && case.combination.platform_assumed.is_none();
    if !nothing_of_the_customer {
        return Check::unknown(gap(
            case,
            "the service gives no reason; network, image and role of this runtime may be behind it",
        ));
    }
    let text = format!(
        "{status} without a reason, and on V1 in PUBLIC mode neither network nor container is involved before READY"
    );
    let finding = Finding::new(
        Certainty::Circumstantial,
        trial::runtime_subject(case),
        vec![because(text, &evidence, 10.0)],
    );
    Check::found(finding.map(|finding| finding.with_repair(again())))
}

fn gap(case: &Case, why: &str) -> Gap {
    Gap {
        what: "whether the same image becomes READY in PUBLIC mode".to_owned(),
        reason: GapReason::NotVisible { why: why.to_owned() },
        evidence: case.runtime_evidence(),
        command: None,
    }
}

fn again() -> Repair {
    let mut repair = Repair::new(
        "Create it once more under another name; if that fails as well, open a support case with ids and times",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec!["# what a case needs: launchpath diagnose RUNTIME --format support-case".to_owned()];
    repair
}
