//! Members of a JSON object, read one by one, with the unknown ones and the order kept.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::IntakeError;
use crate::json::{Place, excerpt};

/// The members of one object that are not read yet.
pub(super) struct Members {
    place: Place,
    order: Vec<String>,
    rest: Map<String, Value>,
}

impl Members {
    /// Opens `value`, which must be an object.
    pub(super) fn open(value: Value, place: &Place) -> Result<Self, IntakeError> {
        match value {
            Value::Object(rest) => {
                Ok(Self { place: place.clone(), order: rest.keys().cloned().collect(), rest })
            }
            other => Err(place.error("an object", excerpt(&other))),
        }
    }

    /// Takes a member as it is; `null` counts as missing.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.rest.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Takes and types a member that may be missing.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, IntakeError> {
        self.take(name).map(|value| self.place.member(name).typed(&value)).transpose()
    }

    /// Takes and types a member that must be there; `example` says how it looks.
    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        name: &str,
        example: &str,
    ) -> Result<T, IntakeError> {
        match self.optional(name)? {
            Some(value) => Ok(value),
            None => Err(self.place.error(format!("a member `{name}`, such as {example}"), "none")),
        }
    }

    /// The order of all members, and those that nobody took.
    pub(super) fn finish(self) -> (Vec<String>, Map<String, Value>) {
        (self.order, self.rest)
    }
}

/// The members in the order in which they were read; new ones follow in the order of `members`.
pub(super) fn ordered(mut members: Map<String, Value>, order: &[String]) -> Value {
    let mut sorted = Map::new();
    for name in order {
        if let Some((name, value)) = members.shift_remove_entry(name) {
            sorted.insert(name, value);
        }
    }
    sorted.extend(members);
    Value::Object(sorted)
}
