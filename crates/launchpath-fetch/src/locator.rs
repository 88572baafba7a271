//! What an argument means, told by its shape and by what is there.

use std::fs::File;
use std::path::{Path, PathBuf};

use launchpath_image::document::{Wanted, Wished};

use crate::archive::Archive;
use crate::container::Container;
use crate::error::FetchError;
use crate::files::Folder;
use crate::layout::{DockerArchive, Layout};

/// How something is fetched.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The platform, when only that one will do; otherwise arm64, as the service runs it, before others.
    pub platform: Option<Wished>,
}

/// What an argument led to.
pub enum Artifact {
    /// A container image.
    Container(Box<Container>),
}

/// What an argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locator {
    /// An OCI layout in a directory, with the name of the image in it.
    Layout(PathBuf, Option<String>),
    /// A saved image in one file, with the name of the image in it.
    Archive(PathBuf, Option<String>),
}

impl Locator {
    /// Reads an argument. `oci:`, `oci-archive:` and `docker-archive:` say what it is; otherwise what is there decides.
    pub fn read(argument: &str) -> Result<Self, FetchError> {
        let bad = |why: &str| FetchError::Argument { given: argument.to_owned(), why: why.to_owned() };
        if argument.is_empty() {
            return Err(bad("it is empty"));
        }
        for prefix in ["oci:", "oci-archive:", "docker-archive:"] {
            let Some(rest) = argument.strip_prefix(prefix) else { continue };
            let (path, name) = existing(rest).ok_or_else(|| bad("there is no such file or directory"))?;
            return Ok(if path.is_dir() { Self::Layout(path, name) } else { Self::Archive(path, name) });
        }
        match existing(argument) {
            Some((path, name)) if path.is_dir() => {
                if path.join("index.json").is_file() {
                    return Ok(Self::Layout(path, name));
                }
                Err(bad("the directory has no index.json (an OCI layout)"))
            }
            Some((path, name)) => Ok(Self::Archive(path, name)),
            None => Err(bad("there is no such file or directory")),
        }
    }
}

/// The longest part of `PATH:NAME` that exists, and the name after it.
fn existing(text: &str) -> Option<(PathBuf, Option<String>)> {
    if Path::new(text).exists() {
        return Some((PathBuf::from(text), None));
    }
    text.match_indices(':').find_map(|(at, _)| {
        let path = Path::new(&text[..at]);
        (!text[..at].is_empty() && path.exists()).then(|| (path.to_owned(), Some(text[at + 1..].to_owned())))
    })
}

/// Opens what `argument` names. Documents are read and checked; layers are not.
pub fn open(argument: &str, options: &Options) -> Result<Artifact, FetchError> {
    let wanted = |name: Option<String>| Wanted { name, platform: options.platform.clone() };
    match Locator::read(argument)? {
        Locator::Layout(path, name) => {
            Container::open(Box::new(Layout(Folder(path))), &wanted(name)).map(container)
        }
        Locator::Archive(path, name) => {
            let failed = |source| FetchError::Read { path: path.clone(), source };
            let file = File::open(&path).map_err(failed)?;
            archive(&path, file, &wanted(name)).map(container)
        }
    }
}

/// A saved image: a layout, or what `docker save` used to write.
fn archive(path: &Path, file: File, wanted: &Wanted) -> Result<Container, FetchError> {
    let archive = Archive::open(path, file)?;
    if archive.has("index.json") {
        return Container::open(Box::new(Layout(archive)), wanted);
    }
    if archive.has("manifest.json") {
        let name = wanted.name.clone();
        return Container::open(Box::new(DockerArchive { files: archive, name }), wanted);
    }
    let why = "the archive has neither index.json (OCI) nor manifest.json (`docker save`)".to_owned();
    Err(FetchError::Format { at: path.display().to_string(), why })
}

fn container(container: Container) -> Artifact {
    Artifact::Container(Box::new(container))
}
