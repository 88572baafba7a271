//! `tool.network_config_dropped`: a tool drops or rewrites the network configuration on its way to the API.

use launchpath_model::aws::trail::TrailEvent;
use launchpath_model::ids::RuntimeId;
use launchpath_model::{Gap, GapReason, Known};
use serde_json::json;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Check, Context, Fault, own_text};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "tool.network_config_dropped",
    title: "The network configuration that was meant did not reach the service",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 3.0,
    needs: &["GetAgentRuntime", "CreateAgentRuntime", "LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    if let Some(failure) = own_text::named(context, FAULT.code) {
        return own_text::found(context, failure, mend());
    }
    own_text::refused_otherwise(context).unwrap_or_else(|| arrived(context.case))
}

/// What the service holds. A configuration that is there arrived; where none is, nobody but the sender knows whether one was meant.
fn arrived(case: &Case) -> Check {
    if let Some(config) = case.vpc_config() {
        let join = |ids: Vec<String>| ids.join(", ");
        let text = format!(
            "a network configuration reached the service: VPC mode, {}, {}",
            join(config.subnets.iter().map(ToString::to_string).collect()),
            join(config.security_groups.iter().map(ToString::to_string).collect()),
        );
        return Check::ruled_out(text, case.runtime_evidence());
    }
    if let Known::Unknown(gap) = case.known_runtime() {
        return Check::unknown(gap);
    }
    let what = "whether another network was meant than the runtime has".to_owned();
    let created = "CreateAgentRuntime";
    let requests = case.trail(created, |event| event.succeeded() && is_of(case, event));
    let asked = requests.rows.iter().find_map(|row| {
        let network = row.value.request_parameters.as_ref()?.get("networkConfiguration")?;
        Some((row, network.get("networkMode")?.as_str()?))
    });
    let mut evidence = case.runtime_evidence();
    let (why, command) = if let Some((row, mode)) = asked {
        evidence.extend(row.evidence.clone());
        let why = format!(
            "it is in PUBLIC mode, and the request that reached the service asked for {mode} mode; what the tool was told \
             before stands in the tool's own file (.bedrock_agentcore.yaml, agentcore.json)"
        );
        (why, None)
    } else {
        let named = json!([{ "AttributeKey": "EventName", "AttributeValue": created }]);
        let command = case.command("cloudtrail", "LookupEvents", &json!({ "LookupAttributes": named }));
        let why = "it is in PUBLIC mode, and what a tool was told stands in the tool's own file";
        (why.to_owned(), Some(command))
    };
    Check::unknown(Gap { what, reason: GapReason::NotVisible { why }, evidence, command })
}

/// Whether the trail's event made this runtime.
fn is_of(case: &Case, event: &TrailEvent) -> bool {
    let made = event.response_elements.as_ref().and_then(|made| made.get("agentRuntimeId")?.as_str());
    made.is_some() && made == case.id.as_ref().map(RuntimeId::as_str)
}

fn mend() -> Repair {
    let mut repair = Repair::new(
        "Send the network configuration to the API itself, or upgrade the tool",
        Safety::Review,
        Vec::new(),
    );
    repair.steps = vec![
        "# update-agent-runtime replaces every member: send the present ones and --network-configuration"
            .to_owned(),
    ];
    repair
}
