//! CodeBuild: builds of the artifact.
//!
//! AWS: <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html>

use launchpath_model::World;
use launchpath_model::time::Timestamp;
use launchpath_model::world::Build;
use serde_json::Value;

use super::{Lowered, Recorded};

pub(super) fn lower(world: &mut World, call: &Recorded) -> Lowered {
    if call.evidence.operation != "BatchGetBuilds" {
        return Lowered::UnknownOperation;
    }
    for row in call.raw_rows("builds") {
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(id), Some(status)) = (text("id"), text("buildStatus")) else { continue };
        let started = row.get("startTime").cloned().unwrap_or(Value::Null);
        world.builds.push(Build {
            evidence: call.evidence.id.clone(),
            id,
            status,
            started_at: serde_json::from_value::<Option<Timestamp>>(started).ok().flatten(),
            reason: reason(row),
        });
    }
    Lowered::Done
}

/// The first context of a phase that did not succeed.
fn reason(build: &Value) -> Option<String> {
    let phases = build.get("phases")?.as_array()?;
    let failed = phases.iter().filter(|phase| {
        phase.get("phaseStatus").and_then(Value::as_str).is_some_and(|status| status != "SUCCEEDED")
    });
    let contexts = failed.filter_map(|phase| phase.get("contexts")?.as_array()).flatten();
    contexts
        .filter_map(|context| context.get("message").and_then(Value::as_str))
        .find(|message| !message.trim().is_empty())
        .map(str::to_owned)
}
