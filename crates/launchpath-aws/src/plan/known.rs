//! What the answers so far say, as far as the plan needs it: ids, names, times.
//!
//! This is not the world model; it only finds the next thing to ask for.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::endpoint::Partition;
use crate::record::Record;
use crate::target::Target;

/// The answers so far.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) targets: Vec<Target>,
    /// The endpoint that is looked at.
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) now: Timestamp,
    pub(crate) records: Vec<Record>,
}

/// A runtime that is looked at, with its configuration if it could be read.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) id: String,
    pub(crate) runtime: Option<&'a Value>,
}

impl Known {
    /// The successful answers of an operation.
    pub(crate) fn answers<'a>(
        &'a self,
        service: &'a str,
        operation: &'a str,
    ) -> impl Iterator<Item = (&'a Record, &'a Value)> {
        self.records
            .iter()
            .filter(move |record| record.service == service && record.operation == operation)
            .filter_map(|record| Some((record, record.result.as_ref().ok()?)))
    }

    /// The items of a list member over all answers of an operation.
    pub(crate) fn items<'a>(
        &'a self,
        service: &'a str,
        operation: &'a str,
        member: &'a str,
    ) -> impl Iterator<Item = &'a Value> {
        self.answers(service, operation)
            .filter_map(move |(_, answer)| answer.get(member)?.as_array())
            .flatten()
    }

    /// The runtimes to look at, by id; one whose id cannot be known is not among them.
    pub(crate) fn subjects(&self) -> Vec<Subject<'_>> {
        self.targets
            .iter()
            .filter_map(|target| self.id_of(target))
            .map(|id| {
                let runtime = self.configurations_of(&id).next();
                Subject { id, runtime }
            })
            .collect()
    }

    /// The id of a runtime that was given by id or, once the list is known, by name.
    pub(crate) fn id_of(&self, target: &Target) -> Option<String> {
        if let Some(id) = &target.id {
            return Some(id.clone());
        }
        let name = target.name.as_deref()?;
        self.items("bedrock-agentcore-control", "ListAgentRuntimes", "agentRuntimes")
            .find(|runtime| text(runtime, "/agentRuntimeName") == Some(name))
            .and_then(|runtime| text(runtime, "/agentRuntimeId"))
            .map(str::to_owned)
    }

    fn configurations_of(&self, id: &str) -> impl Iterator<Item = &Value> {
        self.configurations().filter(move |runtime| text(runtime, "/agentRuntimeId") == Some(id))
    }

    /// Every configuration that was read: the latest of each subject, and versions that are served.
    pub(crate) fn configurations(&self) -> impl Iterator<Item = &Value> {
        self.answers("bedrock-agentcore-control", "GetAgentRuntime").map(|(_, answer)| answer)
    }

    /// A member of every configuration, without repetition and in order.
    pub(crate) fn of_configurations(&self, pointer: &str) -> Vec<String> {
        distinct(self.configurations().flat_map(|runtime| texts(runtime, pointer)))
    }

    /// A member of every item of a list.
    pub(crate) fn of_items(
        &self,
        (service, operation, member): (&str, &str, &str),
        pointer: &str,
    ) -> Vec<String> {
        distinct(self.items(service, operation, member).flat_map(|item| texts(item, pointer)))
    }

    /// The account, as soon as any answer shows it.
    pub(crate) fn account(&self) -> Option<String> {
        let caller = self.answers("sts", "GetCallerIdentity").find_map(|(_, a)| text(a, "/Account"));
        let of_arn =
            || self.configurations().find_map(|runtime| text(runtime, "/agentRuntimeArn")?.split(':').nth(4));
        let given = || self.targets.iter().find_map(|target| target.account.as_deref());
        // The runtime's account is the one looked at, even if the caller's is another.
        of_arn().or_else(given).or(caller).map(str::to_owned)
    }

    /// The partition of the collected Region.
    pub(crate) fn partition(&self) -> Partition {
        Partition::of_region(&self.region)
    }
}

/// A string of a document, by JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// Strings of a document; `*` in the pointer stands for every item of a list.
pub(crate) fn texts<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    let Some((before, after)) = pointer.split_once("/*") else {
        return match value.pointer(pointer) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
    };
    let items = value.pointer(before).and_then(Value::as_array).into_iter().flatten();
    items.flat_map(|item| texts(item, after)).collect()
}

fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.filter(|value| !value.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A time of an answer: ISO 8601 or epoch seconds.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are enough")]
        Value::Number(number) => Timestamp::from_second(number.as_f64()?.floor() as i64).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_reach_into_lists() {
        let document = json!({"a": [{"b": ["x", "y"]}, {"b": ["x"]}, {"c": 1}]});
        assert_eq!(texts(&document, "/a/*/b"), ["x", "y", "x"]);
        assert_eq!(texts(&document, "/a/*/b/*"), ["x", "y", "x"]);
        assert!(texts(&document, "/z/*/b").is_empty());
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let expected = Timestamp::from_second(1_760_760_290).ok();
        assert_eq!(time(&json!("2025-10-18T04:04:50Z")), expected);
        assert_eq!(time(&json!("2025-10-18T04:04:50+00:00")), expected);
        assert_eq!(time(&json!(1_760_760_290.7)), expected);
        assert_eq!(time(&json!(null)), None);
    }
}
