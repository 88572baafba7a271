//! A process under rehearsal, whatever it runs in: the line between running it and judging it.
//!
//! Two things run it: the sandbox of this crate, and a container engine where a sandbox cannot be had. The contract's probes
//! know only this interface, and tests stand in for it with a thread that listens.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Something that runs under rehearsal. Times are since the process was started.
pub trait Subject {
    /// How long ago the process was started.
    fn elapsed(&self) -> Duration;

    /// The address at which the service would probe: never a loopback one.
    fn address(&self) -> IpAddr;

    /// A connection from outside to a port of [`Self::address`].
    fn connect(&self, port: u16, timeout: Duration) -> io::Result<TcpStream>;

    /// What listens inside, loopback included; `None` where that cannot be seen.
    fn listeners(&self) -> Option<Vec<Listener>>;

    /// What the process prints, as it comes. Can be taken once.
    fn take_output(&mut self) -> Option<Receiver<Printed>>;

    /// How many bytes of its output nobody took in time; they are not in what [`Self::take_output`] gives.
    fn lost_output(&self) -> u64 {
        0
    }

    /// How the process ended, once it has; all that it printed can be taken by then.
    fn exited(&mut self) -> Option<Exit>;

    /// What it tried to reach on the network so far; `None` where that cannot be seen.
    fn attempts(&self) -> Option<Vec<Attempt>>;

    /// What it used and which limits it met so far.
    fn usage(&self) -> Usage;

    /// Clauses that this way of running cannot check.
    fn blind_spots(&self) -> BTreeSet<BlindSpot>;

    /// Stops the process and removes everything that was made for it. Harmless to repeat.
    fn stop(&mut self);
}

/// A socket that waits for connections.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Address and port.
    pub at: SocketAddr,
}

/// What the process printed, in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// When.
    pub at: Duration,
    /// Where to.
    pub stream: Stream,
    /// The bytes, as they came.
    pub bytes: Vec<u8>,
}

/// Standard output or error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Error,
}

/// How the process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// When.
    pub at: Duration,
    /// Its exit code, or why there is none.
    pub how: Ending,
}

/// An exit code, a signal, or a start that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Code(i32),
    /// A signal of this number ended it.
    Signal(i32),
    /// It could not be started.
    NotStarted(StartFailure),
}

/// Why a process could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartFailure {
    /// The image names nothing to start.
    NoCommand,
    /// No such file; the one looked for.
    NotFound(String),
    /// The interpreter that its first line or its ELF header names is not in the image.
    InterpreterMissing {
        /// What was to be started.
        program: String,
        /// What it needs.
        interpreter: String,
    },
    /// The file may not be executed, or a folder on its way not entered, by the image's user.
    PermissionDenied(String),
    /// The kernel cannot execute it: another architecture, or no program at all.
    ExecFormat(String),
    /// The kernel cannot execute it: its header names another machine.
    OtherMachine {
        /// What was to be started.
        program: String,
        /// The architecture that the header of it, or of its interpreter, names: `arm64`.
        architecture: String,
    },
    /// The image's user or group is not in its password file.
    UnknownUser(String),
    /// The working directory cannot be entered.
    WorkingDirectory(String),
    /// Anything else the kernel said.
    Other(String),
}

/// A connection or a look-up that the process attempted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// When it was first seen.
    pub at: Duration,
    /// What was attempted.
    pub what: Reach,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// How often.
    pub times: u32,
}

/// What a process tried to reach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// A name was looked up.
    Name(String),
    /// Packets for an address and port.
    Address {
        /// The address.
        to: SocketAddr,
        /// `tcp`, `udp`, or the protocol's number.
        protocol: String,
        /// The name it was looked up under, when it was.
        name: Option<String>,
    },
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttemptOutcome {
    /// It was answered.
    Answered,
    /// No such name.
    NoSuchName,
    /// Dropped in silence, as AWS drops.
    Dropped,
}

/// What the process used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Highest memory use, in bytes; `None` where it cannot be seen.
    pub peak_memory: Option<u64>,
    /// How often the memory limit killed a process.
    pub out_of_memory: u64,
    /// Whether the limit of processes was met.
    pub process_limit_met: bool,
}

/// What a way of running cannot see or hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlindSpot {
    /// Sockets bound to loopback only are not told from nothing listening.
    Listeners,
    /// Attempts on the network are not recorded.
    Attempts,
    /// Limits of memory, processors or processes do not hold.
    Limits,
    /// The owners of the image's files are not told apart: what the image's user may read and write is not as in a session.
    Owners,
    /// Time runs slower than on the service's processors (another architecture is emulated).
    Timing,
    /// The metadata service is not there.
    Metadata,
    /// Something of the container engine is visible inside that a session does not have (`/.dockerenv`, a host name).
    EngineTraces,
    /// `/.dockerenv` is there and `DOCKER_CONTAINER` is not set: the AgentCore SDK binds every address for the former, where a
    /// session would have it bind loopback.
    EngineMarker,
    /// Something of the engine takes connections in the process's place, whether or not anything listens inside.
    Proxied,
    /// The network is not held back: it reaches what this machine's containers reach.
    OpenNetwork,
}
