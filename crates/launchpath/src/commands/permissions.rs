//! `launchpath permissions`: the minimum policy, generated from the table of operations that collection may send.

use crate::cli::{PermissionsArguments, PolicyForm};
use crate::failure::Failure;
use crate::output;

/// Runs the command.
pub(crate) fn run(arguments: &PermissionsArguments) -> Result<u8, Failure> {
    let text = match arguments.format {
        PolicyForm::Json => launchpath_aws::permissions::json(&arguments.partition),
        PolicyForm::Cloudformation => launchpath_aws::permissions::cloudformation(),
        PolicyForm::Terraform => launchpath_aws::permissions::terraform(),
    };
    output::deliver(&format!("{}\n", text.trim_end()), None)?;
    Ok(0)
}
