//! `launchpath permissions`: the minimum policy, generated from the table of operations that collection may send, and whether a
//! caller has it (`--check`).
//!
//! What each missing action leaves undecided is worked out in `check`, what the answer looks like in `answer`.

mod answer;
mod check;

use launchpath_intake::Bundle;
use launchpath_model::world::DEFAULT_ENDPOINT;

use super::live;
use crate::cli::{Global, HowMuch, PermissionsArguments, PolicyForm, SubjectArguments};
use crate::failure::Failure;
use crate::{disk, output, query};

/// Runs the command.
pub(crate) fn run(global: &Global, arguments: &PermissionsArguments) -> Result<u8, Failure> {
    if arguments.check {
        return checked(global, arguments);
    }
    let form = match arguments.format {
        None => PolicyForm::Json,
        Some(PolicyForm::Text) => {
            let error = anyhow::anyhow!("--format text: the policy is a document; text is for --check");
            return Err(Failure::usage(error).advise("leave --format away, or ask with --check"));
        }
        Some(form) => form,
    };
    if form != PolicyForm::Json {
        query::refuse(global.query.as_ref(), "this form of the policy")?;
    }
    let json = || launchpath_aws::permissions::json(&arguments.partition);
    let text = query::shown(global.query.as_ref(), json, || match form {
        PolicyForm::Json | PolicyForm::Text => json(),
        PolicyForm::Cloudformation => launchpath_aws::permissions::cloudformation(),
        PolicyForm::Terraform => launchpath_aws::permissions::terraform(),
    })?;
    output::deliver(&format!("{}\n", text.trim_end()), None)?;
    Ok(0)
}

/// Whether the caller may do what a collection does, from the answers of one.
fn checked(global: &Global, arguments: &PermissionsArguments) -> Result<u8, Failure> {
    let bundle = match (&arguments.bundle, &arguments.runtime) {
        (Some(path), _) => disk::whole_bundle(path)?,
        (None, Some(runtime)) => {
            let subject = SubjectArguments::of_endpoint(DEFAULT_ENDPOINT);
            let bundle = live::collect(&arguments.aws, live::request(runtime, &subject))?;
            Bundle::from_value("bundle.json", bundle)?
        }
        (None, None) => {
            let error =
                anyhow::anyhow!("--check: no RUNTIME whose collection would be tried, and no --bundle");
            return Err(Failure::usage(error).advise("name the runtime, or give a saved case with --bundle"));
        }
    };
    let checked = check::check(&bundle)?;
    let text = match (arguments.format, &global.query) {
        (_, Some(query)) => query.select(&answer::json(&checked))?,
        (None | Some(PolicyForm::Text), None) => {
            answer::text(&checked, &output::options(global, false, HowMuch::Normal))
        }
        (Some(PolicyForm::Json), None) => answer::json(&checked),
        (Some(_), None) => {
            return Err(Failure::usage(anyhow::anyhow!("--check answers as text or json, not as a policy")));
        }
    };
    output::deliver(&text, None)?;
    Ok(checked.exit_code())
}
