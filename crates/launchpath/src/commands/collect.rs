//! `launchpath collect`: evidence only; `--dry-run` says what would be asked, `--script` lets the AWS CLI ask it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;

use super::{live, redact};
use crate::cli::{CollectArguments, Global};
use crate::failure::Failure;
use crate::output;

/// Runs the command.
pub(crate) fn run(_global: &Global, arguments: &CollectArguments) -> Result<u8, Failure> {
    let request = live::request(&arguments.runtime, &arguments.subject);
    if arguments.script {
        output::deliver(&launchpath_aws::script(&request)?, arguments.output.as_deref())?;
        return Ok(0);
    }
    if arguments.dry_run {
        // `--output` names the bundle of a real run: a list of calls must not replace one.
        output::deliver(&dry_run(&launchpath_aws::plan(&request)?), None)?;
        return Ok(0);
    }
    let bundle = redact::as_wanted(live::collect(&arguments.aws, request)?, &arguments.redaction)?;
    let mut bytes = serde_json::to_vec_pretty(&bundle).context("the bundle").map_err(Failure::environment)?;
    bytes.push(b'\n');
    if let Some(path) = &arguments.output {
        save(path, &bytes)?;
    }
    Ok(0)
}

/// The calls by wave, and the IAM actions they need.
fn dry_run(plan: &launchpath_aws::Plan) -> String {
    let mut text =
        String::from("Calls, all read-only unless said otherwise; those of one wave go out together:\n");
    let last = plan.steps.iter().map(|step| step.wave).max().unwrap_or(0);
    for wave in 0..=last {
        let _ = writeln!(text, "\nwave {}", wave + 1);
        for step in plan.steps.iter().filter(|step| step.wave == wave) {
            let when = if step.when.is_empty() { String::new() } else { format!(" (only if {})", step.when) };
            let _ = writeln!(text, "  {}{when}", step.name);
            for call in &step.calls {
                let _ = writeln!(text, "    {} {} - {}", call.service, call.operation, call.why);
            }
        }
    }
    text.push_str("\nIAM actions:\n");
    for action in plan.actions() {
        let _ = writeln!(text, "  {action}");
    }
    text
}

/// Saves a bundle: `.zip` as an archive, a directory (existing, or named with a final slash) as `bundle.json` in it.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let named_as_folder = path.as_os_str().to_string_lossy().ends_with('/');
    if named_as_folder || path.is_dir() {
        std::fs::create_dir_all(path)
            .with_context(|| path.display().to_string())
            .map_err(Failure::environment)?;
        return output::write_whole(&path.join("bundle.json"), bytes);
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        let zipped =
            zipped(bytes).with_context(|| path.display().to_string()).map_err(Failure::environment)?;
        return output::write_whole(path, &zipped);
    }
    output::write_whole(path, bytes)
}

fn zipped(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("bundle.json", zip::write::SimpleFileOptions::default())?;
    archive.write_all(bytes)?;
    Ok(archive.finish()?.into_inner())
}
