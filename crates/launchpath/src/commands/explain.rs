//! `launchpath explain`: the catalogue, or one fault's page.

use launchpath_diagnose::faults::{self, Fault};
use launchpath_report::explain::{Entry, catalogue, document};
use serde_json::json;

use crate::cli::{AnswerFormat, ExplainArguments, Global, HowMuch};
use crate::failure::Failure;
use crate::{output, query};

/// Runs the command.
pub(crate) fn run(global: &Global, arguments: &ExplainArguments) -> Result<u8, Failure> {
    let options = output::options(global, false, HowMuch::Normal);
    if arguments.format == AnswerFormat::Json || global.query.is_some() {
        let json = json(arguments.fault.as_deref())?;
        let text = query::shown(global.query.as_ref(), || json.clone(), || json.clone())?;
        output::deliver(&text, None)?;
        return Ok(0);
    }
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
    let fault = find(code)?;
    let text = format!("# {}\n\n{}\n\n{}", fault.code, fault.title, fault.doc);
    output::deliver(&document(&text, &options), None)?;
    Ok(0)
}

/// The fault, or which ones there are.
fn find(code: &str) -> Result<&'static Fault, Failure> {
    faults::find(code).ok_or_else(|| {
        let area = code.split('.').next().unwrap_or_default();
        let near: Vec<&str> =
            faults::all().iter().map(|fault| fault.code).filter(|c| c.starts_with(area)).collect();
        let failure = Failure::usage(anyhow::anyhow!("there is no fault `{code}` in the catalogue"));
        failure.advise(if near.is_empty() {
            "`launchpath explain` lists them".to_owned()
        } else {
            format!("in {area}: {}", near.join(", "))
        })
    })
}

/// One fault, or all of them in the order of the chain, as JSON.
fn json(code: Option<&str>) -> Result<String, Failure> {
    let entry = |fault: &Fault| {
        json!({
            "fault": fault.code,
            "title": fault.title,
            "stage": fault.stage.id(),
            "since": fault.since,
            "needs": fault.needs,
            "doc": fault.doc,
        })
    };
    let value = if let Some(code) = code {
        entry(find(code)?)
    } else {
        let mut all = faults::all();
        all.sort_by_key(|fault| (fault.stage, fault.code));
        all.into_iter().map(entry).collect()
    };
    Ok(format!("{value:#}\n"))
}
