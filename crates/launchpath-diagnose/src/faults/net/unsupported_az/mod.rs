//! `net.unsupported_az`: a subnet lies in a zone that AgentCore does not support.
//!
//! AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html>. Zones are compared by id; a name
//! such as `us-east-1a` means another zone in every account.

use launchpath_model::ids::SubnetId;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, service};
use serde_json::json;

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because};
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.unsupported_az",
    title: "A subnet lies in an Availability Zone that AgentCore does not support",
    stage: Stage::VpcValidation,
    since: "0.1.0",
    prior: 6.0,
    needs: &["GetAgentRuntime", "DescribeSubnets"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(config) = case.vpc_config() else {
        return Check::NotApplicable("only in VPC mode");
    };
    let said = context.progress.all_failures().find(|f| f.fault == Some(FAULT.code) && !f.reported);
    let mut bad: Vec<(SubnetId, String)> = Vec::new();
    let mut evidence: Vec<EvidenceId> = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let Some(region) = &case.world.region else {
        return Check::unknown(Gap::not_asked("the Region", "aws configure get region"));
    };
    let zones = service::supported_zones(region, case.changed_at().or(case.world.collected_at));
    for id in &config.subnets {
        match case.subnet(id) {
            Known::Known(fact) => match (&fact.value.availability_zone_id, &zones) {
                (Some(zone), Some(zones)) => {
                    evidence.extend(fact.evidence);
                    if !zones.zone_ids.contains(zone) {
                        bad.push((id.clone(), format!("{zone}")));
                    }
                }
                (None, _) => gaps.push(missing_zone_id(context, id, fact.evidence)),
                (_, None) => gaps.push(Gap {
                    what: format!("the zones AgentCore supports in {region}"),
                    reason: GapReason::NotModelled {
                        what: "the table of supported zones has no row for this Region and date".into(),
                    },
                    evidence: fact.evidence,
                    command: None,
                }),
            },
            Known::Absent(absence) => gaps.push(Gap {
                what: format!("the zone of {id}"),
                reason: GapReason::NotVisible { why: "the subnet does not exist (any more)".to_owned() },
                evidence: absence.evidence().to_vec(),
                command: None,
            }),
            Known::Unknown(gap) => gaps.push(gap),
        }
    }
    let named = said.map(|failure| (failure.text.clone(), failure.evidence.clone()));
    if bad.is_empty() && named.is_none() {
        return if gaps.is_empty() {
            Check::ruled_out("every subnet lies in a supported zone (by zone id)", evidence)
        } else {
            Check::Unknown(gaps)
        };
    }
    let supported = zones.map(|z| z.zone_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let mut lines = Vec::new();
    for (subnet, zone) in &bad {
        let supported = supported.as_deref().unwrap_or("unknown");
        lines.push(because(
            format!("{subnet} lies in {zone}; {region} supports {supported}"),
            &evidence,
            DIRECT,
        ));
    }
    if let Some((text, evidence)) = &named {
        lines.push(because(format!("the service says so: {text}"), evidence, DIRECT));
    }
    let subjects: Vec<String> = if bad.is_empty() {
        config
            .subnets
            .iter()
            .map(ToString::to_string)
            .filter(|id| named.as_ref().is_some_and(|(text, _)| text.contains(id)))
            .collect()
    } else {
        bad.iter().map(|(id, _)| id.to_string()).collect()
    };
    let finding = Finding::new(Certainty::Proven, subjects, lines);
    let leave: Vec<SubnetId> = bad.into_iter().map(|(id, _)| id).collect();
    let repairable = leave.len() < config.subnets.len() && !leave.is_empty();
    Check::found(finding.map(|finding| match &case.id {
        Some(id) if repairable => finding.with_repair(Repair::new(
            "Take the subnets in unsupported zones out of the runtime's configuration (a VPC change may need a new runtime)",
            Safety::Review,
            vec![Change::DropSubnets { runtime: id.clone(), subnets: leave }],
        )),
        _ => finding,
    }))
}

fn missing_zone_id(context: &Context, id: &SubnetId, evidence: Vec<EvidenceId>) -> Gap {
    let request = json!({ "SubnetIds": [id.as_str()] });
    Gap {
        what: format!("the zone id of {id}"),
        reason: GapReason::MemberMissing { path: "AvailabilityZoneId".to_owned() },
        evidence,
        command: Some(context.case.command("ec2", "DescribeSubnets", &request)),
    }
}
