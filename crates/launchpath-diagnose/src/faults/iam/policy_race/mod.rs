//! `iam.policy_race`: the role or its policy is younger than the time a change takes to spread.

use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::{EvidenceId, Gap, GapReason, Timestamp, service};
use serde_json::json;

use crate::case::Case;
use crate::chain::{Failure, Stage};
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because};
use crate::process_log::excerpt;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.policy_race",
    title: "The role was changed seconds before the service read it",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 3.0,
    needs: &["CreateAgentRuntime", "LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

/// Changes of a role take seconds to a few minutes to be seen everywhere.
///
/// Source: Terraform's provider retries for two minutes (observed).
const SPREADING_SECONDS: i64 = 120;

/// What changes what a role may do or who may assume it.
const CHANGES: &[&str] = &["PutRolePolicy", "AttachRolePolicy", "CreateRole", "UpdateAssumeRolePolicy"];

fn check(context: &Context) -> Check {
    let case = context.case;
    let failed = context.progress.all_failures().find(|failure| !failure.reported && is_of_the_role(failure));
    let Some(failure) = failed else {
        if let Some(trace) =
            context.progress.traces.get(&Stage::RequestValidation).and_then(|all| all.first())
        {
            return Check::ruled_out(
                format!("the role was read well: {}", trace.text),
                trace.evidence.clone(),
            );
        }
        return Check::unknown(gap(case, Vec::new()));
    };
    let Some(at) = when(case, failure) else { return Check::unknown(gap(case, failure.evidence.clone())) };
    let role = case.execution_role_name();
    let change = CHANGES.iter().find_map(|name| {
        let rows = case.trail(name, |event| near(event, at) && is_of(event, role.as_deref())).rows;
        rows.last().map(|row| (row.value.event_name.clone(), row.value.event_time, row.evidence.clone()))
    });
    let Some((name, changed, mut evidence)) = change else {
        return Check::unknown(gap(case, failure.evidence.clone()));
    };
    evidence.extend(failure.evidence.clone());
    let whose = if role.is_some() { "the role" } else { "a role" };
    let changed = changed.map(|at| at.to_string()).unwrap_or_default();
    let lines = vec![
        because(
            format!("{name} changed {whose} at {changed}, and the service read the role at {at}"),
            &evidence,
            10.0,
        ),
        because(excerpt(&failure.text), &failure.evidence, 1.0),
    ];
    let finding =
        Finding::new(Certainty::Circumstantial, case.execution_role_name().into_iter().collect(), lines);
    Check::found(finding.map(|finding| finding.at(failure.stage).with_repair(wait())))
}

fn is_of_the_role(failure: &Failure) -> bool {
    let id = service::recognise_error(&failure.text).map(|known| known.id.as_str());
    matches!(id, Some("ecr_access_denied" | "role_validation_failed"))
}

/// When the service refused the role: the event that the failure cites.
fn when(case: &Case, failure: &Failure) -> Option<Timestamp> {
    let cited = |evidence: &[EvidenceId]| evidence.iter().any(|id| failure.evidence.contains(id));
    let refused = case.world.trail.iter().filter(|(_, row)| {
        matches!(row.value.event_name.as_str(), "CreateAgentRuntime" | "UpdateAgentRuntime")
            && !row.value.succeeded()
            && cited(&row.evidence)
    });
    refused.filter_map(|(_, row)| row.value.event_time).max().or(case.created_at())
}

/// Whether the change is one of the execution role; where either is not named it cannot be told.
fn is_of(event: &TrailEvent, role: Option<&str>) -> bool {
    event.request_text("roleName").zip(role).is_none_or(|(changed, role)| changed == role)
}

fn near(event: &TrailEvent, at: Timestamp) -> bool {
    event.succeeded()
        && event.event_time.is_some_and(|changed| {
            // After it, too: then the policy simply came too late.
            (-SPREADING_SECONDS..=SPREADING_SECONDS).contains(&at.seconds_since(changed))
        })
}

fn gap(case: &Case, evidence: Vec<EvidenceId>) -> Gap {
    Gap {
        what: "when the role and its policies were last changed".to_owned(),
        reason: GapReason::NotAsked,
        evidence,
        command: Some(case.command(
            "cloudtrail",
            "LookupEvents",
            &json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "PutRolePolicy" }] }),
        )),
    }
}

fn wait() -> Repair {
    let mut repair = Repair::new(
        "Try again unchanged after a minute; let the pipeline wait for the policy before it creates the runtime",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps = vec![
        "# CloudFormation: DependsOn the policy; Terraform: depends_on, or the policy inline in the role"
            .to_owned(),
    ];
    repair
}
