//! What an argument led to: a container image, a code zip or a root file system.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use launchpath_image::code_zip;
use launchpath_image::digest::{Digest, Hasher};
use launchpath_image::document::{Wanted, Wished};
use launchpath_image::tree::{Limits, Tree};

use crate::archive::Archive;
use crate::container::Container;
#[cfg(unix)]
use crate::engine;
use crate::error::FetchError;
use crate::files::Folder;
use crate::layout::{DockerArchive, Layout};
use crate::locator::Locator;
use crate::registry::{self, Credentials, Registry};
#[cfg(unix)]
use crate::root_fs;

/// How something is fetched.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The platform, when only that one will do; otherwise arm64, as the service runs it, before others.
    pub platform: Option<Wished>,
    /// Credentials for the registry, for example ECR's token. They win over those in files.
    pub credentials: Option<Credentials>,
    /// Files with credentials; see [`crate::credential_files`].
    pub credential_files: Vec<PathBuf>,
    /// Sockets of container engines; see [`crate::engine_sockets`].
    pub engine_sockets: Vec<PathBuf>,
}

impl Options {
    /// With the files and sockets that this machine's environment names.
    pub fn of_this_machine() -> Self {
        Self {
            credential_files: registry::credential_files(),
            #[cfg(unix)]
            engine_sockets: engine::sockets(),
            ..Self::default()
        }
    }
}

/// What an argument led to.
pub enum Artifact {
    /// A container image.
    Container(Box<Container>),
    /// A zip of code.
    CodeZip(CodeZip),
    /// An unpacked root file system.
    RootFs(PathBuf),
}

/// A zip of code in a file.
pub struct CodeZip {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl CodeZip {
    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest of all its bytes.
    pub fn digest(&mut self) -> Result<Digest, FetchError> {
        let failed = |cause| FetchError::Read { path: self.path.clone(), cause };
        self.file.rewind().map_err(failed)?;
        let mut hasher = Hasher::sha256();
        std::io::copy(&mut self.file, &mut hasher).map_err(failed)?;
        Ok(hasher.finish())
    }

    fn tree(&mut self, limits: Limits) -> Result<Tree, FetchError> {
        let failed = |cause| FetchError::Read { path: self.path.clone(), cause };
        self.file.rewind().map_err(failed)?;
        let input = std::io::BufReader::new(&self.file);
        let spool: File = tempfile::tempfile().map_err(FetchError::Scratch)?;
        code_zip::read(input, spool, limits)
            .map_err(|cause| FetchError::CodeZip { at: self.path.display().to_string(), cause })
    }
}

impl Artifact {
    /// Its files. For a container, layers are read and their digests checked.
    pub fn tree(&mut self, limits: Limits) -> Result<Tree, FetchError> {
        match self {
            Self::Container(container) => container.tree(limits),
            Self::CodeZip(zip) => zip.tree(limits),
            #[cfg(unix)]
            Self::RootFs(path) => root_fs::read(path, limits),
            #[cfg(not(unix))]
            Self::RootFs(path) => Err(FetchError::Format {
                at: path.display().to_string(),
                why: "a root file system can be read on Unix only".to_owned(),
            }),
        }
    }
}

/// Opens what `argument` names. Documents are read and checked; layers are not.
pub fn open(argument: &str, options: &Options) -> Result<Artifact, FetchError> {
    let wanted = |name: Option<String>| Wanted { name, platform: options.platform.clone() };
    match Locator::read(argument)? {
        Locator::Layout(path, name) => {
            Container::open(Box::new(Layout(Folder(path))), &wanted(name)).map(container)
        }
        Locator::File(path, name) => {
            let failed = |cause| FetchError::Read { path: path.clone(), cause };
            let mut file = File::open(&path).map_err(failed)?;
            let mut start = Vec::new();
            Read::by_ref(&mut file).take(4).read_to_end(&mut start).map_err(failed)?;
            file.rewind().map_err(failed)?;
            if code_zip::is_zip(&start) {
                let bytes = file.metadata().map_err(failed)?.len();
                return Ok(Artifact::CodeZip(CodeZip { path, file, bytes }));
            }
            saved(&path, file, &wanted(name)).map(container)
        }
        Locator::RootFs(path) => Ok(Artifact::RootFs(path)),
        Locator::Registry(reference) => {
            let registry = Registry::open(reference, options.credentials.clone(), &options.credential_files)?;
            Container::open(Box::new(registry), &wanted(None)).map(container)
        }
        Locator::Engine(name) => from_engine(&name, options).map(container),
    }
}

#[cfg(unix)]
fn from_engine(name: &str, options: &Options) -> Result<Container, FetchError> {
    let wanted = Wanted { name: None, platform: options.platform.clone() };
    match engine::export(&options.engine_sockets, name)? {
        Some(file) => saved(Path::new(&format!("engine:{name}")), file, &wanted),
        None => Err(no_engine(name)),
    }
}

#[cfg(not(unix))]
fn from_engine(name: &str, _options: &Options) -> Result<Container, FetchError> {
    Err(no_engine(name))
}

fn no_engine(name: &str) -> FetchError {
    FetchError::Argument {
        given: name.to_owned(),
        why: "there is no such file, and no container engine on this machine that could have an image of that name"
            .to_owned(),
    }
}

/// A zip of code that was downloaded to `file`; `name` is where it came from.
pub fn code_zip(name: &str, file: File) -> Result<Artifact, FetchError> {
    let path = PathBuf::from(name);
    let metadata = file.metadata().map_err(|cause| FetchError::Read { path: path.clone(), cause })?;
    Ok(Artifact::CodeZip(CodeZip { path, file, bytes: metadata.len() }))
}

/// A saved image: a layout, or what `docker save` used to write.
fn saved(path: &Path, file: File, wanted: &Wanted) -> Result<Container, FetchError> {
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
