//! A table of one kind of thing: the rows that were seen, and every query that looked for them.
//!
//! Both are needed: a missing row means something only in the light of the queries. Copies share what they hold until one of them
//! is changed: the proof of a fix copies whole worlds and changes one row.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::evidence::EvidenceId;
use crate::known::{Absence, Fact, Gap, Known};
use crate::query::{Read, Target, prove_absent};
use crate::world::Owners;

/// A seen thing and the calls that show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    /// The thing, as the latest call shows it.
    pub value: T,
    /// Every call that shows it, sorted.
    pub evidence: Vec<EvidenceId>,
}

/// Rows by key, and the queries that brought them or did not.
#[derive(Debug)]
pub struct Table<K, T> {
    rows: Arc<BTreeMap<K, Arc<Row<T>>>>,
    reads: Arc<Vec<Read>>,
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Self {
        Self { rows: Arc::default(), reads: Arc::default() }
    }
}

impl<K, T> Clone for Table<K, T> {
    fn clone(&self) -> Self {
        Self { rows: Arc::clone(&self.rows), reads: Arc::clone(&self.reads) }
    }
}

impl<K: PartialEq, T: PartialEq> PartialEq for Table<K, T> {
    fn eq(&self, other: &Self) -> bool {
        (Arc::ptr_eq(&self.rows, &other.rows) || self.rows == other.rows)
            && (Arc::ptr_eq(&self.reads, &other.reads) || self.reads == other.reads)
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

impl<K: Ord + Clone, T: Clone> Table<K, T> {
    /// Adds or replaces a row. The evidence of earlier sightings is kept.
    pub fn insert(&mut self, key: K, value: T, evidence: EvidenceId) {
        let rows = Arc::make_mut(&mut self.rows);
        let mut all = rows.remove(&key).map(|row| Arc::unwrap_or_clone(row).evidence).unwrap_or_default();
        all.push(evidence);
        all.sort();
        all.dedup();
        rows.insert(key, Arc::new(Row { value, evidence: all }));
    }

    /// The row, mutable: proofs of a fix edit a copy of the world in memory.
    pub fn seen_mut(&mut self, key: &K) -> Option<&mut Row<T>> {
        if !self.rows.contains_key(key) {
            return None;
        }
        Arc::make_mut(&mut self.rows).get_mut(key).map(Arc::make_mut)
    }

    /// Removes a row: for proofs of a fix.
    pub fn remove(&mut self, key: &K) -> Option<Row<T>> {
        if !self.rows.contains_key(key) {
            return None;
        }
        Arc::make_mut(&mut self.rows).remove(key).map(Arc::unwrap_or_clone)
    }

    /// The table in parts: of what `owners` names, each part holds its own; what nobody owns is in every part.
    ///
    /// `named`: whom a row names that an answer about everybody brought; nobody by an empty list.
    pub(crate) fn parted<'o>(
        &self,
        parts: usize,
        owners: &'o Owners,
        named: impl Fn(&T) -> &'o [usize],
    ) -> Vec<Self> {
        // Whom each call of a row is about.
        let of_row =
            |row: &Row<T>| -> Vec<&[usize]> { row.evidence.iter().map(|id| owners.of(id)).collect() };
        let shared = |owned: &[&[usize]]| owned.iter().any(|owners| owners.is_empty());
        let common = self.rows.values().all(|row| shared(&of_row(row)) && named(&row.value).is_empty());
        if common && self.reads.iter().all(|read| owners.of(&read.call.id).is_empty()) {
            return vec![self.clone(); parts];
        }
        let mut rows = vec![Vec::new(); parts];
        let mut reads = vec![Vec::new(); parts];
        for (key, row) in self.rows.iter() {
            let owned = of_row(row);
            let mut insert = |part: usize| {
                let own = |owners: &&[usize]| owners.is_empty() || owners.contains(&part);
                let row = if owned.iter().all(own) {
                    Arc::clone(row)
                } else {
                    let calls = row.evidence.iter().zip(&owned).filter(|(_, owners)| own(owners));
                    let evidence = calls.map(|(id, _)| id.clone()).collect();
                    Arc::new(Row { value: row.value.clone(), evidence })
                };
                rows[part].push((key.clone(), row));
            };
            let named = named(&row.value);
            if shared(&owned) && named.is_empty() {
                (0..parts).for_each(insert);
            } else if shared(&owned) {
                named.iter().copied().for_each(insert);
            } else {
                let mut all: Vec<usize> = owned.iter().copied().flatten().copied().collect();
                all.sort_unstable();
                all.dedup();
                all.into_iter().for_each(&mut insert);
            }
        }
        for read in self.reads.iter() {
            match owners.of(&read.call.id) {
                [] => reads.iter_mut().for_each(|part| part.push(read.clone())),
                owned => owned.iter().for_each(|part| reads[*part].push(read.clone())),
            }
        }
        rows.into_iter()
            .zip(reads)
            .map(|(rows, reads)| Self { rows: Arc::new(rows.into_iter().collect()), reads: Arc::new(reads) })
            .collect()
    }
}

impl<K: Ord + Clone, T> Table<K, T> {
    /// Records that a query was made.
    pub fn record(&mut self, read: Read) {
        Arc::make_mut(&mut self.reads).push(read);
    }

    /// All rows in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Row<T>)> {
        self.rows.iter().map(|(key, row)| (key, row.as_ref()))
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
        self.rows.get(key).map(Arc::as_ref)
    }

    /// The thing, its proven absence, or why neither can be said. `target` describes it for the absence proof.
    pub fn get(&self, key: &K, target: &Target) -> Known<&T> {
        match self.rows.get(key) {
            Some(row) => Known::Known(Fact { value: &row.value, evidence: row.evidence.clone() }),
            None => match prove_absent(self.reads.as_slice(), target) {
                Ok(absence) => Known::Absent(absence),
                Err(gap) => Known::Unknown(gap),
            },
        }
    }

    /// As [`Table::get`]; the thing is described only where it was not seen.
    pub fn find(&self, key: &K, target: impl FnOnce() -> Target) -> Known<&T> {
        match self.rows.get(key) {
            Some(row) => Known::Known(Fact { value: &row.value, evidence: row.evidence.clone() }),
            None => self.get(key, &target()),
        }
    }

    /// The rows that satisfy `condition`, and whether a query covers every such thing (`target`: what all have in common).
    pub fn select(&self, target: &Target, mut condition: impl FnMut(&K, &T) -> bool) -> Selection<'_, T> {
        let rows = self.iter().filter(|(key, row)| condition(key, &row.value)).map(|(_, row)| row).collect();
        Selection { rows, complete: prove_absent(self.reads.as_slice(), target) }
    }
}
