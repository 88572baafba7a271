//! `launchpath diagnose --all`: every runtime of one saved bundle.

use std::path::Path;

use launchpath_report::{Format, fleet_json, fleet_json_lines, fleet_text};

use crate::cli::{DiagnoseArguments, Form, Global};
use crate::failure::Failure;
use crate::{disk, output, query};

/// Diagnoses all of them; the exit code is that of the runtime that stands worst.
pub(crate) fn run(global: &Global, arguments: &DiagnoseArguments, bundle: &Path) -> Result<u8, Failure> {
    let world = disk::open(bundle)?;
    let diagnoses = launchpath_diagnose::diagnose_all(&world);
    if diagnoses.is_empty() {
        let error = anyhow::anyhow!("{}: it describes no runtime", bundle.display());
        return Err(Failure::usage(error).advise("it takes the answer of GetAgentRuntime for each of them"));
    }
    let json = || fleet_json(&diagnoses);
    let query = global.query.as_ref();
    let text = match arguments.format {
        Form::Report(Format::Text) => query::shown(query, json, || fleet_text(&diagnoses))?,
        Form::Report(Format::Json) => query::shown(query, json, json)?,
        Form::Report(Format::JsonLines) => {
            query::refuse(query, "--format jsonl")?;
            fleet_json_lines(&diagnoses)
        }
        Form::Report(_) | Form::Certificate => {
            let error = anyhow::anyhow!("--all: many runtimes have no report of one");
            return Err(Failure::usage(error).advise("take text, json or jsonl, or name one runtime"));
        }
    };
    output::deliver(&text, arguments.output.as_deref())?;
    // Broken before not known, not known before warnings.
    let worst = [1, 3, 4].into_iter().find(|code| diagnoses.iter().any(|one| one.exit_code() == *code));
    Ok(worst.unwrap_or(0))
}
