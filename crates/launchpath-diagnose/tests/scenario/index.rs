//! The index of the field's cases: what became of each, and whether it is true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Case;

/// Compares the index with the files beside it and, when it is at hand, with the field study.
///
/// An entry with a scenario has a file of that name, whose cases expect the entry's cause on top, or says why it cannot be there
/// (`not_on_top`); an entry without a scenario says why there is none.
pub(crate) fn check(index: &Path, study: Option<&str>) -> Result<(), String> {
    let folder = index.parent().ok_or("the index lies nowhere")?;
    let entries: Vec<Value> = read(index)?;
    let mut wrong = Vec::new();
    let mut causes = BTreeMap::new();
    let mut named = BTreeSet::new();
    for entry in &entries {
        let id = entry["id"].as_str().ok_or("an entry without an id")?;
        if causes.insert(id.to_owned(), entry["cause"].as_str().map(str::to_owned)).is_some() {
            wrong.push(format!("{id} stands in the index twice"));
        }
        match (entry["scenario"].as_str(), entry["not_written"].as_str()) {
            (Some(file), None) => {
                named.insert(file.to_owned());
                wrong.extend(scenario(folder, id, file, entry).err());
            }
            (None, Some(reason)) if reason.len() > 40 => {}
            _ => wrong.push(format!("{id} needs a scenario, or a reason why there is none")),
        }
    }
    let files = fs::read_dir(folder).map_err(|error| error.to_string())?.filter_map(Result::ok);
    let files = files.map(|file| file.file_name().to_string_lossy().into_owned());
    wrong.extend(
        files
            .filter(|file| {
                file.rsplit('.').next() == Some("md") && file != "README.md" && !named.contains(file)
            })
            .map(|file| format!("{file} is not in the index")),
    );
    if let Some(study) = study {
        wrong.extend(against(study, &causes)?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn read(path: &Path) -> Result<Vec<Value>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn scenario(folder: &Path, id: &str, file: &str, entry: &Value) -> Result<(), String> {
    if file != format!("{id}.md") {
        return Err(format!("the scenario of {id} is called {file}"));
    }
    let text = fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
    let cases = Case::read_all(&text).map_err(|error| format!("{file}: {error}"))?;
    let cause = entry["cause"].as_str().ok_or_else(|| format!("{id} names no cause"))?;
    let excused = entry["not_on_top"].as_str().is_some_and(|reason| reason.len() > 20);
    if excused || cases.iter().any(|case| case.puts_on_top(cause)) {
        return Ok(());
    }
    Err(format!("no case of {file} expects {cause} on top"))
}

/// Every case of the study is in the index, under a cause that the study names.
fn against(study: &str, causes: &BTreeMap<String, Option<String>>) -> Result<Vec<String>, String> {
    let study: Vec<Value> = serde_json::from_str(study).map_err(|error| error.to_string())?;
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for case in &study {
        let id = case["id"].as_str().ok_or("a case of the study has no id")?;
        known.insert(id);
        match causes.get(id) {
            None => wrong.push(format!("{id} is missing in the index")),
            Some(Some(cause))
                if !case["fault_ids"].as_array().is_some_and(|all| all.iter().any(|f| f == cause)) =>
            {
                wrong.push(format!("the study does not name {cause} for {id}"));
            }
            Some(_) => {}
        }
    }
    wrong.extend(
        causes.keys().filter(|id| !known.contains(id.as_str())).map(|id| format!("the study has no {id}")),
    );
    Ok(wrong)
}
