//! What is to be run, and under which limits: plain data, the same on every platform.
//!
//! Not a reading of an image: the caller has unpacked the layers and read the configuration. Start with [`Plan`].

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// A process to run from an unpacked image.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The directory that holds the unpacked image. Read only; what the process writes goes elsewhere and is forgotten.
    pub root: PathBuf,
    /// The program and its arguments: entry point and command of the image, one after the other.
    pub argv: Vec<String>,
    /// The environment, as `NAME=value`. `PATH` and `HOME` are added when they are not there, as every container engine does.
    pub environment: Vec<String>,
    /// Where it starts: `WorkingDir` of the image; the root when there is none.
    pub working_directory: Option<String>,
    /// `User` of the image (`name`, `uid`, `name:group`, `uid:gid`), looked up in the image's own files; root when there is none.
    pub user: Option<String>,
    /// What it may use.
    pub limits: Limits,
    /// What it may reach.
    pub network: Network,
    /// Credentials for the metadata service; clearly false ones are handed out when there are none.
    pub credentials: Option<Credentials>,
    /// An emulator, for an image of another architecture.
    pub emulator: Option<Emulator>,
}

impl Plan {
    /// A plan with the limits of a session, no network, and nothing set that an image may leave out.
    pub fn new(root: impl Into<PathBuf>, argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            root: root.into(),
            argv: argv.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            working_directory: None,
            user: None,
            limits: Limits::default(),
            network: Network::Nothing,
            credentials: None,
            emulator: None,
        }
    }
}

/// What a process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Virtual processors.
    pub processors: u32,
    /// Memory of all processes together, files that they write included, in bytes. There is no swap.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u32,
    /// What it may write to its root, in bytes.
    pub disk: u64,
    /// Files and folders it may make in its root.
    pub files: u64,
}

impl Default for Limits {
    // AWS: a session has 2 vCPU and 8 GB (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/bedrock-agentcore-limits.html).
    // The other limits are not documented; these are far above what a sound agent uses and far below what hurts this machine.
    fn default() -> Self {
        Self { processors: 2, memory: 8 << 30, processes: 4096, disk: 4 << 30, files: 400_000 }
    }
}

/// What a process may reach. The service's own probes and the metadata service work in every mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// Everything is dropped in silence, look-ups of names included.
    Nothing,
    /// Names are answered with "no such name"; everything else is dropped.
    HostBlocked,
    /// These names resolve and these ports answer, with a stand-in that says what it is; everything else is dropped.
    Bundle(Vec<Allowed>),
}

/// A name that resolves and ports that answer behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The name; `*.` in front stands for any first label.
    pub name: String,
    /// Where it resolves to. Nothing outside is ever contacted; empty means an address of the sandbox's choice.
    pub addresses: Vec<Ipv4Addr>,
    /// TCP ports that answer; with none the name resolves and packets are dropped.
    pub ports: Vec<u16>,
}

/// Credentials of a role, as the metadata service hands them out.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The role's name.
    pub role: String,
    /// `AccessKeyId`.
    pub access_key_id: String,
    /// `SecretAccessKey`.
    pub secret_access_key: String,
    /// `Token`.
    pub session_token: String,
    /// `Expiration`, RFC 3339.
    pub expiration: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("role", &self.role).finish_non_exhaustive()
    }
}

/// A static user-mode emulator of this machine that runs programs of another architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// `qemu-aarch64-static`, at this path of this machine.
    QemuAarch64(PathBuf),
}
