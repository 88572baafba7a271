//! Files of `docs/` that are made from the code: the schemas of the diagnosis and of the certificate, and the catalogue of faults.
//!
//! `cargo xtask schema` and `cargo xtask docs` write them, `cargo xtask tidy` compares. Start with [`all`].

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use launchpath_diagnose::chain::Stage;
use launchpath_diagnose::faults::{self, Fault};

/// The JSON Schema of the JSON format.
pub(crate) const SCHEMA: &str = "docs/diagnosis.schema.json";
/// The JSON Schema of the certificate.
pub(crate) const CERTIFICATE: &str = "docs/certificate.schema.json";
/// The fault catalogue.
pub(crate) const CATALOGUE: &str = "docs/faults.md";

/// Every generated file: its path, its text, and the command that writes it.
pub(crate) fn all() -> Result<Vec<(&'static str, String, &'static str)>> {
    Ok(vec![
        (SCHEMA, printed(&launchpath_report::schema())?, "cargo xtask schema"),
        (CERTIFICATE, printed(&launchpath_diagnose::certificate::schema())?, "cargo xtask schema"),
        (CATALOGUE, catalogue(&faults::all()), "cargo xtask docs"),
    ])
}

/// Writes one generated file, whole or not at all; says whether it changed.
pub(crate) fn write(root: &Path, wanted: &str) -> Result<String> {
    let all = all()?;
    let (path, text, _) = all.iter().find(|(path, ..)| *path == wanted).context("no such generated file")?;
    let target = root.join(path);
    if fs::read_to_string(&target).is_ok_and(|old| old == *text) {
        return Ok(format!("{path} is current"));
    }
    let folder = target.parent().context("no folder")?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().permissions(readable()).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(&target).with_context(|| format!("failed to write {path}"))?;
    Ok(format!("wrote {path}"))
}

#[cfg(unix)]
fn readable() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o644)
}

fn printed(schema: &serde_json::Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}

/// The catalogue: an overview by stage, then every fault's documentation.
fn catalogue(faults: &[&Fault]) -> String {
    let mut text = format!(
        "# Fault catalogue\n\n\
         Written by `cargo xtask docs` from `{}`; do not edit.\n\
         `launchpath explain CODE` prints the same texts.\n\n\
         {} kinds of fault, in the order in which a launch meets them.\n",
        crate::tidy::FAULTS,
        faults.len()
    );
    for stage in Stage::ALL {
        let here: Vec<&&Fault> = faults.iter().filter(|fault| fault.stage == *stage).collect();
        if here.is_empty() {
            continue;
        }
        text += &format!("\n{}\n\n", stage.title());
        for fault in here {
            text += &format!("- [`{}`](#{}): {}\n", fault.code, anchor(fault.code), fault.title);
        }
    }
    for fault in faults {
        text += &format!(
            "\n## {}\n\n{}. Stage: {}. Since {}. Looks at: {}.\n",
            fault.code,
            fault.title,
            fault.stage.title().to_lowercase(),
            fault.since,
            fault.needs.join(", ")
        );
        text += &demoted(fault.doc);
    }
    text
}

/// The anchor that GitHub gives a heading: punctuation goes, letters are lower case already.
fn anchor(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric() || *c == '_' || *c == '-').collect()
}

/// A fault's documentation below its heading in the catalogue: its headings sink one level.
fn demoted(doc: &str) -> String {
    let mut fenced = false;
    let mut text = String::new();
    for line in doc.trim().lines() {
        fenced ^= line.trim_start().starts_with("```");
        let heading = !fenced && line.starts_with('#');
        text += if heading { "#" } else { "" };
        text += line;
        text += "\n";
    }
    format!("\n{}\n", text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_sink_and_code_does_not() {
        let doc = "## Why\n\n```sh\n# a comment\n## two\n```\n";
        assert_eq!(demoted(doc), "\n### Why\n\n```sh\n# a comment\n## two\n```\n");
    }

    #[test]
    fn the_catalogue_has_every_fault_once_in_the_overview_and_once_below() {
        let faults = faults::all();
        let text = catalogue(&faults);
        for fault in faults {
            assert_eq!(text.matches(&format!("\n- [`{}`](#", fault.code)).count(), 1, "{}", fault.code);
            assert_eq!(text.matches(&format!("\n## {}\n", fault.code)).count(), 1, "{}", fault.code);
        }
    }

    #[test]
    fn anchors_are_those_of_the_headings() {
        assert_eq!(anchor("net.dns_off"), "netdns_off");
    }

    #[test]
    fn a_generated_file_is_written_once_and_then_current() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(write(place.path(), SCHEMA).unwrap(), format!("wrote {SCHEMA}"));
        assert_eq!(write(place.path(), SCHEMA).unwrap(), format!("{SCHEMA} is current"));
        assert!(write(place.path(), "docs/other.md").is_err());
    }
}
