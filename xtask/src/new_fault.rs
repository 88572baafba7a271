//! `cargo xtask new-fault area.fault_name`: a fault's folder from templates, and the two lines that register it.
//!
//! What it writes is what a person would have written: modules and table entries in alphabetical order, formatted by
//! rustfmt. It writes all of it or nothing. The templates lie in `xtask/templates`; start with [`run`].

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use launchpath_diagnose::chain::Stage;

use crate::tidy::FAULTS;

const FAULT: &str = include_str!("../templates/mod.rs.txt");
const AREA: &str = include_str!("../templates/area.rs.txt");
const DOC: &str = include_str!("../templates/doc.md");
const SCENARIO: &str = include_str!("../templates/scenario.md");

/// Where faults of an area usually break the launch.
const USUAL_STAGES: &[(&str, Stage)] = &[
    ("app", Stage::ProcessStart),
    ("contract", Stage::Health),
    ("iam", Stage::RequestValidation),
    ("image", Stage::ArtifactAvailable),
    ("logs", Stage::LogDelivery),
    ("net", Stage::ArtifactFetch),
    ("svc", Stage::InvokeAdmission),
];

/// What the new fault is.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Its code: `area.fault_name`. It names the fault, never the remedy, and it is forever.
    code: String,
    /// What is wrong, in one line.
    #[arg(long)]
    title: Option<String>,
    /// The stage it breaks, by its public name (`network_attach`); the area's usual one by default.
    #[arg(long)]
    stage: Option<String>,
}

/// Writes the fault and says what is left to do.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<String> {
    let code = Code::parse(&arguments.code)?;
    let stage = stage(&code, arguments.stage.as_deref())?;
    let title = arguments.title.as_deref().unwrap_or("FILL IN what is wrong");
    ensure!(!title.contains(['"', '\\', '\n']), "the title must be plain text without quotes");
    let fill = |template: &str| {
        let filled = template.replace("{code}", &arguments.code).replace("{name}", &code.name);
        filled
            .replace("{title}", title)
            .replace("{stage}", &format!("{stage:?}"))
            .replace("{since}", env!("CARGO_PKG_VERSION"))
    };
    let faults = root.join(FAULTS);
    let area = faults.join(&code.area);
    let known = area.is_dir();
    let module = area.join(&code.name);
    ensure!(!module.exists(), "{} exists; a code is never used twice", arguments.code);
    ensure!(!module.with_extension("rs").exists(), "{}/{}.rs has the name", code.area, code.name);

    // Everything is made ready under another name first; two renames then show it.
    let staged =
        tempfile::Builder::new().prefix(".new-fault-").tempdir_in(&faults).context("failed to write")?;
    let folder =
        if known { staged.path().join(&code.name) } else { staged.path().join(&code.area).join(&code.name) };
    fs::create_dir_all(folder.join("scenarios"))?;
    fs::write(folder.join("mod.rs"), format(root, &fill(FAULT))?)?;
    fs::write(folder.join("doc.md"), fill(DOC))?;
    fs::write(folder.join("scenarios").join(format!("{}.md", code.name)), fill(SCENARIO))?;
    let (table, registered) = if known {
        let table = area.join("mod.rs");
        let text =
            fs::read_to_string(&table).with_context(|| format!("failed to read {}", table.display()))?;
        let text = with_module(&text, &code.name);
        (table, with_entry(&text, "FAULTS: &[&Fault] =", &format!("&{}::FAULT", code.name))?)
    } else {
        fs::write(staged.path().join(&code.area).join("mod.rs"), format(root, &fill(AREA))?)?;
        let table = faults.join("mod.rs");
        let text =
            fs::read_to_string(&table).with_context(|| format!("failed to read {}", table.display()))?;
        let text = with_module(&text, &code.area);
        (
            table,
            with_entry(&text, "pub fn all() -> Vec<&'static Fault> {", &format!("{}::FAULTS", code.area))?,
        )
    };
    let mut replacement = tempfile::NamedTempFile::new_in(&faults)?;
    replacement.write_all(format(root, &registered)?.as_bytes())?;
    fs::set_permissions(replacement.path(), fs::metadata(&table)?.permissions())?;

    let (from, to) = if known { (folder, module) } else { (staged.path().join(&code.area), area) };
    fs::rename(&from, &to).with_context(|| format!("failed to write {}", to.display()))?;
    if let Err(error) = replacement.persist(&table) {
        fs::rename(&to, &from).context("failed to take the new folder back")?;
        return Err(error).with_context(|| format!("failed to write {}", table.display()));
    }
    let shown = format!("{FAULTS}/{}/{}", code.area, code.name);
    Ok(format!(
        "wrote {shown} and registered {}\n\
         next: mod.rs (needs, check, fix), doc.md, scenarios (one that fires, one near miss, one without evidence);\n\
         `cargo xtask tidy` names every place that still says FILL IN, then `cargo xtask docs`",
        arguments.code
    ))
}

