//! A record of a local experiment, read leniently: a member counts wherever it stands, at the top of the answer or of the request or
//! one level below.

use std::collections::BTreeMap;

use launchpath_model::world::ImageIdentity;
use serde_json::{Map, Value};

use crate::lower::Recorded;

/// The objects in which a member may stand, nearest first.
pub(super) struct Record<'a>(Vec<&'a Map<String, Value>>);

impl<'a> Record<'a> {
    pub(super) fn of(call: &'a Recorded) -> Self {
        let tops: Vec<&Map<String, Value>> = [Some(&call.response), call.evidence.request.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect();
        let below = tops.iter().flat_map(|top| top.values().filter_map(Value::as_object));
        Self(tops.iter().copied().chain(below).collect())
    }

    /// Every value of the first name that occurs, then of the next, nearest first.
    pub(super) fn all(&self, names: &[&str]) -> impl Iterator<Item = &'a Value> + use<'a> {
        let found: Vec<&Value> =
            names.iter().flat_map(|name| self.0.iter().filter_map(|members| members.get(*name))).collect();
        found.into_iter().filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        self.all(names).find_map(|value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            // A clause may come as an object that names itself.
            Value::Object(members) => {
                ["id", "name", "text"].iter().find_map(|name| members.get(*name)?.as_str().map(str::to_owned))
            }
            _ => None,
        })
    }

    /// A whole number, also as text.
    pub(super) fn number(&self, names: &[&str]) -> Option<i64> {
        self.all(names).find_map(whole)
    }

    /// Whether any of the names holds `true`.
    pub(super) fn says(&self, names: &[&str]) -> bool {
        self.all(names).any(|value| value.as_bool() == Some(true))
    }

    /// A list of text; of an object, the names of its members.
    pub(super) fn list(&self, names: &[&str]) -> Vec<String> {
        self.all(names).map(texts).find(|list| !list.is_empty()).unwrap_or_default()
    }

    /// The objects in a list.
    pub(super) fn rows(&self, name: &str) -> Vec<&'a Map<String, Value>> {
        let lists = self.all(&[name]).filter_map(Value::as_array);
        lists.flat_map(|list| list.iter().filter_map(Value::as_object)).collect()
    }

    /// Which image the record speaks of.
    pub(super) fn identity(&self) -> ImageIdentity {
        ImageIdentity {
            image: self.text(&["image", "image_uri"]),
            digest: self.text(&["digest", "image_digest"]),
            config_digest: self.text(&["config_digest"]),
            index_digest: self.text(&["index_digest"]),
            architecture: self.text(&["architecture"]).or_else(|| {
                // `linux/arm64`, when the platform is one text.
                let platform = self.all(&["platform"]).find_map(Value::as_str)?;
                platform.split('/').nth(1).map(str::to_owned)
            }),
        }
    }

    pub(super) fn passed(&self) -> Option<bool> {
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
    pub(super) fn output(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for value in self.all(&["output", "log", "logs", "log_tail", "stdout", "stderr"]) {
            let part = lines(value);
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.join("\n")
    }

    pub(super) fn distributions(&self) -> BTreeMap<String, String> {
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

/// A whole number, also as text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A text member that is not empty.
pub(super) fn text_of(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(members) => members.keys().cloned().collect(),
        _ => Vec::new(),
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
