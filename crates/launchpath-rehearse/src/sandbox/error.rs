//! Why a sandbox could not be made. A process that could not be started in a sound sandbox is no error but an
//! [`Ending`](crate::subject::Ending).

use std::io;
use std::path::PathBuf;

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// This machine cannot hold one, or this user may not make one.
    #[error("no sandbox can be made here: {why}; {advice}")]
    Unsupported {
        /// What is missing.
        why: String,
        /// What to do.
        advice: String,
    },
    /// The directory of the unpacked image cannot be used.
    #[error("cannot use {} as the root of the image: {source}", path.display())]
    Root {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The plan holds something that no process can be given.
    #[error("{what} holds a NUL byte, which no program can be given; expected text without one")]
    NulByte {
        /// Which part of the plan.
        what: &'static str,
    },
    /// The plan opens more than the stand-in can listen on.
    #[error("{found} different ports are to answer, at most {most} can; leave some out")]
    TooManyPorts {
        /// How many.
        found: usize,
        /// How many are possible.
        most: usize,
    },
    /// A step of making it failed.
    #[error("failed to {step}: {source}")]
    Setup {
        /// The step.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
