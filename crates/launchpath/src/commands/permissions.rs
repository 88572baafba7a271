//! `launchpath permissions`: the minimum policy, generated from the table of operations that collection may send.

use crate::cli::{Global, PermissionsArguments, PolicyForm};
use crate::failure::Failure;
use crate::{output, query};

/// Runs the command.
pub(crate) fn run(global: &Global, arguments: &PermissionsArguments) -> Result<u8, Failure> {
    let text = match arguments.format {
        PolicyForm::Json if global.query.is_some() => {
            let policy = launchpath_aws::permissions::json(&arguments.partition);
            global.query.as_ref().map_or(Ok(String::new()), |query| query.select(&policy))?
        }
        _ if global.query.is_some() => {
            query::refuse(global.query.as_ref(), "this form of the policy")?;
            String::new()
        }
        PolicyForm::Json => launchpath_aws::permissions::json(&arguments.partition),
        PolicyForm::Cloudformation => launchpath_aws::permissions::cloudformation(),
        PolicyForm::Terraform => launchpath_aws::permissions::terraform(),
    };
    output::deliver(&format!("{}\n", text.trim_end()), None)?;
    Ok(0)
}
