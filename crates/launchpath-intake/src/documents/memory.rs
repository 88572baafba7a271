//! Documents in memory.

use std::collections::BTreeMap;

use super::{Documents, ReadError};
use crate::error::IntakeError;

/// Documents held in memory, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryDocuments(BTreeMap<String, Vec<u8>>);

impl MemoryDocuments {
    /// No documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a document.
    pub fn insert(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.0.insert(name.to_owned(), bytes.into());
    }
}

impl<N: Into<String>, B: Into<Vec<u8>>> FromIterator<(N, B)> for MemoryDocuments {
    fn from_iter<I: IntoIterator<Item = (N, B)>>(documents: I) -> Self {
        Self(documents.into_iter().map(|(name, bytes)| (name.into(), bytes.into())).collect())
    }
}

impl Documents for MemoryDocuments {
    fn list(&self) -> Result<Vec<String>, IntakeError> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        let bytes = self.0.get(name).ok_or(ReadError::Missing)?;
        if bytes.len() as u64 > limit {
            return Err(ReadError::TooLarge { limit });
        }
        Ok(bytes.clone())
    }
}