/// A code in its two parts.
struct Code {
    area: String,
    name: String,
}

impl Code {
    fn parse(text: &str) -> Result<Self> {
        let form = "a code is `area.fault_name`: lower-case letters, digits and single underscores";
        let Some((area, name)) = text.split_once('.') else { bail!("{form}") };
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        ensure!(word(area) && name.starts_with(|c: char| c.is_ascii_lowercase()), "{form}");
        let part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        ensure!(name.split('_').all(part), "{form}");
        for taken in
            ["mod", "tests", "super", "self", "crate", "impl", "use", "type", "move", "loop", "static"]
        {
            ensure!(area != taken && name != taken, "`{taken}` cannot be a module's name");
        }
        Ok(Self { area: area.to_owned(), name: name.to_owned() })
    }
}

fn stage(code: &Code, wanted: Option<&str>) -> Result<Stage> {
    if let Some(wanted) = wanted {
        let all = || Stage::ALL.iter().map(|stage| stage.id()).collect::<Vec<_>>().join(", ");
        return Stage::from_id(wanted).with_context(|| format!("no stage `{wanted}`; there are {}", all()));
    }
    let usual = USUAL_STAGES.iter().find(|(area, _)| *area == code.area);
    usual.map(|(_, stage)| *stage).with_context(|| format!("`{}` is a new area: say --stage", code.area))
}

/// The source with `mod name;` in its alphabetical place among the others.
fn with_module(source: &str, name: &str) -> String {
    let declared =
        |line: &&str| line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')).map(str::to_owned);
    let lines: Vec<&str> = source.lines().collect();
    let later = lines.iter().position(|line| declared(line).is_some_and(|other| other.as_str() > name));
    let last = lines.iter().rposition(|line| declared(line).is_some()).map(|at| at + 1);
    let line = format!("mod {name};");
    let mut lines = lines;
    if let Some(place) = later.or(last) {
        lines.insert(place, &line);
    } else {
        // The first of all: after the module's documentation; rustfmt takes away a blank line too many.
        let place = lines.iter().position(|line| !line.starts_with("//!")).unwrap_or(lines.len());
        lines.splice(place..place, ["", &line, ""]);
    }
    lines.join("\n") + "\n"
}

/// The source with an entry in its alphabetical place in the list that follows `anchor`.
fn with_entry(source: &str, anchor: &str, entry: &str) -> Result<String> {
    let after = source.find(anchor).with_context(|| format!("no `{anchor}`"))? + anchor.len();
    let open = after + source[after..].find('[').context("no list")? + 1;
    let close = open + source[open..].find(']').context("the list does not end")?;
    let inside = &source[open..close];
    ensure!(!inside.contains("//"), "the list has comments; register {entry} by hand");
    let mut entries: Vec<&str> = inside.split(',').map(str::trim).filter(|found| !found.is_empty()).collect();
    ensure!(!entries.contains(&entry), "{entry} is registered already");
    entries.push(entry);
    entries.sort_unstable();
    Ok(format!("{}{}{}", &source[..open], entries.join(", "), &source[close..]))
}

/// What rustfmt makes of a source under the repository's rules.
fn format(root: &Path, source: &str) -> Result<String> {
    let program = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let mut rustfmt = Command::new(program)
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start rustfmt (rustup component add rustfmt)")?;
    rustfmt.stdin.take().context("no input")?.write_all(source.as_bytes())?;
    let output = rustfmt.wait_with_output()?;
    ensure!(output.status.success(), "rustfmt refused:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests;
