//! A sandbox like a session's microVM: own namespaces, a copy-on-write root, limits, no way out.
//!
//! [`start`] runs a [`Plan`] and gives a [`Sandbox`], which is a [`Subject`](crate::subject::Subject). Linux only; elsewhere
//! `start` says that it is not supported.
//!
//! Where to start reading: `keeper` (the process between us and the sandbox), `inside` (what the process does before it becomes
//! the image's), `mounts` (its files), `fabric` (its network), `supervisor` (our side).
//!
//! ```text
//! this process ── thread "sandbox" ── keeper ──────────────── the image's process
//!   owner's handle   starts, reads       user, PID, network     PID, network, mount, IPC,
//!                    output, waits       namespace around all   UTS, cgroup namespace
//! ```
//!
//! Two processes are cloned, not executed: a library has no program of its own to execute, and a clone is five times faster.
//! Everything they need is made before (`prepared`), and `kernel` holds the few system calls that no safe library offers.

mod error;
mod plan;

#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(target_os = "linux")]
mod fabric;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod handle;
#[cfg(target_os = "linux")]
mod idmap;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod keeper;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod listeners;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod prepared;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod service;
#[cfg(target_os = "linux")]
mod step;
#[cfg(target_os = "linux")]
mod supervisor;
#[cfg(target_os = "linux")]
mod users;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(not(target_os = "linux"))]
mod elsewhere;

pub use error::SandboxError;
pub use plan::{Allowed, Credentials, Emulator, Limits, Network, Plan};

#[cfg(target_os = "linux")]
pub use handle::{Sandbox, start};

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Sandbox, start};
