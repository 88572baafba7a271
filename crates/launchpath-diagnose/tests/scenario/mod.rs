//! One case of a scenario file: reads it, builds its bundle, diagnoses it, checks what it expects.

mod day;
mod expect;
pub(crate) mod index;
pub(crate) mod property;
mod redacted;
mod world;

use std::fs;
use std::path::Path;

use launchpath_diagnose::diagnosis::{CauseStatus, Diagnosis};
use launchpath_diagnose::{apply_to_bundle, certify, diagnose};
use launchpath_intake::open_bytes;
use launchpath_model::World;
use launchpath_verify::Standing;

use expect::Expectation;
use world::Edit;

/// A case.
pub(crate) struct Case {
    title: String,
    base: String,
    edits: Vec<Edit>,
    expectations: Vec<Expectation>,
}

impl Case {
    /// Every case of a file: a heading, a ```` ```world ```` block, a ```` ```expect ```` block.
    pub(crate) fn read_all(text: &str) -> Result<Vec<Self>, String> {
        let mut cases = Vec::new();
        let mut title = String::new();
        let mut world: Option<Vec<(usize, String)>> = None;
        let mut block: Option<(String, Vec<(usize, String)>)> = None;
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            match &mut block {
                Some((kind, lines)) if line.trim_end() == "```" => {
                    let (kind, lines) = (kind.clone(), std::mem::take(lines));
                    block = None;
                    match kind.as_str() {
                        "world" => world = Some(lines),
                        "expect" => {
                            let world = world.take().ok_or_else(|| {
                                format!("line {number}: an expect block without a world block")
                            })?;
                            cases.push(Self::read(&title, &world, &lines)?);
                        }
                        _ => {}
                    }
                }
                Some((_, lines)) => lines.push((number, line.to_owned())),
                None if line.starts_with("```") => {
                    block = Some((line.trim_start_matches('`').trim().to_owned(), Vec::new()));
                }
                None if line.starts_with('#') => line.trim_start_matches('#').trim().clone_into(&mut title),
                None => {}
            }
        }
        match (block, world) {
            (Some((kind, _)), _) => Err(format!("the {kind} block is not closed")),
            (None, Some(_)) => Err("a world block without an expect block".to_owned()),
            (None, None) => Ok(cases),
        }
    }

    fn read(title: &str, world: &[(usize, String)], expect: &[(usize, String)]) -> Result<Self, String> {
        let mut base = None;
        let mut edits = Vec::new();
        for (number, line) in lines(world) {
            match line.strip_prefix("base:") {
                Some(name) => base = Some(name.trim().to_owned()),
                None => edits.push(Edit::read(line).map_err(|error| format!("line {number}: {error}"))?),
            }
        }
        let expectations: Result<Vec<Expectation>, String> = lines(expect)
            .map(|(number, line)| Expectation::read(line).map_err(|error| format!("line {number}: {error}")))
            .collect();
        let base = base.ok_or_else(|| format!("case «{title}»: the world block names no base"))?;
        Ok(Self { title: title.to_owned(), base, edits, expectations: expectations? })
    }

    /// Whether the case expects `fault` where a reader looks first: the first cause, or beside an agent that answers.
    pub(crate) fn puts_on_top(&self, fault: &str) -> bool {
        self.expectations.iter().any(|expectation| expectation.puts_on_top(fault))
    }

    /// The case's bundle, edited.
    fn bundle(&self, base: &dyn Fn(&str) -> Result<String, String>) -> Result<serde_json::Value, String> {
        let (name, day) = match self.base.split_once(" on ") {
            Some((name, day)) => (name, Some(day)),
            None => (self.base.as_str(), None),
        };
        let text = base(&if name.contains('/') { name.to_owned() } else { format!("base/{name}") })?;
        let text = day.map_or(Ok(text.clone()), |day| day::moved_to(&text, day))?;
        let mut bundle: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        for edit in &self.edits {
            edit.apply(&mut bundle)?;
        }
        Ok(bundle)
    }

    /// Writes the case's bundle to `folder`, named by its file and its title.
    pub(crate) fn keep(
        &self,
        base: &dyn Fn(&str) -> Result<String, String>,
        folder: &Path,
        stem: &str,
    ) -> Result<(), String> {
        let fail = |error: String| format!("case «{}»: {error}", self.title);
        let words = self.title.to_lowercase();
        let words: Vec<&str> =
            words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let bundle = self.bundle(base).map_err(fail)?;
        let file = folder.join(format!("{stem}.{}.json", words.join("-")));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, format!("{bundle:#}")))
            .map_err(|error| fail(format!("{}: {error}", file.display())))
    }

    /// What holds for every bundle.
    pub(crate) fn run_properties(&self, base: &dyn Fn(&str) -> Result<String, String>) -> Result<(), String> {
        let fail = |error: String| format!("case «{}»: {error}", self.title);
        let bundle = self.bundle(base).map_err(fail)?;
        property::withholding_creates_nothing(&bundle).map_err(fail)?;
        property::order_means_nothing(&bundle).map_err(fail)
    }

    /// Redacts the case's bundle and checks that the diagnosis stays what it is.
    pub(crate) fn run_redacted(&self, base: &dyn Fn(&str) -> Result<String, String>) -> Result<(), String> {
        let fail = |error: String| format!("case «{}»: {error}", self.title);
        let bundle = self.bundle(base).map_err(fail)?;
        let world = open_bytes("bundle.json", bundle.to_string().as_bytes())
            .map_err(|error| fail(error.to_string()))?;
        redacted::agrees(&bundle, &diagnose(&world)).map_err(fail)
    }

    /// Certifies the case's diagnosis and has the separate checker look at it: nothing in it may fail.
    pub(crate) fn run_certified(&self, base: &dyn Fn(&str) -> Result<String, String>) -> Result<(), String> {
        let fail = |error: String| format!("case «{}»: {error}", self.title);
        let bundle = self.bundle(base).map_err(fail)?;
        let world = open_bytes("bundle.json", bundle.to_string().as_bytes())
            .map_err(|error| fail(error.to_string()))?;
        let certificate = serde_json::to_value(certify(&world, &diagnose(&world), &bundle))
            .map_err(|error| fail(error.to_string()))?;
        let report =
            launchpath_verify::check(&certificate, &bundle).map_err(|error| fail(error.to_string()))?;
        let failed: Vec<String> = report
            .of(Standing::Fails)
            .map(|item| format!("{}: {}: {}", item.at, item.what, item.why))
            .collect();
        if failed.is_empty() { Ok(()) } else { Err(fail(failed.join("\n"))) }
    }

    /// Diagnoses the case and checks it; the error says what came instead.
    pub(crate) fn run(&self, base: &dyn Fn(&str) -> Result<String, String>) -> Result<(), String> {
        let fail = |error: String| format!("case «{}»: {error}", self.title);
        let bundle = self.bundle(base).map_err(fail)?;
        let world = open_bytes("bundle.json", bundle.to_string().as_bytes())
            .map_err(|error| fail(error.to_string()))?;
        let diagnosis = diagnose(&world);
        repaired_bundle_agrees(&world, &diagnosis, bundle).map_err(fail)?;
        property::undecided_says_what_next(&diagnosis).map_err(fail)?;
        property::likely_weighs_no_less(&diagnosis).map_err(fail)?;
        let wrong: Vec<String> =
            self.expectations.iter().filter_map(|expectation| expectation.check(&diagnosis).err()).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(fail(format!("{}\n{}", wrong.join("\n"), expect::gist(&diagnosis))))
    }
}

