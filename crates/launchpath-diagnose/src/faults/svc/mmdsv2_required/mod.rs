//! `svc.mmdsv2_required`: the runtime does not require version 2 of the metadata service, which invocations need.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-troubleshooting.html>

use launchpath_model::{Gap, GapReason, service};

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.mmdsv2_required",
    title: "The runtime does not require MMDSv2",
    stage: Stage::InvokeAdmission,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "InvokeAgentRuntime"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(runtime) = case.runtime() else {
        return Check::unknown(case.undescribed("the runtime's metadata settings"));
    };
    let evidence = case.runtime_evidence();
    let found = |certainty, lines| {
        let changes = case.id.iter().map(|id| Change::RequireMmdsv2 { runtime: id.clone() }).collect();
        let summary = "Update the runtime to require MMDSv2 (an update replaces every member: the present values go along)";
        let repair = Repair::new(summary, Safety::Review, changes);
        let subjects = case.id.iter().map(ToString::to_string).collect();
        Check::found(Finding::new(certainty, subjects, lines).map(|finding| finding.with_repair(repair)))
    };
    if let Some(failure) =
        context.progress.all_failures().find(|f| f.fault == Some(FAULT.code) && !f.reported)
    {
        return found(
            Certainty::Proven,
            vec![because(format!("the service says so: {}", failure.text), &failure.evidence, DIRECT)],
        );
    }
    let (enforced, provenance) = service::date("mmdsv2_enforced");
    let now = case.world.collected_at;
    if now.is_some_and(|now| now < enforced) {
        return Check::ruled_out(
            format!("the rule holds since {} only ({})", enforced.date(), provenance.source),
            evidence,
        );
    }
    match runtime.metadata_configuration.as_ref().and_then(|m| m.require_mmdsv2) {
        Some(true) => Check::ruled_out("metadataConfiguration.requireMMDSV2 is true", evidence),
        Some(false) => found(
            Certainty::Proven,
            vec![because(
                format!(
                    "metadataConfiguration.requireMMDSV2 is false; invocations need it since {}",
                    enforced.date()
                ),
                &evidence,
                DIRECT,
            )],
        ),
        None if runtime.last_updated_at.is_some_and(|at| at < enforced) => found(
            Certainty::Circumstantial,
            vec![because(
                format!(
                    "last changed before {}, when the rule came, and the description does not say that it requires MMDSv2",
                    enforced.date()
                ),
                &evidence,
                6.0,
            )],
        ),
        None => Check::unknown(Gap {
            what: "whether the runtime requires MMDSv2".to_owned(),
            reason: GapReason::MemberMissing { path: "metadataConfiguration.requireMMDSV2".to_owned() },
            evidence,
            command: None,
        }),
    }
}
