//! Runs every scenario file: a world in a few lines, and what the diagnosis must say of it.
//!
//! The format is in `scenarios/README.md`. Files live beside the fault they are about
//! (`src/faults/<area>/<fault>/scenarios/*.md`) and, for whole stories and the field's cases, in `scenarios/` at the top of the
//! repository.

#![expect(clippy::disallowed_methods, reason = "the runner reads the scenario files")]
#![expect(clippy::print_stdout, reason = "the runner says what it skips")]

mod scenario;

use std::fs;
use std::path::Path;

use scenario::Case;

/// `scenarios/cases/index.json` and the cases of the field study agree; where the study is not at hand, the index and the files.
fn accounted_for(index: &Path) -> datatest_stable::Result<()> {
    let study =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join("knowledge").join("cases.json");
    let study = fs::read_to_string(study).ok();
    if study.is_none() {
        println!(
            "skipped in part: the cases of the field study are not at hand, only index and files are compared"
        );
    }
    scenario::index::check(index, study.as_deref()).map_err(|wrong| Box::new(Failed(wrong)).into())
}

type Base<'a> = &'a dyn Fn(&str) -> Result<String, String>;

fn run(path: &Path) -> datatest_stable::Result<()> {
    match std::env::var_os("LAUNCHPATH_KEEP") {
        None => each_case(path, Case::run),
        // Whoever wants to read the whole report of a case needs its bundle.
        Some(folder) => each_case(path, |case, base| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            case.keep(base, Path::new(&folder), &stem)?;
            case.run(base)
        }),
    }
}

fn redacted(path: &Path) -> datatest_stable::Result<()> {
    each_case(path, Case::run_redacted)
}

fn certified(path: &Path) -> datatest_stable::Result<()> {
    each_case(path, Case::run_certified)
}

fn properties(path: &Path) -> datatest_stable::Result<()> {
    each_case(path, Case::run_properties)
}

fn each_case(
    path: &Path,
    check: impl Fn(&Case, Base<'_>) -> Result<(), String>,
) -> datatest_stable::Result<()> {
    let text = fs::read_to_string(path)?;
    let bases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let base = |name: &str| {
        fs::read_to_string(bases.join(format!("{name}.json"))).map_err(|e| format!("base {name}: {e}"))
    };
    let cases = Case::read_all(&text)?;
    if cases.is_empty() {
        return Err("the file holds no case: a case is a heading, a world block and an expect block".into());
    }
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case, &base).err()).collect();
    if failures.is_empty() { Ok(()) } else { Err(Box::new(Failed(failures.join("\n\n")))) }
}

/// What went wrong; printed as it is, line by line.
struct Failed(String);

impl std::fmt::Debug for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

datatest_stable::harness! {
    { test = run, root = "src/faults", pattern = r"/scenarios/.*\.md$" },
    { test = run, root = "../../scenarios/stories", pattern = r"\.md$" },
    { test = run, root = "../../scenarios/cases", pattern = r"[A-Z]+-\d+\.md$" },
    { test = accounted_for, root = "../../scenarios/cases", pattern = r"index\.json$" },
    { test = properties, root = "src/faults", pattern = r"/scenarios/.*\.md$" },
    { test = properties, root = "../../scenarios/stories", pattern = r"\.md$" },
    { test = redacted, root = "src/faults", pattern = r"/scenarios/.*\.md$" },
    { test = redacted, root = "../../scenarios/stories", pattern = r"\.md$" },
    { test = certified, root = "src/faults", pattern = r"/scenarios/.*\.md$" },
    { test = certified, root = "../../scenarios/stories", pattern = r"\.md$" },
    { test = redacted, root = "../../scenarios/cases", pattern = r"[A-Z]+-\d+\.md$" },
}
