//! A table of one kind of thing: the rows that were seen, and every query that looked for them.
//!
//! Both are needed: a missing row means something only in the light of the queries.

use std::collections::BTreeMap;

use crate::evidence::EvidenceId;
use crate::known::{Absence, Fact, Gap, Known};
use crate::query::{Read, Target, prove_absent};

/// A seen thing and the calls that show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    /// The thing, as the latest call shows it.
    pub value: T,
    /// Every call that shows it, sorted.
    pub evidence: Vec<EvidenceId>,
}

/// Rows by key, and the queries that brought them or did not.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<K, T> {
    rows: BTreeMap<K, Row<T>>,
    reads: Vec<Read>,
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), reads: Vec::new() }
    }
}

/// Rows chosen by a condition, and whether they are all there are.
#[derive(Clone, Debug)]
pub struct Selection<'a, T> {
    /// The rows seen, in key order.
    pub rows: Vec<&'a Row<T>>,
    /// Proof that there are no others, or why that cannot be said.
    pub complete: Result<Absence, Gap>,
}

impl<K: Ord + Clone, T> Table<K, T> {
    /// Adds or replaces a row. The evidence of earlier sightings is kept.
    pub fn insert(&mut self, key: K, value: T, evidence: EvidenceId) {
        let mut all = self.rows.remove(&key).map(|row| row.evidence).unwrap_or_default();
        all.push(evidence);
        all.sort();
        all.dedup();
        self.rows.insert(key, Row { value, evidence: all });
    }

    /// Records that a query was made.
    pub fn record(&mut self, read: Read) {
        self.reads.push(read);
    }

    /// All rows in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Row<T>)> {
        self.rows.iter()
    }

    /// All queries, in bundle order.
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// How many rows were seen.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row was seen; that alone proves nothing.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row, when it was seen.
    pub fn seen(&self, key: &K) -> Option<&Row<T>> {
        self.rows.get(key)
    }

    /// The row, mutable: proofs of a fix edit a copy of the world in memory.
    pub fn seen_mut(&mut self, key: &K) -> Option<&mut Row<T>> {
        self.rows.get_mut(key)
    }

    /// Removes a row: for proofs of a fix.
    pub fn remove(&mut self, key: &K) -> Option<Row<T>> {
        self.rows.remove(key)
    }

    /// The thing, its proven absence, or why neither can be said. `target` describes it for the absence proof.
    pub fn get(&self, key: &K, target: &Target) -> Known<&T> {
        match self.rows.get(key) {
            Some(row) => Known::Known(Fact { value: &row.value, evidence: row.evidence.clone() }),
            None => match prove_absent(&self.reads, target) {
                Ok(absence) => Known::Absent(absence),
                Err(gap) => Known::Unknown(gap),
            },
        }
    }

    /// The rows that satisfy `condition`, and whether a query covers every such thing (`target`: what all have in common).
    pub fn select(&self, target: &Target, mut condition: impl FnMut(&K, &T) -> bool) -> Selection<'_, T> {
        let rows =
            self.rows.iter().filter(|(key, row)| condition(key, &row.value)).map(|(_, row)| row).collect();
        Selection { rows, complete: prove_absent(&self.reads, target) }
    }
}
