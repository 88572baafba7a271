//! Calls that are no AWS API calls: statements, image configs, rehearsals, inspections.
//!
//! The record of a rehearsal is read leniently: a member counts wherever it stands, at the top of the answer or of the
//! request or one level below. What cannot be read stays unknown; the record itself is kept as received.

use std::collections::BTreeMap;

use launchpath_model::World;
use launchpath_model::aws::image::ImageConfig;
use launchpath_model::time::Timestamp;
use launchpath_model::world::{Inspection, Rehearsal, Statement};
use serde_json::{Map, Value};

use super::{Lowered, Recorded};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "Statement" => statement(world, call),
        "GetImageConfig" => image_config(world, call),
        "Rehearse" => {
            world.rehearsals.push(rehearsal(call));
            Ok(Lowered::Done)
        }
        "InspectImage" => {
            let record = Record::of(call);
            world.inspections.push(Inspection {
                evidence: call.evidence.id.clone(),
                image: record.text(&["image"]),
                digest: record.text(&["digest"]),
                distributions: record.distributions(),
                record: call.response.clone(),
            });
            Ok(Lowered::Done)
        }
        _ => Ok(Lowered::UnknownOperation),
    }
}

fn statement(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    if !call.is_ok() {
        return Ok(Lowered::Done);
    }
    let said = |name: &str| call.text(name).or_else(|| call.asked(name));
    // A request that holds what the user saw: as its text, or as a mark beside the text.
    let saw = call
        .evidence
        .request_member("saw")
        .filter(|value| !matches!(value, Value::Null | Value::Bool(false)));
    let text = said("text").or_else(|| saw.and_then(Value::as_str)).or_else(|| call.response.as_str());
    let Some(text) = text else {
        return Err(call
            .place
            .error("a statement with a text member `text`", crate::json::excerpt(&call.response)));
    };
    world.statements.push(Statement {
        evidence: call.evidence.id.clone(),
        by: said("by").map(str::to_owned),
        text: text.to_owned(),
        is_error_seen: saw.is_some() || said("kind") == Some("error-seen"),
    });
    Ok(Lowered::Done)
}

fn image_config(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut world.image_configs;
    if !call.is_ok() || call.response.is_null() {
        table.record(call.read_without("the config"));
        return Ok(Lowered::Done);
    }
    let mut config = call.response.clone();
    // Build tools write any text here; a strange date of an image is no reason to refuse the evidence.
    if let Value::Object(members) = &mut config
        && members.get("created").is_some_and(|at| serde_json::from_value::<Timestamp>(at.clone()).is_err())
    {
        members.shift_remove("created");
    }
    let config: ImageConfig = call.place.typed(&config)?;
    table.record(call.read(1));
    let (Some(repository), Some(digest)) = (call.asked("repositoryName"), call.asked("digest")) else {
        return Ok(Lowered::NoKey("repository and digest of the image"));
    };
    table.insert((repository.to_owned(), digest.to_owned()), config, call.evidence.id.clone());
    Ok(Lowered::Done)
}

fn rehearsal(call: &Recorded) -> Rehearsal {
    let record = Record::of(call);
    Rehearsal {
        evidence: call.evidence.id.clone(),
        at: call.evidence.at,
        image: record.text(&["image", "image_uri"]),
        digest: record.text(&["digest", "image_digest"]),
        passed: record.passed(),
        broken_clause: record.text(&["broken_clause", "clause"]),
        output: record.output(),
        distributions: record.distributions(),
        record: call.response.clone(),
    }
}

/// The objects in which a member may stand, nearest first.
struct Record<'a>(Vec<&'a Map<String, Value>>);

