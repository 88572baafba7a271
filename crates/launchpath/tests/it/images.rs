//! The test images of `tests/images`: built once into the target directory, and what must come out of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::program::repository;

/// `tests/images/images.toml`, as far as tests read it.
#[derive(Debug, Deserialize)]
struct Definitions {
    ambient: Ambient,
    image: Vec<Image>,
}

/// What is true of every image of this machine's architecture.
#[derive(Debug, Deserialize)]
struct Ambient {
    findings: Vec<String>,
}

/// One image.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Image {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) slow: bool,
    architecture: Option<String>,
    /// What an inspection finds, with how sure it is: `certain missing_submodule`. Those of its architecture are among them.
    #[serde(default)]
    pub(crate) findings: Vec<String>,
    /// A part of what an inspection says that refuses it.
    pub(crate) refused: Option<String>,
    /// None for hostile images, which have tests of their own.
    pub(crate) expect: Option<Expect>,
    /// Where it is; put there by [`built`].
    #[serde(skip)]
    pub(crate) path: String,
}

/// What must come out.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Expect {
    #[serde(default)]
    pub(crate) arguments: Vec<String>,
    pub(crate) passed: Passed,
    pub(crate) clause: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) network: Option<String>,
    pub(crate) remark: Option<String>,
    pub(crate) fault: Option<String>,
    pub(crate) fault_inspected: Option<String>,
}

/// A verdict; `unknown` is written as such, because TOML has no null.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Passed {
    Known(bool),
    Unknown(String),
}

impl Passed {
    /// As in the record.
    pub(crate) fn value(&self) -> serde_json::Value {
        match self {
            Self::Known(passed) => (*passed).into(),
            Self::Unknown(word) => {
                assert_eq!(word, "unknown");
                serde_json::Value::Null
            }
        }
    }
}

/// The images with these names, all with no name; `None` where they cannot be built, which CI does not accept.
pub(crate) fn built(names: &[&str]) -> Option<Vec<Image>> {
    let script = repository("tests/images/build.py");
    let python = repository(".venv/bin/python");
    let python = if python.exists() { python } else { PathBuf::from("python3") };
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target directory").join("images");
    let run =
        Command::new(python).arg(script).arg("--into").arg(into).args(names).output().expect("Python runs");
    if !run.status.success() {
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(std::env::var_os("CI").is_none(), "the test images cannot be built:\n{said}");
        skipped(&said);
        return None;
    }
    let paths: BTreeMap<String, String> = serde_json::from_slice(&run.stdout).expect("name: path");
    let Definitions { ambient, image } = definitions();
    let images = image.into_iter().filter_map(|mut image| {
        image.path.clone_from(paths.get(&image.name)?);
        if image.architecture.as_deref() != Some("arm64") {
            image.findings.extend(ambient.findings.iter().cloned());
        }
        Some(image)
    });
    Some(images.collect())
}

fn definitions() -> Definitions {
    let text = std::fs::read_to_string(repository("tests/images/images.toml")).expect("the definitions");
    toml::from_str(&text).expect("definitions")
}

#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {}", why.trim_end());
}
