//! `tool.network_config_dropped`: a tool drops or rewrites the network configuration on its way to the API.

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
    let Some(failure) = own_text::named(context, FAULT.code) else {
        return own_text::accepted(context);
    };
    own_text::found(context, failure, mend())
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
