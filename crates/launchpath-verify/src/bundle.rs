//! The evidence, by call and JSON pointer, and its digests.
//!
//! Canonical JSON: members sorted by name (by their code points), no white space between tokens, texts and numbers as
//! `serde_json` prints them. Start with [`Bundle`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::report::{Notes, fails, holds};
use crate::{list, text};

/// The calls of a bundle.
pub(crate) struct Bundle<'a> {
    whole: &'a Value,
    calls: BTreeMap<&'a str, &'a Value>,
    /// Ids that more than one call has: what they cite is not certain.
    twice: Vec<&'a str>,
}

impl<'a> Bundle<'a> {
    pub(crate) fn new(whole: &'a Value) -> Self {
        let (mut calls, mut twice) = (BTreeMap::new(), Vec::new());
        for call in list(whole, "calls") {
            let Some(id) = call["id"].as_str() else { continue };
            if calls.insert(id, call).is_some() {
                twice.push(id);
            }
        }
        Self { whole, calls, twice }
    }

    pub(crate) fn call(&self, id: &str) -> Option<&'a Value> {
        self.calls.get(id).copied()
    }

    /// Every call of one operation, however it ended.
    pub(crate) fn called(&self, operation: &str) -> impl Iterator<Item = &'a Value> {
        self.calls.values().copied().filter(move |call| text(call, "operation") == operation)
    }

    /// Every answered call of one operation.
    pub(crate) fn answers(&self, operation: &str) -> impl Iterator<Item = &'a Value> {
        self.called(operation).filter(|call| text(call, "outcome") == "ok")
    }

    /// The value at a place: `{call, pointer}`, and `inside` for a document that is held as a text.
    pub(crate) fn at(&self, place: &Value) -> Result<std::borrow::Cow<'a, Value>, String> {
        use std::borrow::Cow;
        let (id, pointer) = (text(place, "call"), text(place, "pointer"));
        let call = self.call(id).ok_or_else(|| format!("the bundle has no call {id:?}"))?;
        let value = call.pointer(pointer).ok_or_else(|| format!("call {id} has nothing at {pointer:?}"))?;
        let Some(inside) = place["inside"].as_str() else { return Ok(Cow::Borrowed(value)) };
        let document: Value = value
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| format!("{pointer} of call {id} holds no JSON document"))?;
        let found = document.pointer(inside).cloned();
        found
            .map(Cow::Owned)
            .ok_or_else(|| format!("{pointer} of call {id} has nothing inside at {inside:?}"))
    }

    /// The digests of the bundle and of every cited call, and that every cited call has one.
    pub(crate) fn check_digests(&self, certificate: &Value, notes: &mut Notes) {
        let claimed = &certificate["bundle"];
        let found = digest(self.whole);
        let same = text(claimed, "sha256") == found;
        let why = format!("the bundle's is {found}");
        let result = if same { holds(why) } else { fails(why) };
        notes.decisive("/bundle/sha256", "the certificate is about this bundle", result);
        if !self.twice.is_empty() {
            let why = format!("more than one call is called {}", self.twice.join(", "));
            notes.decisive("/bundle", "every call of the bundle has an id of its own", fails(why));
        }
        let count = self.calls.len();
        let same = claimed["calls"].as_u64() == u64::try_from(count).ok();
        let why = format!("{count} calls");
        let result = if same { holds(why) } else { fails(why) };
        notes.note("/bundle/calls", "the number of calls", result);
        for (id, claimed) in certificate["calls"].as_object().into_iter().flatten() {
            let what = format!("call {id} is {} of {}", text(claimed, "operation"), text(claimed, "service"));
            let result = match self.call(id) {
                None => fails("the bundle has no such call"),
                Some(call) if digest(call) != text(claimed, "sha256") => {
                    fails("its digest in the bundle is another")
                }
                Some(call)
                    if text(call, "operation") != text(claimed, "operation")
                        || text(call, "service") != text(claimed, "service") =>
                {
                    fails(format!("it is {} of {}", text(call, "operation"), text(call, "service")))
                }
                Some(_) => holds("same digest"),
            };
            notes.note(format!("/calls/{}", id.replace('~', "~0").replace('/', "~1")), what, result);
        }
    }
}

/// SHA-256 of the canonical form, in hexadecimal.
fn digest(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            for (at, (name, member)) in sorted.into_iter().enumerate() {
                out.push(if at == 0 { '{' } else { ',' });
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                canonical(member, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                canonical(item, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        other => out.push_str(&other.to_string()),
    }
}
