//! `net.eni_lingering`: AgentCore's interfaces remain after the runtime was deleted and hold subnets and groups.

use launchpath_model::aws::agentcore::RuntimeStatus;
use launchpath_model::aws::network_interface::AGENTCORE_TAG;
use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, service};

use crate::case::{Case, Mode};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.eni_lingering",
    title: "Interfaces of a runtime that is gone remain for hours",
    stage: Stage::Lifecycle,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "DescribeNetworkInterfaces"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.mode == Some(Mode::Public) {
        return Check::NotApplicable("only in VPC mode");
    }
    let (gone, mut evidence) = match case.known_runtime() {
        // One that was never made leaves no interfaces: its deletion must be on record.
        Known::Absent(absence) => match deleted(case) {
            Some(deletion) => (true, absence.evidence().iter().cloned().chain(deletion).collect()),
            None => return Check::unknown(undeleted(case, absence.evidence().to_vec())),
        },
        Known::Known(fact) => (fact.value.status == Some(RuntimeStatus::Deleting), fact.evidence),
        Known::Unknown(gap) => return Check::unknown(gap),
    };
    if !gone {
        return Check::ruled_out("the runtime is there: its interfaces serve it", evidence);
    }
    let interfaces: Vec<_> = case
        .world
        .network
        .network_interfaces
        .iter()
        .filter(|(_, row)| {
            row.value.tag_set.iter().flatten().any(|tag| tag.key == AGENTCORE_TAG)
                && !is_used(case, row.value.subnet_id.as_ref())
        })
        .collect();
    if interfaces.is_empty() {
        return Check::unknown(Gap {
            what: "interfaces that carry AgentCore's tag".to_owned(),
            reason: GapReason::NotAsked,
            evidence,
            command: Some(case.command(
                "ec2",
                "DescribeNetworkInterfaces",
                &serde_json::json!({ "Filters": [{ "Name": format!("tag:{AGENTCORE_TAG}"), "Values": ["true"] }] }),
            )),
        });
    }
    evidence.extend(interfaces.iter().flat_map(|(_, row)| row.evidence.clone()));
    let (linger, provenance) = service::limit("interface_linger_seconds");
    let names: Vec<String> = interfaces.iter().map(|(id, _)| id.to_string()).collect();
    let text = format!(
        "{} remain although no runtime in this input uses their subnets; they go within {} hours of the last use ({})",
        names.join(", "),
        linger / 3600,
        provenance.source
    );
    let finding = Finding::new(Certainty::Circumstantial, names, vec![because(text, &evidence, 20.0)]);
    Check::found(finding.map(|finding| finding.with_repair(wait())))
}

/// The call that deleted the runtime.
fn deleted(case: &Case) -> Option<Vec<EvidenceId>> {
    let id = case.id.as_ref()?;
    let of_it = |event: &TrailEvent| {
        event.event_name == "DeleteAgentRuntime"
            && event.succeeded()
            && event.request_text("agentRuntimeId") == Some(id.as_str())
    };
    case.world.trail.iter().find(|(_, row)| of_it(&row.value)).map(|(_, row)| row.evidence.clone())
}

fn undeleted(case: &Case, evidence: Vec<EvidenceId>) -> Gap {
    Gap {
        what: "whether and when the runtime was deleted".to_owned(),
        reason: GapReason::NotAsked,
        evidence,
        command: Some(case.command(
            "cloudtrail",
            "LookupEvents",
            &serde_json::json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "DeleteAgentRuntime" }] }),
        )),
    }
}

fn is_used(case: &Case, subnet: Option<&launchpath_model::ids::SubnetId>) -> bool {
    let Some(subnet) = subnet else { return false };
    let uses = |runtime: &launchpath_model::aws::agentcore::Runtime| {
        runtime.status != Some(RuntimeStatus::Deleting)
            && runtime.vpc_config().is_some_and(|config| config.subnets.contains(subnet))
    };
    case.world.runtimes.iter().any(|(_, row)| uses(&row.value))
}

fn wait() -> Repair {
    let mut repair = Repair::new(
        "Wait until the service takes its interfaces back, then delete subnets and groups; nobody else can detach them",
        Safety::Safe,
        Vec::new(),
    );
    repair.steps =
        vec![format!("aws ec2 describe-network-interfaces --filters Name=tag:{AGENTCORE_TAG},Values=true")];
    repair
}
