//! The image: brought here, its layers laid over each other, unpacked into a directory that goes away again.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use launchpath_fetch::Artifact;
use launchpath_fetch::unpack::{Ownership, unpack};
use launchpath_image::document::ImageDocuments;
use launchpath_image::tree::Limits;
use launchpath_model::aws::image::ProcessConfig;
use launchpath_rehearse::record::Platform;

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
}

/// Brings the image into `scratch`, on a thread of its own: an interruption does not wait for a download.
pub(crate) fn bring(source: Source, scratch: &Path, interrupt: &Interrupt) -> Result<Ready, Failure> {
    let scratch = scratch.to_owned();
    let (done, result) = channel();
    std::thread::spawn(move || {
        // After an interruption nobody waits for it.
        let _ = done.send(fetch(&source, &scratch));
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

fn fetch(source: &Source, scratch: &Path) -> Result<Ready, Failure> {
    let mut artifact = image::open(source)?;
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
            return Err(Failure::usage(anyhow::anyhow!(
                "{} is a code zip: the interpreter that the service puts under it is not part of it",
                source.image
            ))
            .advise(
                "read it with `launchpath inspect`, or put it into an image of that interpreter and rehearse that",
            ));
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

fn of_documents(documents: &ImageDocuments) -> Ready {
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
    }
}

/// Root can give files to whom the image says.
fn ownership(ours: &Path) -> Ownership {
    use std::os::unix::fs::MetadataExt;
    match std::fs::metadata(ours) {
        Ok(metadata) if metadata.uid() == 0 => Ownership::Image,
        _ => Ownership::Caller,
    }
}
