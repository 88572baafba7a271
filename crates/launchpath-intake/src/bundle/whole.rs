//! A whole bundle: its header and its calls.

use std::collections::BTreeSet;

use launchpath_model::ids::{AccountId, Region};
use launchpath_model::time::Timestamp;
use launchpath_model::world::Subject;
use serde_json::{Map, Value};

use super::member::{Members, ordered};
use super::{Call, FORMAT};
use crate::error::{IntakeError, Problem};
use crate::json::{Place, excerpt, parse};

/// Recorded calls about one runtime.
///
/// ```
/// use launchpath_intake::bundle::{Bundle, Call};
/// let mut bundle = Bundle::new("launchpath 0.1.0");
/// let mut call = Call::new(&bundle.next_id(), "ec2", "DescribeVpcs");
/// call.response = Some(serde_json::json!({ "Vpcs": [] }));
/// bundle.push(call);
/// let again = Bundle::from_json("bundle.json", bundle.to_json().as_bytes())?;
/// assert_eq!(again.calls[0].id.as_str(), "c1");
/// # Ok::<(), launchpath_intake::IntakeError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bundle {
    /// When the collection ended: "now" of every diagnosis, to the millisecond.
    pub collected_at: Option<Timestamp>,
    /// The program that collected, with its version.
    pub collector: Option<String>,
    /// The account.
    pub account: Option<AccountId>,
    /// The Region.
    pub region: Option<Region>,
    /// The partition, for example `aws`.
    pub partition: Option<String>,
    /// The runtime asked about.
    pub subject: Subject,
    /// The calls, in the order in which they were made.
    pub calls: Vec<Call>,
    /// Members this version does not know.
    pub extra: Map<String, Value>,
    order: Vec<String>,
    subject_order: Vec<String>,
    subject_extra: Map<String, Value>,
}

impl Bundle {
    /// An empty bundle of `collector`; set the public members for the rest.
    pub fn new(collector: &str) -> Self {
        Self { collector: Some(collector.to_owned()), ..Self::default() }
    }

    /// An id that no call has yet: `c1`, `c2`, …
    pub fn next_id(&self) -> String {
        let taken: BTreeSet<&str> = self.calls.iter().map(|call| call.id.as_str()).collect();
        let mut number = self.calls.len() + 1;
        while taken.contains(format!("c{number}").as_str()) {
            number += 1;
        }
        format!("c{number}")
    }

    /// Appends a call.
    pub fn push(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// Reads a bundle out of the text of `file` (named in errors only).
    pub fn from_json(file: &str, bytes: &[u8]) -> Result<Self, IntakeError> {
        Self::from_value(file, parse(file, bytes)?)
    }

    /// Whether the document is meant as a bundle: it says so, of whatever version, or it has calls, as no answer of AWS has.
    /// What is wrong with it then is said, and it never passes for something else.
    pub(crate) fn recognises(value: &Value) -> bool {
        let format = value.get("format").and_then(Value::as_str);
        format.is_some_and(|format| format.starts_with("launchpath-bundle")) || value.get("calls").is_some()
    }

    /// Reads a bundle out of a JSON value of `file` (named in errors only).
    pub fn from_value(file: &str, value: Value) -> Result<Self, IntakeError> {
        let root = Place::file(file);
        let mut members = Members::open(value, &root)?;
        let Some(format) = members.take("format") else {
            return Err(root.error(format!("a member `format`, such as {FORMAT:?}"), "none"));
        };
        if format != FORMAT {
            return Err(root
                .member("format")
                .error(format!("{FORMAT:?}"), excerpt(&format))
                .advise("use the version of launchpath that wrote it, or a newer one"));
        }
        let collected_at: Option<Timestamp> = members.optional("collected_at")?;
        let subject_value = members.take("subject").unwrap_or_else(|| Value::Object(Map::new()));
        let mut subject_members = Members::open(subject_value, &root.member("subject"))?;
        let subject = Subject {
            runtime: subject_members.optional("runtime")?,
            endpoint: subject_members.optional("endpoint")?,
            against: subject_members.optional("against")?,
        };
        let (subject_order, subject_extra) = subject_members.finish();
        let mut bundle = Self {
            collected_at: collected_at.map(|at| Timestamp::from_millis(at.as_millis()).unwrap_or(at)),
            collector: members.optional("collector")?,
            account: members.optional("account")?,
            region: members.optional("region")?,
            partition: members.optional("partition")?,
            subject,
            calls: read_calls(members.take("calls"), &root.member("calls"))?,
            extra: Map::new(),
            order: Vec::new(),
            subject_order,
            subject_extra,
        };
        (bundle.order, bundle.extra) = members.finish();
        Ok(bundle)
    }

    /// The bundle as a JSON value: members in the order in which they were read, new ones behind them.
    pub fn to_value(&self) -> Value {
        let text = |text: &str| Value::String(text.to_owned());
        let mut members = Map::new();
        members.insert("format".to_owned(), text(FORMAT));
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), Value::String(value));
            }
        };
        put("collected_at", self.collected_at.map(|at| at.to_string()));
        put("collector", self.collector.clone());
        put("account", self.account.as_ref().map(ToString::to_string));
        put("region", self.region.as_ref().map(ToString::to_string));
        put("partition", self.partition.clone());
        let mut subject = Map::new();
        for (name, value) in [
            ("runtime", &self.subject.runtime),
            ("endpoint", &self.subject.endpoint),
            ("against", &self.subject.against),
        ] {
            if let Some(value) = value {
                subject.insert(name.to_owned(), text(value));
            }
        }
        subject.extend(self.subject_extra.clone());
        if !subject.is_empty() {
            members.insert("subject".to_owned(), ordered(subject, &self.subject_order));
        }
        members.extend(self.extra.clone());
        members.insert("calls".to_owned(), self.calls.iter().map(Call::to_value).collect());
        ordered(members, &self.order)
    }

    /// The bundle as indented JSON text with a final newline.
    pub fn to_json(&self) -> String {
        // `{:#}` of a JSON value is its indented form and cannot fail.
        format!("{:#}\n", self.to_value())
    }
}

