//! Files by name: a directory or an archive that holds a saved image.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::error::FetchError;

/// Files by name.
pub(crate) trait Files: Send {
    /// Where this is, for messages.
    fn at(&self) -> String;

    /// A file; nothing when there is none.
    fn open(&mut self, name: &str) -> Result<Option<FileReader<'_>>, FetchError>;

    /// All of a file that must be there and is small.
    fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let at = self.at();
        let Some(file) = self.open(name)? else {
            return Err(FetchError::Missing { at, what: name.to_owned() });
        };
        if file.size > limit {
            return Err(FetchError::TooLarge { at, what: name.to_owned(), limit });
        }
        let mut bytes = Vec::new();
        let read = file.bytes.take(limit).read_to_end(&mut bytes);
        read.map_err(|cause| FetchError::Read { path: PathBuf::from(at).join(name), cause })?;
        Ok(bytes)
    }
}

/// An open file.
pub(crate) struct FileReader<'f> {
    pub(crate) size: u64,
    pub(crate) bytes: Box<dyn Read + Send + 'f>,
}

/// A directory.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Files for Folder {
    fn at(&self) -> String {
        self.0.display().to_string()
    }

    fn open(&mut self, name: &str) -> Result<Option<FileReader<'_>>, FetchError> {
        let path = self.0.join(name);
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((metadata, file)) => Ok(Some(FileReader { size: metadata.len(), bytes: Box::new(file) })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(FetchError::Read { path, cause }),
        }
    }
}
