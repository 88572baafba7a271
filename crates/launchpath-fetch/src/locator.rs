//! What an argument means, told by its shape and by what is there.

use std::path::{Path, PathBuf};

use crate::error::FetchError;
use crate::registry::Reference;

/// Ends of names that are files and nothing else.
const FILE_ENDS: [&str; 5] = [".tar", ".gz", ".tgz", ".zst", ".zip"];

/// What an argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locator {
    /// An OCI layout in a directory, with the name of the image in it.
    Layout(PathBuf, Option<String>),
    /// A saved image or a code zip in one file, with the name of the image in it.
    File(PathBuf, Option<String>),
    /// An unpacked root file system.
    RootFs(PathBuf),
    /// An image in a registry.
    Registry(Reference),
    /// An image of a container engine on this machine.
    Engine(String),
}

/// Folders that make a directory a root file system.
const ROOT_FOLDERS: [&str; 3] = ["bin", "usr", "etc"];

impl Locator {
    /// Reads an argument. `oci:`, `oci-archive:`, `docker-archive:`, `rootfs:`, `docker://` and `engine:` say what it is;
    /// otherwise what is there decides. A name with a registry's host is asked for there, one without at the container engine
    /// of this machine.
    pub fn read(argument: &str) -> Result<Self, FetchError> {
        let bad = |why: &str| FetchError::Argument { given: argument.to_owned(), why: why.to_owned() };
        let nothing = "there is no such file or directory";
        if argument.is_empty() {
            return Err(bad("it is empty"));
        }
        if let Some(path) = argument.strip_prefix("rootfs:") {
            let path = PathBuf::from(path);
            return if path.is_dir() { Ok(Self::RootFs(path)) } else { Err(bad(nothing)) };
        }
        for prefix in ["oci:", "oci-archive:", "docker-archive:"] {
            let Some(rest) = argument.strip_prefix(prefix) else { continue };
            let (path, name) = existing(rest).ok_or_else(|| bad(nothing))?;
            return Ok(if path.is_dir() { Self::Layout(path, name) } else { Self::File(path, name) });
        }
        if let Some(rest) = argument.strip_prefix("docker://") {
            return Reference::read(rest).map(Self::Registry).map_err(|why| bad(&why));
        }
        if let Some(name) = argument.strip_prefix("engine:") {
            return if is_engine_name(name) {
                Ok(Self::Engine(name.to_owned()))
            } else {
                Err(bad("it is no name of an image"))
            };
        }
        match existing(argument) {
            Some((path, name)) if path.is_dir() => {
                if path.join("index.json").is_file() {
                    return Ok(Self::Layout(path, name));
                }
                if name.is_none() && ROOT_FOLDERS.iter().any(|folder| path.join(folder).is_dir()) {
                    return Ok(Self::RootFs(path));
                }
                Err(bad("the directory has neither index.json (an OCI layout) nor bin, usr or etc (a root \
                         file system)"))
            }
            Some((path, name)) => Ok(Self::File(path, name)),
            None if argument.starts_with(['/', '.', '~'])
                || FILE_ENDS.iter().any(|end| argument.ends_with(end)) =>
            {
                Err(bad(nothing))
            }
            None if Reference::has_host(argument) => {
                Reference::read(argument).map(Self::Registry).map_err(|why| bad(&why))
            }
            None if is_engine_name(argument) => Ok(Self::Engine(argument.to_owned())),
            None => Err(bad("it is neither a file nor a name of an image")),
        }
    }
}

fn is_engine_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    !text.is_empty()
        && text.len() <= 512
        && text.bytes().all(letter)
        && !text.contains("..")
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// The longest part of `PATH:NAME` that exists, and the name after it.
fn existing(text: &str) -> Option<(PathBuf, Option<String>)> {
    if Path::new(text).exists() {
        return Some((PathBuf::from(text), None));
    }
    text.rmatch_indices(':').find_map(|(at, _)| {
        let path = Path::new(&text[..at]);
        (!text[..at].is_empty() && path.exists()).then(|| (path.to_owned(), Some(text[at + 1..].to_owned())))
    })
}
