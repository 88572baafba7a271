//! The request context: for every condition key its values, that it is absent, or that nobody knows.
//!
//! Not the keys that follow from the request itself (`aws:PrincipalAccount` and the like): those are in
//! `request.rs`. The maker of a context says once what silence about a key means, [`Context::complete`] or
//! [`Context::partial`].

use std::collections::BTreeMap;

use serde::Serialize;

/// What is known of one condition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextValue {
    /// The key is in the request with these values; an empty list counts as absent.
    Values(Vec<String>),
    /// The key is certainly not in the request.
    Absent,
    /// Not known, and why.
    NotKnown(String),
}

/// What a look-up of a key gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup<'a> {
    One(&'a str),
    Many(&'a [String]),
    Absent,
    NotKnown(&'a str),
}

/// The request context. Keys are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    entries: BTreeMap<String, Entry>,
    silence: Silence,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    value: ContextValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Silence {
    Absent,
    NotKnown(String),
}

impl Context {
    /// A context that states everything: a key it does not name is not in the request.
    pub fn complete() -> Self {
        Self { entries: BTreeMap::new(), silence: Silence::Absent }
    }

    /// A context that states only some keys: of the others nothing is known, for the reason given.
    pub fn partial(reason: impl Into<String>) -> Self {
        Self { entries: BTreeMap::new(), silence: Silence::NotKnown(reason.into()) }
    }

    /// With a key of one value.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_value(key, ContextValue::Values(vec![value.into()]))
    }

    /// With a key of several values.
    #[must_use]
    pub fn with_values(self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with_value(key, ContextValue::Values(values.into_iter().map(Into::into).collect()))
    }

    /// With what is known of a key.
    #[must_use]
    pub fn with_value(mut self, key: &str, value: ContextValue) -> Self {
        self.set(key, value);
        self
    }

    /// Sets what is known of a key.
    pub fn set(&mut self, key: &str, value: ContextValue) {
        self.entries.insert(key.to_ascii_lowercase(), Entry { name: key.to_owned(), value });
    }

    /// The stated keys, as stated, in the order of their lower-case names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.entries.values().map(|entry| (entry.name.as_str(), &entry.value))
    }

    /// Whether silence about a key means that it is not in the request.
    pub fn is_complete(&self) -> bool {
        self.silence == Silence::Absent
    }

    /// What is stated of a key given in lower case; `None` is silence.
    pub(crate) fn stated(&self, key: &str) -> Option<Lookup<'_>> {
        let entry = self.entries.get(key)?;
        Some(match &entry.value {
            ContextValue::Values(values) => match values.as_slice() {
                [] => Lookup::Absent,
                [value] => Lookup::One(value),
                values => Lookup::Many(values),
            },
            ContextValue::Absent => Lookup::Absent,
            ContextValue::NotKnown(reason) => Lookup::NotKnown(reason),
        })
    }

    /// What silence about a key means.
    pub(crate) fn unstated(&self) -> Lookup<'_> {
        match &self.silence {
            Silence::Absent => Lookup::Absent,
            Silence::NotKnown(reason) => Lookup::NotKnown(reason),
        }
    }
}
