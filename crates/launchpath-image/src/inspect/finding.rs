//! One thing that is wrong, or may be, and how sure that is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How sure a finding is. Ordered from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It may be so: guarded, in a function, or a matter of what the process is told when it starts.
    Possible,
    /// It is so unless something unusual happens at run time.
    Likely,
    /// It cannot be otherwise.
    Certain,
}

/// What is wrong. The names are part of the public record: never renamed, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A module that is not in the image.
    MissingModule,
    /// A submodule that an installed package does not have.
    MissingSubmodule,
    /// A name that a module does not have.
    MissingName,
    /// A name that a module of the agent's own does not have.
    MissingOwnName,
    /// A source file of the agent's own.
    MissingOwnSource,
    /// A data file that is opened at start.
    MissingDataFile,
    /// Source that the interpreter of the image refuses.
    SyntaxError,
    /// A compiled module of another machine or interpreter.
    ForeignExtension,
    /// A shared library of the system.
    MissingLibrary,
    /// The image, or a program in it, is for another machine.
    WrongArchitecture,
    /// An index with attestation entries.
    AttestationIndex,
    /// An index with images for several platforms.
    MultiArchitectureIndex,
    /// Larger than the service takes.
    ImageTooLarge,
    /// Larger than the service takes, for a code zip.
    ZipTooLarge,
    /// Many layers and a user given by name.
    TooManyLayersForNamedUser,
    /// The user or group is not in the image's files.
    UserUnknown,
    /// The user may not read a file that is needed to start.
    CannotRead,
    /// The user may not execute what is started.
    CannotExecute,
    /// Nothing says what to start.
    NoCommand,
    /// The working directory is none, or the user may not enter it.
    WorkingDirectory,
    /// What is started is not there.
    ProgramMissing,
    /// The interpreter that a script names is not there.
    InterpreterMissing,
    /// The dynamic loader that a program names is not there.
    LoaderMissing,
    /// Neither a program nor a script.
    NotExecutableFormat,
    /// Ports are declared, and the protocol's is not among them. An image that declares none says nothing: nobody reads it.
    OtherPortExposed,
    /// The entry point is not in the zip.
    EntryPointMissing,
    /// Nothing in what is started is a server.
    NoHttpServer,
    /// What is started serves another protocol than the runtime's.
    OtherProtocol,
    /// The server listens on the loopback address only.
    BindsLoopbackOnly,
    /// The health answer says that it was updated just now, every time.
    TimestampMoves,
    /// A requirement without an upper bound, and a newer major release is installed.
    NewerMajorRelease,
    /// More environment than the service takes.
    EnvironmentTooLarge,
}

/// One import on the way from the start to the place of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The file in which the import stands.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// What is imported there.
    pub module: String,
}

/// One thing that is wrong, or may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// How sure.
    pub certainty: Certainty,
    /// One sentence.
    pub text: String,
    /// The file in which it shows.
    pub file: Option<String>,
    /// The line there, from 1.
    pub line: Option<u32>,
    /// The imports that lead there, from the start module on.
    #[serde(default)]
    pub chain: Vec<Link>,
    /// Particulars by name: `module`, `distribution`, `version`, …
    #[serde(default)]
    pub detail: BTreeMap<String, Value>,
}

impl Finding {
    /// A finding about no file in particular.
    pub fn new(kind: FindingKind, certainty: Certainty, text: impl Into<String>) -> Self {
        Self {
            kind,
            certainty,
            text: text.into(),
            file: None,
            line: None,
            chain: Vec::new(),
            detail: BTreeMap::new(),
        }
    }

    /// With the file in which it shows.
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// With the line in that file.
    pub fn at_line(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }

    /// With one more particular.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// Something that an inspection did not look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotChecked {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

impl NotChecked {
    /// What was not looked at, and why.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}
