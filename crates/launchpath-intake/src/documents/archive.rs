//! Documents in a ZIP archive over bytes. Nothing is extracted to disk.
//!
//! Refused before any byte is decompressed: unsafe or duplicate names, links, encrypted entries, entries that share
//! bytes, too many entries, too large a declared sum. While reading, the true size is bounded again: headers lie.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::{Documents, MAX_DOCUMENTS, MAX_RATIO, MAX_TOTAL_BYTES, RATIO_FREE_BYTES, ReadError, check_name};
use crate::error::{IntakeError, Problem};

/// A ZIP archive over bytes.
#[derive(Debug, Clone)]
pub struct ZipDocuments<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Checked name to position in the archive.
    entries: BTreeMap<String, usize>,
}

impl<'a> ZipDocuments<'a> {
    /// Whether the bytes look like a ZIP archive.
    pub fn recognises(bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
    }

    /// Reads the table of contents and checks every entry.
    pub fn new(bytes: &'a [u8]) -> Result<Self, IntakeError> {
        let damaged = |error: zip::result::ZipError| {
            IntakeError::new(Problem::Malformed, "a ZIP archive", error.to_string())
                .advise("was it copied in full?")
        };
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        if archive.len() > MAX_DOCUMENTS {
            return Err(refuse(format!("at most {MAX_DOCUMENTS} entries"), archive.len().to_string()));
        }
        if archive.has_duplicate_names() {
            return Err(refuse("each name once", "a name that occurs twice"));
        }
        if archive.has_overlapping_files().map_err(damaged)? {
            return Err(refuse("entries of their own", "entries that share bytes"));
        }
        let mut entries = BTreeMap::new();
        let mut total: u64 = 0;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(damaged)?;
            let raw_name = entry.name().map_err(damaged)?.into_owned();
            let name = check_name(&raw_name)?;
            if entry.is_symlink() {
                return Err(refuse("files and folders", "a symbolic link").in_file(&name));
            }
            if entry.is_dir() {
                continue;
            }
            if entry.encrypted() {
                return Err(refuse("an archive without password", "an encrypted entry").in_file(&name));
            }
            check_ratio(entry.size(), entry.compressed_size()).map_err(|error| error.of(&name))?;
            total = total.saturating_add(entry.size());
            if total > MAX_TOTAL_BYTES {
                return Err(refuse(format!("at most {MAX_TOTAL_BYTES} bytes in all"), "more"));
            }
            if entries.insert(name.clone(), index).is_some() {
                return Err(refuse("each name once", "a name that occurs twice").in_file(&name));
            }
        }
        Ok(Self { archive, entries })
    }
}

fn refuse(expected: impl Into<String>, found: impl Into<String>) -> IntakeError {
    IntakeError::new(Problem::Refused, expected, found)
}

fn check_ratio(size: u64, compressed: u64) -> Result<(), ReadError> {
    if size > RATIO_FREE_BYTES && size / compressed.max(1) > MAX_RATIO {
        return Err(ReadError::Refused(format!(
            "an entry that grows more than {MAX_RATIO} times when it is decompressed"
        )));
    }
    Ok(())
}

impl Documents for ZipDocuments<'_> {
    fn list(&self) -> Result<Vec<String>, IntakeError> {
        Ok(self.entries.keys().cloned().collect())
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        let index = *self.entries.get(name).ok_or(ReadError::Missing)?;
        let failed = |error: &dyn std::fmt::Display| ReadError::Failed(error.to_string());
        // A clone shares the table of contents; only the cursor is its own.
        let mut archive = self.archive.clone();
        let entry = archive.by_index(index).map_err(|e| failed(&e))?;
        let compressed = entry.compressed_size();
        let mut bytes = Vec::new();
        entry.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
        let size = bytes.len() as u64;
        if size > limit {
            return Err(ReadError::TooLarge { limit });
        }
        check_ratio(size, compressed)?;
        Ok(bytes)
    }
}
