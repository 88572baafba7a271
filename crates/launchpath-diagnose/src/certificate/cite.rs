//! Where in the cited calls the values stand that a sentence names.
//!
//! The engine says which calls a sentence rests on; a reader of the certificate wants the very value. Nothing is decided here: a
//! value is cited when the sentence, or the list of resources at fault, names it. Start with [`Citer::claims`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use launchpath_model::{EvidenceId, Timestamp};
use serde_json::Value;

use super::{CallClaim, Claim, digest};

/// Most values cited for one sentence.
const MOST_VALUES: usize = 8;
/// A text that is shorter is a word of everybody's (`ok`, `tcp`).
const SHORTEST: usize = 4;
/// A text that is longer is quoted in part.
const LONGEST: usize = 200;
/// A quotation that is shorter could stand anywhere.
const SHORTEST_QUOTATION: usize = 12;

/// A single value of a call.
struct Leaf<'a> {
    pointer: String,
    inside: Option<String>,
    value: Cow<'a, Value>,
}

/// The calls of a bundle.
pub(super) struct Citer<'a> {
    calls: BTreeMap<EvidenceId, &'a Value>,
    leaves: BTreeMap<EvidenceId, Vec<Leaf<'a>>>,
    cited: BTreeSet<EvidenceId>,
}

impl<'a> Citer<'a> {
    pub(super) fn new(bundle: &'a Value) -> Self {
        let calls = bundle.get("calls").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let id = |call: &Value| call.get("id").and_then(Value::as_str).map(EvidenceId::from);
        Self {
            calls: calls.iter().filter_map(|call| Some((id(call)?, call))).collect(),
            leaves: BTreeMap::new(),
            cited: BTreeSet::new(),
        }
    }

    /// How many calls there are.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Those of the calls that the bundle holds; from now on they are cited.
    pub(super) fn known(&mut self, evidence: &[EvidenceId]) -> Vec<EvidenceId> {
        let known: Vec<EvidenceId> =
            evidence.iter().filter(|id| self.calls.contains_key(*id)).cloned().collect();
        self.cited.extend(known.iter().cloned());
        known
    }

    /// Every cited call with its digest.
    pub(super) fn cited(&self) -> BTreeMap<EvidenceId, CallClaim> {
        let text = |call: &Value, name: &str| call[name].as_str().unwrap_or_default().to_owned();
        let claim = |id: &EvidenceId| {
            let call = *self.calls.get(id)?;
            let claim = CallClaim {
                service: text(call, "service"),
                operation: text(call, "operation"),
                sha256: digest::of(call),
            };
            Some((id.clone(), claim))
        };
        self.cited.iter().filter_map(claim).collect()
    }

    /// The call.
    pub(super) fn call(&self, id: &EvidenceId) -> Option<&'a Value> {
        self.calls.get(id).copied()
    }

    /// How the calls ended, and the values in them that the text or the subjects name.
    pub(super) fn claims(&mut self, text: &str, subjects: &[String], evidence: &[EvidenceId]) -> Vec<Claim> {
        let mut claims: Vec<Claim> = evidence.iter().filter_map(|id| self.outcome(id)).collect();
        let quotations = quotations(text);
        let times: Vec<Timestamp> = words(text).filter_map(time).collect();
        let mut values: Vec<(usize, Claim)> = Vec::new();
        let mut said: BTreeSet<String> = BTreeSet::new();
        for id in evidence {
            self.read(id);
            for leaf in self.leaves.get(id).into_iter().flatten() {
                let Some(weight) = named(&leaf.value, text, subjects, &times, &quotations) else { continue };
                let claim = match weight {
                    Named::Whole(_) => Claim::Value {
                        call: id.clone(),
                        pointer: leaf.pointer.clone(),
                        inside: leaf.inside.clone(),
                        equals: leaf.value.clone().into_owned(),
                    },
                    Named::Part(part) => Claim::Contains {
                        call: id.clone(),
                        pointer: leaf.pointer.clone(),
                        inside: leaf.inside.clone(),
                        text: part.to_owned(),
                    },
                };
                let (length, key) = match weight {
                    Named::Whole(length) => (length, leaf.value.to_string()),
                    Named::Part(part) => (part.len(), part.to_owned()),
                };
                // The same value stands in many places: the first in each call is enough.
                if said.insert(format!("{id} {key}")) {
                    values.push((length, claim));
                }
            }
            claims.extend(self.empty_lists(id));
        }
        values.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        claims.extend(values.into_iter().take(MOST_VALUES).map(|(_, claim)| claim));
        claims
    }

    fn outcome(&self, id: &EvidenceId) -> Option<Claim> {
        let call = self.call(id)?;
        let code = call.pointer("/error/code").and_then(Value::as_str).map(str::to_owned);
        Some(Claim::Outcome { call: id.clone(), outcome: call["outcome"].as_str()?.to_owned(), code })
    }

    /// Empty lists at the top of an answer: "not there" rests on them.
    fn empty_lists(&self, id: &EvidenceId) -> Vec<Claim> {
        let members = self.call(id).and_then(|call| call["response"].as_object());
        let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        let lists = members.into_iter().flatten().filter(|(_, value)| empty(value));
        lists
            .map(|(name, _)| Claim::Empty {
                call: id.clone(),
                pointer: format!("/response/{}", escaped(name)),
            })
            .collect()
    }

    /// Takes a call apart, once.
    fn read(&mut self, id: &EvidenceId) {
        let Some(call) = self.call(id) else { return };
        self.leaves.entry(id.clone()).or_insert_with(|| {
            let mut leaves = Vec::new();
            for member in ["response", "error", "request"] {
                if let Some(value) = call.get(member) {
                    walk(value, format!("/{member}"), &mut leaves);
                }
            }
            leaves
        });
    }
}

