//! `launchpath explain`: the catalogue, or one fault's page.

use launchpath_diagnose::faults;
use launchpath_report::explain::{Entry, catalogue, document};

use crate::cli::{ExplainArguments, Global, HowMuch};
use crate::failure::Failure;
use crate::output;

/// Runs the command.
pub(crate) fn run(global: &Global, arguments: &ExplainArguments) -> Result<u8, Failure> {
    let options = output::options(global, false, HowMuch::Normal);
    let Some(code) = &arguments.fault else {
        let mut all = faults::all();
        all.sort_by_key(|fault| (fault.stage, fault.code));
        let entries: Vec<Entry<'_>> = all
            .iter()
            .map(|fault| Entry { code: fault.code, title: fault.title, stage: fault.stage.title() })
            .collect();
        output::deliver(&catalogue(&entries, &options), None)?;
        return Ok(0);
    };
    let Some(fault) = faults::find(code) else {
        let area = code.split('.').next().unwrap_or_default();
        let near: Vec<&str> =
            faults::all().iter().map(|fault| fault.code).filter(|c| c.starts_with(area)).collect();
        let failure = Failure::usage(anyhow::anyhow!("there is no fault `{code}` in the catalogue"));
        return Err(failure.advise(if near.is_empty() {
            "`launchpath explain` lists them".to_owned()
        } else {
            format!("in {area}: {}", near.join(", "))
        }));
    };
    let text = format!("# {}\n\n{}\n\n{}", fault.code, fault.title, fault.doc);
    output::deliver(&document(&text, &options), None)?;
    Ok(0)
}
