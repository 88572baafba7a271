//! What a check says, three-valued: it holds, it fails, it was not re-checked.
//!
//! Plain data, and the one place where single results become an answer. Start with [`Report`].

use serde::Serialize;
use serde_json::Value;

/// What became of one statement of the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Re-checked, and not so.
    Fails,
    /// Not re-checked.
    NotChecked,
    /// Re-checked, and so.
    Holds,
}

/// One statement and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Where in the certificate: a JSON pointer.
    pub at: String,
    /// The statement in words.
    pub what: String,
    /// What became of it.
    pub standing: Standing,
    /// Why.
    pub why: String,
    /// Whether the verdict rests on it.
    pub decisive: bool,
}

/// The answer of the whole check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing fails, and everything that the verdict rests on was re-checked.
    Confirmed,
    /// Something fails.
    Refuted,
    /// Nothing fails, and something that the verdict rests on could not be re-checked.
    Incomplete,
}

/// How many statements ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Re-checked, and so.
    pub holds: usize,
    /// Re-checked, and not so.
    pub fails: usize,
    /// Not re-checked.
    pub not_checked: usize,
}

/// What the check of a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of this format, 1.
    pub schema_version: u32,
    /// The runtime that the certificate is about.
    pub runtime: String,
    /// The verdict that was certified.
    pub verdict: String,
    /// The answer.
    pub result: Outcome,
    /// How many statements ended how.
    pub counts: Counts,
    /// Every statement, in the order of the certificate's parts.
    pub items: Vec<Item>,
}

impl Report {
    /// 0 confirmed, 1 refuted, 3 incomplete.
    pub fn exit_code(&self) -> u8 {
        match self.result {
            Outcome::Confirmed => 0,
            Outcome::Refuted => 1,
            Outcome::Incomplete => 3,
        }
    }

    /// The statements that ended so.
    pub fn of(&self, standing: Standing) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.standing == standing)
    }
}

/// The results so far.
#[derive(Default)]
pub(crate) struct Notes {
    items: Vec<Item>,
}

/// A result with its reason.
pub(crate) type Found = (Standing, String);

/// It holds.
pub(crate) fn holds(why: impl Into<String>) -> Found {
    (Standing::Holds, why.into())
}

/// It fails.
pub(crate) fn fails(why: impl Into<String>) -> Found {
    (Standing::Fails, why.into())
}

/// It was not re-checked.
pub(crate) fn not_checked(why: impl Into<String>) -> Found {
    (Standing::NotChecked, why.into())
}

impl Notes {
    /// Notes a result on which the verdict does not rest.
    pub(crate) fn note(&mut self, at: impl Into<String>, what: impl Into<String>, found: Found) -> Standing {
        self.push(at.into(), what.into(), found, false)
    }

    /// Notes a result on which the verdict rests.
    pub(crate) fn decisive(
        &mut self,
        at: impl Into<String>,
        what: impl Into<String>,
        found: Found,
    ) -> Standing {
        self.push(at.into(), what.into(), found, true)
    }

    fn push(&mut self, at: String, what: String, (standing, why): Found, decisive: bool) -> Standing {
        self.items.push(Item { at, what, standing, why, decisive });
        standing
    }

    pub(crate) fn report(self, certificate: &Value) -> Report {
        let count = |standing| self.items.iter().filter(|item| item.standing == standing).count();
        let counts = Counts {
            holds: count(Standing::Holds),
            fails: count(Standing::Fails),
            not_checked: count(Standing::NotChecked),
        };
        let open = self.items.iter().any(|item| item.decisive && item.standing == Standing::NotChecked);
        let result = match (counts.fails, open) {
            (0, false) => Outcome::Confirmed,
            (0, true) => Outcome::Incomplete,
            _ => Outcome::Refuted,
        };
        let runtime = &certificate["runtime"];
        let name = ["id", "name", "arn"].iter().find_map(|member| runtime[*member].as_str());
        Report {
            schema_version: 1,
            runtime: name.unwrap_or("an unnamed runtime").to_owned(),
            verdict: crate::text(certificate, "verdict").to_owned(),
            result,
            counts,
            items: self.items,
        }
    }
}
