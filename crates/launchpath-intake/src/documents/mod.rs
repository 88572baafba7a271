//! Where the bytes come from: named documents, in memory or in a ZIP archive.
//!
//! A directory on disk implements [`Documents`] in the binary, because this crate does no I/O. Whatever the source,
//! every name passes [`check_name`] and every limit of this module. Start with [`Documents`].

mod archive;
mod memory;
mod name;

pub use archive::ZipDocuments;
pub use memory::MemoryDocuments;
pub use name::check_name;

use crate::error::{IntakeError, Problem};

/// Largest document, in bytes. A describe output of ten thousand resources has about 30 MB.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;
/// Largest sum of all documents of one input, in bytes (after decompression).
pub const MAX_TOTAL_BYTES: u64 = 256 << 20;
/// Most documents in one input.
pub const MAX_DOCUMENTS: usize = 20_000;
/// Largest size of a ZIP entry divided by its compressed size; JSON of real accounts stays below 60.
pub const MAX_RATIO: u64 = 200;
/// Entries smaller than this many bytes may have any ratio: they harm nobody.
pub const RATIO_FREE_BYTES: u64 = 1 << 20;

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is no document of that name.
    #[error("no such document")]
    Missing,
    /// It is larger than the limit, in bytes.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit that it exceeds, in bytes.
        limit: u64,
    },
    /// It may not be read: an unsafe name, a link, an encrypted or over-compressed entry.
    #[error("{0}")]
    Refused(String),
    /// Reading failed.
    #[error("{0}")]
    Failed(String),
}

impl ReadError {
    pub(crate) fn of(self, name: &str) -> IntakeError {
        let found = self.to_string();
        let error = match self {
            Self::TooLarge { .. } => {
                IntakeError::new(Problem::Refused, "a document within the size limit", found)
                    .advise("split it, or leave out what the question does not need")
            }
            Self::Refused(_) => IntakeError::new(Problem::Refused, "a document that is safe to read", found),
            Self::Missing | Self::Failed(_) => {
                IntakeError::new(Problem::Unreadable, "a readable document", found)
            }
        };
        error.in_file(name)
    }
}

/// Named documents. Names are relative, with `/` between folders, whatever the platform.
pub trait Documents {
    /// The name of every document, in any order.
    fn list(&self) -> Result<Vec<String>, IntakeError>;

    /// The bytes of a document, at most `limit` of them; longer ones are refused and never read in full.
    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadError>;
}