/// The safest plan, written into the documents and read again, must come to what its proof in memory says.
fn repaired_bundle_agrees(
    world: &World,
    diagnosis: &Diagnosis,
    mut bundle: serde_json::Value,
) -> Result<(), String> {
    let applied = apply_to_bundle(world, &mut bundle);
    let Some(plan) = diagnosis.plans.first() else {
        return if applied.is_empty() { Ok(()) } else { Err("repairs without a plan".to_owned()) };
    };
    let again =
        open_bytes("repaired.json", bundle.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let again = diagnose(&again);
    let left = |code: &str, subjects: &[String]| {
        let mut all = again.causes.iter().chain(&again.also_blocking);
        all.any(|c| c.status != CauseStatus::Possible && c.fault == code && c.subjects == subjects)
    };
    for step in &plan.steps {
        if left(&step.fault, &step.subjects) {
            return Err(format!("the repaired bundle still shows {} on {:?}", step.fault, step.subjects));
        }
    }
    match (&plan.verified.next_blocker, again.primary()) {
        (None, Some(primary)) if primary.status != CauseStatus::Possible => {
            Err(format!("the plan clears all, the repaired bundle shows {}", primary.fault))
        }
        _ => Ok(()),
    }
}

fn lines(block: &[(usize, String)]) -> impl Iterator<Item = (usize, &str)> {
    block
        .iter()
        .map(|(number, line)| (*number, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