fn walk<'a>(value: &'a Value, pointer: String, leaves: &mut Vec<Leaf<'a>>) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, format!("{pointer}/{at}"), leaves);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, format!("{pointer}/{}", escaped(name)), leaves);
            }
        }
        Value::String(text) if text.starts_with('{') => match serde_json::from_str::<Value>(text) {
            Ok(document) => walk_inside(&document, &pointer, String::new(), leaves),
            Err(_) => leaves.push(Leaf { pointer, inside: None, value: Cow::Borrowed(value) }),
        },
        scalar => leaves.push(Leaf { pointer, inside: None, value: Cow::Borrowed(scalar) }),
    }
}

/// The values of a document that is held as a text.
fn walk_inside(value: &Value, pointer: &str, inside: String, leaves: &mut Vec<Leaf<'_>>) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk_inside(item, pointer, format!("{inside}/{at}"), leaves);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                walk_inside(member, pointer, format!("{inside}/{}", escaped(name)), leaves);
            }
        }
        scalar => leaves.push(Leaf {
            pointer: pointer.to_owned(),
            inside: Some(inside),
            value: Cow::Owned(scalar.clone()),
        }),
    }
}

/// A member's name in a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[derive(Clone, Copy)]
enum Named<'t> {
    /// The whole value, of this length.
    Whole(usize),
    /// This part of it.
    Part(&'t str),
}

/// Whether the sentence names the value.
fn named<'t>(
    value: &Value,
    text: &'t str,
    subjects: &'t [String],
    times: &[Timestamp],
    quotations: &[&'t str],
) -> Option<Named<'t>> {
    if !times.is_empty() {
        let at = match value {
            Value::String(value) if value.len() >= 16 && value.len() <= 40 => time(value),
            Value::Number(number) => number.as_f64().filter(|n| *n > 1e9).and_then(Timestamp::from_epoch),
            _ => None,
        };
        if at.is_some_and(|at| times.iter().any(|said| said.as_millis() / 1000 == at.as_millis() / 1000)) {
            return Some(Named::Whole(SHORTEST));
        }
    }
    let value = match value {
        Value::String(value) => value,
        Value::Number(number) if number.to_string().len() >= SHORTEST - 1 => {
            return stands_in(&number.to_string(), text).then_some(Named::Whole(1));
        }
        _ => return None,
    };
    if (SHORTEST..=LONGEST).contains(&value.len()) {
        if subjects.contains(value) || stands_in(value, text) {
            return Some(Named::Whole(value.len()));
        }
        // A digest is shown by its beginning.
        let cut = words(text).find_map(|word| word.split_once('…').map(|(start, _)| start));
        if let Some(start) = cut.filter(|start| start.len() >= SHORTEST_QUOTATION && value.starts_with(start))
        {
            return Some(Named::Part(start));
        }
    }
    quotations.iter().find(|quotation| value.contains(**quotation)).map(|part| Named::Part(part))
}

/// Whether the value stands in the text as a word or phrase of its own.
fn stands_in(value: &str, text: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(value).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + value.len()..].chars().next();
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

/// What of a sentence may be a quotation: its last line (a traceback names what was raised there), every line, and what follows
/// a colon; the longest first.
fn quotations(text: &str) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        all.push(line);
        all.extend(line.match_indices(": ").map(|(at, _)| &line[at + 2..]));
    }
    all.retain(|part| part.len() >= SHORTEST_QUOTATION);
    all.sort_by_key(|part| std::cmp::Reverse(part.len()));
    if let Some(last) = text.lines().last().map(str::trim).filter(|_| text.contains('\n')) {
        all.insert(0, last);
    }
    all
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';' | '«' | '»'))
}

/// A word that is a time of day on a date.
fn time(word: &str) -> Option<Timestamp> {
    let word = word.trim_end_matches([':', '.']);
    (word.len() >= 19 && word.as_bytes()[4] == b'-').then(|| word.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_by_their_names_whole_in_part_and_as_times() {
        let bundle = json!({ "calls": [{
            "id": "c1", "outcome": "ok", "service": "ecr", "operation": "DescribeImages",
            "response": { "imageDetails": [{ "imageDigest": "sha256:3c67d805526903e25db0", "imagePushedAt": 1_760_756_754.0,
                "note": "{\"inner\": {\"a/b\": \"agent-1\"}}" }], "none": [] },
        }] });
        let mut citer = Citer::new(&bundle);
        let claims = citer.claims(
            "sha256:3c67d8055269… of agent-1, pushed 2025-10-18T03:05:54Z",
            &[],
            &[EvidenceId::from("c1")],
        );
        let text = serde_json::to_string(&claims).unwrap();
        assert!(
            text.contains(r#""pointer":"/response/imageDetails/0/imageDigest","text":"sha256:3c67d8055269""#),
            "{text}"
        );
        assert!(text.contains(r#""inside":"/inner/a~1b","equals":"agent-1""#), "{text}");
        assert!(text.contains(r#""pointer":"/response/imageDetails/0/imagePushedAt""#), "{text}");
        assert!(text.contains(r#"{"claim":"empty","call":"c1","pointer":"/response/none"}"#), "{text}");
    }

    #[test]
    fn a_part_of_a_word_is_no_mention() {
        assert!(stands_in("subnet-1", "in subnet-1, there"));
        assert!(!stands_in("subnet-1", "in subnet-12, there"));
    }
}
