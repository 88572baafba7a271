//! A bundle on disk: a file, or a directory of documents.
//!
//! The intake crate knows no disk; here a directory becomes [`Documents`]. Symbolic links are refused: a bundle comes from
//! somebody else, and a link in it could point anywhere.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use launchpath_intake::bundle::BUNDLE_FILE;
use launchpath_intake::documents::{MAX_DOCUMENT_BYTES, MAX_DOCUMENTS, MAX_TOTAL_BYTES};
use launchpath_intake::error::Problem;
use launchpath_intake::{Bundle, Documents, IntakeError, MemoryDocuments, ReadError, ZipDocuments};
use launchpath_model::World;
use serde_json::Value;

use crate::failure::Failure;

/// Reads a bundle (file, directory or zip) or loose AWS CLI outputs into a world.
pub(crate) fn open(path: &Path) -> Result<World, Failure> {
    if path.is_dir() {
        return Ok(launchpath_intake::open(&Directory(path.to_owned()))?);
    }
    Ok(launchpath_intake::open_bytes(&path.display().to_string(), &file(path)?)?)
}

/// Reads a bundle (file, directory or zip) as one document that holds every answer.
pub(crate) fn whole_bundle(path: &Path) -> Result<Bundle, Failure> {
    if path.is_dir() {
        return Ok(launchpath_intake::read_bundle(&Directory(path.to_owned()))?);
    }
    let bytes = file(path)?;
    let name =
        path.file_name().map_or_else(|| "bundle.json".to_owned(), |n| n.to_string_lossy().into_owned());
    if ZipDocuments::recognises(&bytes) {
        let documents = ZipDocuments::new(&bytes).map_err(|error| error.in_file(&name))?;
        return Ok(launchpath_intake::read_bundle(&documents)?);
    }
    Ok(Bundle::from_json(&name, &bytes)?)
}

/// Reads a bundle (file, directory or zip) as the JSON it is, every answer inside.
pub(crate) fn document(path: &Path) -> Result<Value, Failure> {
    if path.is_dir() {
        return Ok(launchpath_intake::read_document(&Directory(path.to_owned()))?);
    }
    let bytes = file(path)?;
    let name = path.file_name().map_or_else(|| BUNDLE_FILE.to_owned(), |n| n.to_string_lossy().into_owned());
    if ZipDocuments::recognises(&bytes) {
        let documents = ZipDocuments::new(&bytes).map_err(|error| error.in_file(&name))?;
        return Ok(launchpath_intake::read_document(&documents)?);
    }
    // As a file it may have any name.
    let documents = MemoryDocuments::from_iter([(BUNDLE_FILE.to_owned(), bytes.as_slice())]);
    Ok(launchpath_intake::read_document(&documents).map_err(|error| error.in_file(&name))?)
}

/// The bytes of a bundle's file, within the limits.
fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    let metadata = fs::metadata(path).with_context(|| path.display().to_string()).map_err(Failure::usage)?;
    let mut start = [0; 4];
    let mut file = File::open(path).with_context(|| path.display().to_string()).map_err(Failure::usage)?;
    let read = file.read(&mut start).with_context(|| path.display().to_string()).map_err(Failure::usage)?;
    let zipped = ZipDocuments::recognises(&start[..read]);
    let limit = if zipped { MAX_TOTAL_BYTES } else { MAX_DOCUMENT_BYTES };
    if metadata.len() > limit {
        let too_large = anyhow::anyhow!("{}: larger than {limit} bytes", path.display());
        return Err(Failure::usage(too_large).advise("leave out what the question does not need"));
    }
    fs::read(path).with_context(|| path.display().to_string()).map_err(Failure::usage)
}

/// Reads a file, or standard input where the path is `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("standard input").map_err(Failure::usage)?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| path.display().to_string()).map_err(Failure::usage)
}

/// A directory of documents.
struct Directory(PathBuf);

impl Directory {
    fn unreadable(&self, path: &Path, error: &std::io::Error) -> IntakeError {
        let name = path.strip_prefix(&self.0).unwrap_or(path).display().to_string();
        IntakeError::new(Problem::Unreadable, "a readable file or directory", error.to_string())
            .in_file(&name)
    }

    fn walk(&self, folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<(), IntakeError> {
        for entry in fs::read_dir(folder).map_err(|error| self.unreadable(folder, &error))? {
            let entry = entry.map_err(|error| self.unreadable(folder, &error))?;
            let kind = entry.file_type().map_err(|error| self.unreadable(&entry.path(), &error))?;
            let Ok(name) = entry.file_name().into_string() else {
                return Err(IntakeError::new(Problem::Refused, "a file name in UTF-8", "one that is not"));
            };
            let name = format!("{prefix}{name}");
            if names.len() >= MAX_DOCUMENTS {
                let found = format!("more than {MAX_DOCUMENTS}");
                return Err(IntakeError::new(Problem::Refused, "a directory of documents", found));
            }
            if kind.is_dir() {
                self.walk(&entry.path(), &format!("{name}/"), names)?;
            } else {
                names.push(name);
            }
        }
        Ok(())
    }
}

impl Documents for Directory {
    fn list(&self) -> Result<Vec<String>, IntakeError> {
        let mut names = Vec::new();
        self.walk(&self.0, "", &mut names)?;
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        let path = self.0.join(name);
        let metadata = fs::symlink_metadata(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing,
            _ => ReadError::Failed(error.to_string()),
        })?;
        if !metadata.is_file() {
            return Err(ReadError::Refused("not a regular file; links are not followed".to_owned()));
        }
        let file = File::open(&path).map_err(|error| ReadError::Failed(error.to_string()))?;
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| ReadError::Failed(error.to_string()))?;
        if bytes.len() as u64 > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
    }
}
