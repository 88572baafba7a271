//! `svc.update_drops_fields`: an update replaces every member, and one that it left out is gone.

use launchpath_model::aws::agentcore::Runtime;
use launchpath_model::{EvidenceId, Gap, GapReason};
use serde_json::json;

use crate::case::Case;
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "svc.update_drops_fields",
    title: "An update left out members that the runtime had before",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "ListAgentRuntimeVersions", "LookupEvents"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    let Some(runtime) = case.runtime() else {
        return Check::unknown(gap(case));
    };
    if runtime.agent_runtime_version.as_deref() == Some("1") {
        return Check::ruled_out(
            "the runtime is at its first version: nothing was updated",
            case.runtime_evidence(),
        );
    }
    let Some((version, before, mut evidence)) = former(case, runtime) else {
        return Check::unknown(gap(case));
    };
    let dropped = dropped(before, runtime);
    evidence.extend(case.runtime_evidence());
    if dropped.is_empty() {
        let present = runtime.agent_runtime_version.as_deref().and_then(|number| number.parse::<i64>().ok());
        if present.map(|number| (number - 1).to_string()).as_deref() != Some(version.as_str()) {
            // A version between them may have had more.
            return Check::unknown(Gap { evidence, ..gap(case) });
        }
        let text = format!(
            "version {version} had no network, protocol, authorizer, header, file-system or lifecycle configuration and no \
             variable that is gone"
        );
        return Check::ruled_out(text, evidence);
    }
    let Some(stage) =
        context.progress.first_failed().filter(|_| context.progress.all_failures().any(|f| !f.reported))
    else {
        return Check::unknown(Gap { evidence, ..gap(case) });
    };
    let text = format!("version {version} had {}; the present one does not", dropped.join(", "));
    let finding = Finding::new(
        Certainty::Circumstantial,
        trial::runtime_subject(case),
        vec![because(text, &evidence, 6.0)],
    );
    Check::found(finding.map(|finding| finding.at(stage).with_repair(send_all(&dropped))))
}

/// The latest older version that is described in full.
fn former<'a>(case: &Case<'a>, runtime: &Runtime) -> Option<(String, &'a Runtime, Vec<EvidenceId>)> {
    let present: i64 = runtime.agent_runtime_version.as_deref()?.parse().ok()?;
    let id = case.id.as_ref()?;
    let older = case.world.runtime_versions.iter().filter_map(|((of, version), row)| {
        let number: i64 = version.parse().ok()?;
        (of == id && number < present && row.value.agent_runtime_artifact.is_some())
            .then(|| (number, version.clone(), &row.value, row.evidence.clone()))
    });
    older
        .max_by_key(|(number, ..)| *number)
        .map(|(_, version, runtime, evidence)| (version, runtime, evidence))
}

/// Members of the former version that the present one lacks, environment variables by name.
fn dropped(before: &Runtime, now: &Runtime) -> Vec<String> {
    let mut gone = Vec::new();
    let mut member = |name: &str, was: bool, is: bool| {
        if was && !is {
            gone.push(name.to_owned());
        }
    };
    member(
        "protocolConfiguration",
        before.protocol_configuration.is_some(),
        now.protocol_configuration.is_some(),
    );
    member(
        "authorizerConfiguration",
        before.authorizer_configuration.is_some(),
        now.authorizer_configuration.is_some(),
    );
    member(
        "requestHeaderConfiguration",
        before.request_header_configuration.is_some(),
        now.request_header_configuration.is_some(),
    );
    member(
        "filesystemConfigurations",
        before.filesystem_configurations.is_some(),
        now.filesystem_configurations.is_some(),
    );
    member("networkConfiguration", before.vpc_config().is_some(), now.vpc_config().is_some());
    member(
        "lifecycleConfiguration",
        before.lifecycle_configuration.is_some(),
        now.lifecycle_configuration.is_some(),
    );
    let names = |runtime: &Runtime| -> Vec<String> {
        runtime.environment_variables.iter().flat_map(|all| all.keys().cloned()).collect()
    };
    let present = names(now);
    gone.extend(
        names(before)
            .into_iter()
            .filter(|name| !present.contains(name))
            .map(|name| format!("the variable {name}")),
    );
    gone
}

fn gap(case: &Case) -> Gap {
    let id = case.id.as_ref().map(ToString::to_string).unwrap_or_default();
    Gap {
        what: "the version before, described in full".to_owned(),
        reason: GapReason::NotAsked,
        evidence: Vec::new(),
        command: Some(case.command(
            "bedrock-agentcore-control",
            "GetAgentRuntime",
            &json!({ "agentRuntimeId": id, "agentRuntimeVersion": "VERSION" }),
        )),
    }
}

fn send_all(dropped: &[String]) -> Repair {
    let mut repair = Repair::new(
        format!("Update the runtime with every member, {} included", dropped.join(", ")),
        Safety::Review,
        Vec::new(),
    );
    repair.steps = vec![
        "# read get-agent-runtime of the former version, change what is meant, send all of it".to_owned(),
    ];
    repair
}
