//! `launchpath logs`, and `--logs` of `diagnose`: log files of any size, plain or gzipped, read once.
//!
//! What is found, and how, is `launchpath-logs`'. Here: the files, the report's text, and the call that a bundle takes.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use launchpath_intake::{Bundle, Call, open_bundle};
use launchpath_logs::{Found, Place, Report, Scanner};
use launchpath_report::clean;
use serde_json::{Value, json};

use crate::cli::{AnswerFormat, Global, LogsArguments};
use crate::failure::Failure;
use crate::{output, query};

/// Runs the command.
pub(crate) fn run(global: &Global, arguments: &LogsArguments) -> Result<u8, Failure> {
    let report = scan(&arguments.files)?;
    let document =
        serde_json::to_string_pretty(&report).context("the report").map_err(Failure::environment)?;
    let json = || format!("{document}\n");
    let text = query::shown(global.query.as_ref(), json, || match arguments.format {
        AnswerFormat::Json => json(),
        AnswerFormat::Text => plain(&report, arguments.files.len()),
    })?;
    output::deliver(&text, arguments.output.as_deref())?;
    Ok(0)
}

/// Adds to a bundle what log files of its runtime hold.
pub(crate) fn add(bundle: &mut Bundle, files: &[PathBuf]) -> Result<(), Failure> {
    let world = open_bundle(bundle)?;
    let runtime = world.subject_id().and_then(|id| world.runtimes.seen(&id).map(|row| row.value.clone()));
    let Some(runtime) = runtime else {
        let error = anyhow::anyhow!(
            "--logs: the evidence describes no runtime, so it is not known whose lines these are"
        );
        return Err(Failure::usage(error)
            .advise("add the answer of get-agent-runtime, or scan the files with `launchpath logs`"));
    };
    let group = runtime.log_group(world.endpoint());
    let report = scan(files)?;
    let names: Vec<_> = files.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy())).collect();
    let mut call = Call::new(&bundle.next_id(), "launchpath", "ReadLogs");
    call.at = bundle.collected_at;
    // Who reads the bundle must not take a selection of lines for all of them.
    call.request = Some(json!({ "logGroupName": group, "files": names, "selection": !report.whole }));
    let mut events: Vec<_> = report.events.iter().map(|event| event.to_value("file")).collect();
    for event in &mut events {
        if let Some(Value::String(message)) = event.get_mut("message") {
            *message = launchpath_aws::mask_text(message);
        }
    }
    call.response = Some(json!({ "events": events }));
    bundle.push(call);
    if !report.whole {
        output::remark(&format!(
            "{} of {} log lines joined the evidence: those with signatures and tracebacks, and both ends of each file",
            report.events.len(),
            report.lines
        ));
    }
    Ok(())
}

fn scan(files: &[PathBuf]) -> Result<Report, Failure> {
    let mut scanner = Scanner::default();
    for file in files {
        let name = file.display().to_string();
        let read = || -> anyhow::Result<()> {
            scanner.read(&name, open(file)?)?;
            Ok(())
        };
        read_file(read, &name)?;
    }
    Ok(scanner.finish())
}

fn read_file(read: impl FnOnce() -> anyhow::Result<()>, name: &str) -> Result<(), Failure> {
    read().with_context(|| name.to_owned()).map_err(Failure::usage)
}

/// The bytes of a file, or of standard input for `-`; gzipped ones unpacked.
fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if path.is_dir() {
        anyhow::bail!("it is a folder: name the log files in it");
    }
    if path == Path::new("-") {
        let mut input = std::io::stdin().lock();
        let mut start = Vec::new();
        input.by_ref().take(2).read_to_end(&mut start)?;
        let gzipped = start == GZIP;
        let whole = std::io::Cursor::new(start).chain(input);
        return Ok(if gzipped {
            Box::new(MultiGzDecoder::new(BufReader::new(whole)))
        } else {
            Box::new(whole)
        });
    }
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    if start == GZIP {
        file.seek(SeekFrom::Start(0))?;
        return Ok(Box::new(MultiGzDecoder::new(BufReader::new(file))));
    }
    // A pipe cannot go back.
    Ok(Box::new(std::io::Cursor::new(start).chain(file)))
}

/// Lines of a traceback that the text shows.
const LINES_SHOWN: usize = 12;
/// Tracebacks that the text shows.
const TRACEBACKS_SHOWN: usize = 10;

fn plain(report: &Report, files: usize) -> String {
    let span = match (report.from, report.to) {
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        _ => String::new(),
    };
    let noun = if files == 1 { "file" } else { "files" };
    let mut text = format!("{files} {noun}, {} bytes, {} lines{span}\n", report.bytes, report.lines);
    if report.found.is_empty() {
        text += "\nNo signature of a failed start was found. That proves nothing of a start that printed nothing.\n";
        return text;
    }
    if !report.tracebacks.is_empty() {
        text += "\nTracebacks\n";
    }
    for group in report.tracebacks.iter().take(TRACEBACKS_SHOWN) {
        text += &format!(
            "\n  {}, {}: {}\n",
            counted(group.count, "time"),
            group.language,
            clean::line(&group.headline)
        );
        text += &format!("    {}\n", between(&group.first, &group.last));
        let lines = clean::lines(&group.text);
        let left = lines.len().saturating_sub(LINES_SHOWN);
        for line in &lines[left..] {
            text += &format!("      {line}\n");
        }
    }
    let more = report.tracebacks.len().saturating_sub(TRACEBACKS_SHOWN);
    if more > 0 {
        text += &format!("\n  and {more} more kinds of traceback: --format json\n");
    }
    text += "\nSignatures\n";
    for found in &report.found {
        text += &signature(found);
    }
    text += "\nA line says what happened when it was printed. Whether that stops a launch: launchpath diagnose RUNTIME --logs FILE\n";
    text
}

fn signature(found: &Found) -> String {
    let fault = found.fault.as_ref().map(|fault| format!(" ({fault})")).unwrap_or_default();
    format!(
        "\n  {}: {}{fault}\n    {}\n      {}\n",
        counted(found.count, "line"),
        found.means,
        between(&found.first, &found.last),
        short(&clean::line(&found.last.event.text))
    )
}

fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

fn between(first: &Place, last: &Place) -> String {
    let place = |place: &Place| {
        let at = place.event.at.map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{}:{}{at}", clean::line(&place.file), place.event.line)
    };
    if first == last { place(first) } else { format!("first {}, last {}", place(first), place(last)) }
}

/// No more of a line than a reader needs to recognise it.
fn short(line: &str) -> String {
    const MOST: usize = 200;
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