impl<'a> Record<'a> {
    fn of(call: &'a Recorded) -> Self {
        let tops: Vec<&Map<String, Value>> = [Some(&call.response), call.evidence.request.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect();
        let below = tops.iter().flat_map(|top| top.values().filter_map(Value::as_object));
        Self(tops.iter().copied().chain(below).collect())
    }

    /// Every value of the first name that occurs, then of the next, nearest first.
    fn all(&self, names: &[&str]) -> impl Iterator<Item = &'a Value> {
        let found: Vec<&Value> =
            names.iter().flat_map(|name| self.0.iter().filter_map(|members| members.get(*name))).collect();
        found.into_iter().filter(|value| !value.is_null())
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.all(names).find_map(|value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            // A clause may come as an object that names itself.
            Value::Object(members) => {
                ["id", "name", "text"].iter().find_map(|name| members.get(*name)?.as_str().map(str::to_owned))
            }
            _ => None,
        })
    }

    fn passed(&self) -> Option<bool> {
        let said = self.all(&["passed", "ok", "healthy"]).find_map(Value::as_bool);
        said.or_else(|| {
            self.all(&["passed", "outcome", "verdict", "result"]).filter_map(Value::as_str).find_map(|word| {
                match word.to_ascii_lowercase().as_str() {
                    "passed" | "pass" | "ok" | "healthy" | "holds" | "success" => Some(true),
                    "failed" | "fail" | "failure" | "error" | "unhealthy" | "broken" | "crashed"
                    | "timeout" | "timed_out" => Some(false),
                    _ => None,
                }
            })
        })
    }

    /// Everything printed. The same text under two names is kept once.
    fn output(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for value in self.all(&["output", "log", "logs", "log_tail", "stdout", "stderr"]) {
            let part = lines(value);
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.join("\n")
    }

    fn distributions(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for value in self.all(&["distributions", "packages", "installed"]) {
            let members = value.as_object().into_iter().flatten();
            let pairs = members.filter_map(|(name, version)| Some((name.as_str(), version.as_str()?)));
            let rows = value.as_array().into_iter().flatten();
            let named =
                rows.filter_map(|row| Some((row.get("name")?.as_str()?, row.get("version")?.as_str()?)));
            for (name, version) in pairs.chain(named) {
                found.entry(name.to_owned()).or_insert_with(|| version.to_owned());
            }
        }
        found
    }
}

/// Text, a list of text, or a list of objects that hold a line.
fn lines(value: &Value) -> String {
    let line = |item: &Value| match item {
        Value::String(text) => Some(text.trim_end_matches('\n').to_owned()),
        Value::Object(members) => {
            let text = ["message", "text", "line"].iter().find_map(|name| members.get(*name)?.as_str());
            text.map(|text| text.trim_end_matches('\n').to_owned())
        }
        _ => None,
    };
    match value {
        Value::Array(items) => items.iter().filter_map(line).collect::<Vec<_>>().join("\n"),
        other => line(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::rehearsal;
    use crate::json::Place;
    use crate::lower::Recorded;
    use launchpath_model::evidence::{Evidence, EvidenceId, Outcome};
    use serde_json::{Value, json};

    fn recorded(request: Value, response: Value) -> Recorded {
        let evidence = Evidence {
            id: EvidenceId::from("c1"),
            service: "launchpath".to_owned(),
            operation: "Rehearse".to_owned(),
            region: None,
            account: None,
            request: Some(request),
            at: None,
            outcome: Outcome::Ok,
            error: None,
            complete: true,
            file: None,
        };
        Recorded { evidence, response, place: Place::default() }
    }

    #[test]
    fn every_shape_of_a_rehearsal_says_the_same() {
        let output = "Traceback\nModuleNotFoundError: No module named 'langchain.callbacks'";
        let shapes = [
            json!({ "passed": false, "broken_clause": "health", "digest": "sha256:1", "output": output,
                "distributions": { "langchain": "1.0.0" } }),
            json!({ "outcome": "failed", "clause": { "id": "health" }, "digest": "sha256:1",
                "logs": ["Traceback", "ModuleNotFoundError: No module named 'langchain.callbacks'\n"],
                "packages": [{ "name": "langchain", "version": "1.0.0" }] }),
            json!({ "result": { "passed": false, "clause": "health" }, "image": { "digest": "sha256:1" },
                "process": { "stderr": [{ "line": "Traceback" }, { "message": "ModuleNotFoundError: No module named 'langchain.callbacks'" }],
                    "installed": { "langchain": "1.0.0" } } }),
        ];
        for shape in shapes {
            let read = rehearsal(&recorded(json!({ "image": "agent:latest" }), shape.clone()));
            assert_eq!(read.passed, Some(false), "{shape}");
            assert_eq!(read.broken_clause.as_deref(), Some("health"), "{shape}");
            assert_eq!(read.digest.as_deref(), Some("sha256:1"), "{shape}");
            assert_eq!(read.image.as_deref(), Some("agent:latest"), "{shape}");
            assert_eq!(read.output, output, "{shape}");
            assert_eq!(read.distributions.get("langchain").map(String::as_str), Some("1.0.0"), "{shape}");
        }
    }

    #[test]
    fn what_a_rehearsal_does_not_say_stays_unknown() {
        let read = rehearsal(&recorded(json!({}), json!({ "outcome": "inconclusive", "output": 7 })));
        assert_eq!((read.passed, read.broken_clause, read.output.as_str()), (None, None, ""));
    }
}
