//! The image: brought here, its layers laid over each other, unpacked into a directory that goes away again.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use launchpath_fetch::Artifact;
use launchpath_fetch::unpack::{Ownership, unpack};
use launchpath_image::document::ImageDocuments;
use launchpath_image::tree::Limits;
use launchpath_model::aws::image::ProcessConfig;
use launchpath_rehearse::record::{Base, NotChecked, Platform};

use super::code::{self, Code};
use super::interrupt::Interrupt;
use crate::commands::image::{self, Source};
use crate::failure::Failure;

/// An image that is ready to be started.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// Its file system.
    pub(crate) root: PathBuf,
    /// How it is started.
    pub(crate) process: ProcessConfig,
    /// Digest of its manifest.
    pub(crate) digest: Option<String>,
    /// Digest of its config.
    pub(crate) config_digest: Option<String>,
    /// Its platform; a root file system names none.
    pub(crate) platform: Option<Platform>,
    /// Whether it is a code zip in a base.
    pub(crate) is_code: bool,
    /// The base of a code zip.
    pub(crate) base: Option<Base>,
    /// What its rehearsal does not tell.
    pub(crate) not_checked: Vec<NotChecked>,
}

/// Brings the image into `scratch`, on a thread of its own: an interruption does not wait for a download.
pub(crate) fn bring(
    source: Source,
    code: Code,
    scratch: &Path,
    interrupt: &Interrupt,
) -> Result<Ready, Failure> {
    let scratch = scratch.to_owned();
    let (done, result) = channel();
    std::thread::spawn(move || {
        // After an interruption nobody waits for it.
        let _ = done.send(fetch(&source, &code, &scratch));
    });
    loop {
        match result.recv_timeout(Duration::from_millis(50)) {
            Ok(brought) => return brought,
            Err(RecvTimeoutError::Timeout) if interrupt.is_set() => return Err(Failure::interrupted()),
            Err(RecvTimeoutError::Timeout) => {}
            // The thread panicked; its message is on standard error.
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::bug()),
        }
    }
}

fn fetch(source: &Source, code: &Code, scratch: &Path) -> Result<Ready, Failure> {
    let mut artifact = image::open(source)?;
    if code.base.is_some() && !matches!(artifact, Artifact::CodeZip(_)) {
        return Err(Failure::usage(anyhow::anyhow!(
            "--base is for code zips; {} brings its own",
            source.image
        )));
    }
    let mut ready = match &artifact {
        Artifact::Container(container) => of_documents(container.documents()),
        // What is unpacked already is used where it is: the sandbox writes elsewhere.
        Artifact::RootFs(path) => {
            let root = path
                .canonicalize()
                .map_err(|error| Failure::usage(anyhow::anyhow!("{}: {error}", path.display())))?;
            return Ok(Ready { root, ..Ready::default() });
        }
        Artifact::CodeZip(_) => {
            let tree = artifact.tree(Limits::default())?;
            return code::lay(code, source, &tree, &scratch.join("root"));
        }
    };
    let tree = artifact.tree(Limits::default())?;
    ready.root = scratch.join("root");
    let root = &ready.root;
    std::fs::create_dir(root)
        .map_err(|error| Failure::environment(anyhow::anyhow!("{}: {error}", root.display())))?;
    unpack(&tree, root, ownership(root)).map_err(Failure::environment)?;
    Ok(ready)
}

pub(crate) fn of_documents(documents: &ImageDocuments) -> Ready {
    let config = &documents.config.value;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Ready {
        root: PathBuf::new(),
        process: config.config.clone().unwrap_or_default(),
        digest: documents.manifest.as_ref().map(|manifest| manifest.digest.to_string()),
        config_digest: Some(documents.config.digest.to_string()),
        platform: Some(Platform {
            os: text(&config.os),
            architecture: text(&config.architecture),
            variant: config.variant.clone(),
        }),
        ..Ready::default()
    }
}

/// Root can give files to whom the image says.
pub(crate) fn ownership(ours: &Path) -> Ownership {
    use std::os::unix::fs::MetadataExt;
    match std::fs::metadata(ours) {
        Ok(metadata) if metadata.uid() == 0 => Ownership::Image,
        _ => Ownership::Caller,
    }
}