fn read_calls(calls: Option<Value>, place: &Place) -> Result<Vec<Call>, IntakeError> {
    let values = match calls {
        Some(Value::Array(values)) => values,
        Some(other) => return Err(place.error("a list of calls", excerpt(&other))),
        None => return Err(place.error("a list of calls", "none")),
    };
    let mut seen = BTreeSet::new();
    let mut calls = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let place = place.index(index);
        let call = Call::from_value(value, &place)?;
        if !seen.insert(call.id.clone()) {
            return Err(IntakeError::new(
                Problem::Malformed,
                "an id of its own for each call",
                format!("{:?} a second time", call.id.as_str()),
            )
            .in_file(&place.file)
            .at(place.member("id").path));
        }
        calls.push(call);
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::Bundle;

    fn read(text: &str) -> Result<Bundle, crate::IntakeError> {
        Bundle::from_json("bundle.json", text.as_bytes())
    }

    #[test]
    fn a_document_with_calls_is_meant_as_a_bundle() {
        for (text, place) in [
            (r#"{ "calls": [] }"#, None),
            (r#"{ "format": null, "calls": [] }"#, None),
            (r#"{ "format": "launchpath/1", "calls": [] }"#, Some("format")),
            (r#"{ "format": 1, "calls": [] }"#, Some("format")),
            (r#"{ "format": "launchpath-bundle", "collected_at": null }"#, Some("format")),
        ] {
            let error = crate::open_bytes("case.json", text.as_bytes()).unwrap_err();
            assert_eq!(error.problem(), crate::error::Problem::Malformed, "{text}: {error}");
            assert_eq!((error.file(), error.place()), (Some("case.json"), place), "{text}: {error}");
            assert!(error.to_string().contains("launchpath-bundle/1"), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_printed_is_what_was_read_unknown_members_and_order_included() {
        let text = r#"{"note":"x","calls":[{"new":[1],"outcome":"denied","id":"c1","service":"ec2","operation":"X",
            "error":{"code":"AccessDenied","message":"no","http":403}}],
            "subject":{"colour":"blue","runtime":"r"},"format":"launchpath-bundle/1"}"#;
        let bundle = read(text).unwrap();
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(bundle.to_value().to_string(), value.to_string());
        assert_eq!(read(&bundle.to_json()).unwrap(), bundle);
    }

    #[test]
    fn malformed_bundles_are_named_with_place_and_expectation() {
        for (text, place, expected) in [
            ("[]", None, "an object"),
            (r#"{"calls":[]}"#, None, "a member `format`"),
            (r#"{"format":"launchpath-bundle/9","calls":[]}"#, Some("format"), "\"launchpath-bundle/1\""),
            (r#"{"format":"launchpath-bundle/1"}"#, Some("calls"), "a list of calls"),
            (r#"{"format":"launchpath-bundle/1","calls":{}}"#, Some("calls"), "a list of calls"),
            (r#"{"format":"launchpath-bundle/1","calls":[1]}"#, Some("calls[0]"), "an object"),
            (
                r#"{"format":"launchpath-bundle/1","calls":[{"id":"c1"}]}"#,
                Some("calls[0]"),
                "a member `service`",
            ),
            (
                r#"{"format":"launchpath-bundle/1","calls":[{"id":"c1","service":"s","operation":"o","outcome":"fine"}]}"#,
                Some("calls[0].outcome"),
                "one of `ok`",
            ),
            (
                r#"{"format":"launchpath-bundle/1","calls":[{"id":"c1","service":"s","operation":"o","outcome":"ok","at":"noon"}]}"#,
                Some("calls[0].at"),
                "a time",
            ),
            (
                r#"{"format":"launchpath-bundle/1","calls":[{"id":"c1","service":"s","operation":"o","outcome":"ok","request":[]}]}"#,
                Some("calls[0].request"),
                "an object",
            ),
            (
                r#"{"format":"launchpath-bundle/1","calls":[{"id":"c1","service":"s","operation":"o","outcome":"ok","response":{},"file":"x"}]}"#,
                Some("calls[0]"),
                "either `response` or `file`",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.place(), place, "{text}: {error}");
            assert!(error.expected().contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn an_id_counts_once() {
        let call = r#"{"id":"c1","service":"s","operation":"o","outcome":"ok"}"#;
        let error =
            read(&format!(r#"{{"format":"launchpath-bundle/1","calls":[{call},{call}]}}"#)).unwrap_err();
        assert_eq!(error.place(), Some("calls[1].id"));
    }
}
