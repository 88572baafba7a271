//! `tool.state_lost`: a tool asks for a runtime that is there already: its state and the account differ.

use launchpath_model::Known;

use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Check, Context, Fault, own_text};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "tool.state_lost",
    title: "A runtime of that name is there, and the tool does not know it",
    stage: Stage::RequestValidation,
    since: "0.1.0",
    prior: 1.0,
    needs: &["CreateAgentRuntime", "LookupEvents", "ListAgentRuntimes"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let Some(failure) = own_text::named(context, FAULT.code) else {
        return own_text::accepted(context);
    };
    // A runtime that is there was accepted once: the refused second creation says something about the tool, not about its launch.
    let made = matches!(context.case.known_runtime(), Known::Known(_));
    let stage = if made { Stage::Lifecycle } else { failure.stage };
    own_text::found_at(stage, context, failure, mend())
}

fn mend() -> Repair {
    let mut repair = Repair::new(
        "Import the runtime into the state of the tool, or delete it, and run the tool again",
        Safety::Review,
        Vec::new(),
    );
    repair.steps = vec!["# terraform import …, or aws bedrock-agentcore-control delete-agent-runtime --agent-runtime-id ID when nothing uses it".to_owned()];
    repair
}
