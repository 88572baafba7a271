//! Everything that a sandbox needs, made ready before its first process: between clone and exec nothing may be allocated.

use std::ffi::CString;
use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;

use rustix::process::{Gid, Uid};
use rustix::thread::CpuSet;

use super::error::SandboxError;
use super::fabric::{self, Fabric};
use super::filter;
use super::idmap::{IdMap, Kind};
use super::kernel::Strings;
use super::mounts::FACTS;
use super::plan::{Emulator, Plan};
use super::program;
use super::users::Identity;

/// What the keeper and the process-to-be work from.
pub(super) struct Prepared {
    pub(super) fabric: Fabric,
    /// The unpacked image, by path; used when its files are not handed over as a mount.
    pub(super) root: CString,
    pub(super) candidates: Vec<CString>,
    pub(super) arguments: Strings,
    pub(super) environment: Strings,
    pub(super) working_directory: CString,
    pub(super) uid: Uid,
    pub(super) gid: Gid,
    pub(super) groups: Vec<Gid>,
    /// How ids are mapped: with a single id nobody can become anybody else.
    pub(super) ids: Kind,
    pub(super) filter: Vec<libc::sock_filter>,
    /// Where to join the groups that limit.
    pub(super) entrances: Vec<OwnedFd>,
    pub(super) processors: CpuSet,
    /// Limits that stand in where there are no groups.
    pub(super) fallback: Option<Fallback>,
    pub(super) scratch: Scratch,
    /// Files of the image that the host writes, below `/etc`.
    pub(super) host_files: Vec<(CString, Vec<u8>)>,
    /// Files of `/proc` that speak of the sandbox instead of this machine.
    pub(super) facts: [(CString, Vec<u8>); FACTS],
    /// What registers an emulator for the sandbox.
    pub(super) emulator: Option<Vec<u8>>,
    /// The processors' numbers as `/sys` lists them.
    pub(super) processor_list: Vec<u8>,
}

/// Options of the file systems in memory.
pub(super) struct Scratch {
    pub(super) size: CString,
    pub(super) files: CString,
    pub(super) shared_memory: CString,
}

/// Resource limits for where there are no groups.
#[derive(Clone, Copy)]
pub(super) struct Fallback {
    pub(super) memory: u64,
    pub(super) processes: u64,
}

/// The plan's strings, as the kernel takes them, and how to find the program.
pub(super) struct Command {
    pub(super) candidates: Vec<String>,
    pub(super) environment: Vec<String>,
    pub(super) working_directory: String,
}

impl Command {
    pub(super) fn new(plan: &Plan, identity: &Identity) -> Self {
        let mut environment = plan.environment.clone();
        let has = |environment: &[String], name: &str| {
            environment.iter().any(|entry| entry.split('=').next() == Some(name))
        };
        if !has(&environment, "PATH") {
            environment.push(format!("PATH={}", program::DEFAULT_PATH));
        }
        if !has(&environment, "HOME") {
            environment.push(format!("HOME={}", identity.home));
        }
        let working_directory =
            plan.working_directory.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned());
        let candidates =
            plan.argv.first().map(|first| program::candidates(first, &environment)).unwrap_or_default();
        Self { candidates, environment, working_directory }
    }
}

impl Prepared {
    pub(super) fn new(
        plan: &Plan,
        command: &Command,
        identity: &Identity,
        map: &IdMap,
        open: &[SocketAddrV4],
        entrances: Option<Vec<OwnedFd>>,
    ) -> Result<Self, SandboxError> {
        let texts = |what, texts: &[String]| {
            texts.iter().map(|one| text(what, one.as_str())).collect::<Result<Vec<_>, _>>()
        };
        let root = plan.root.clone().into_os_string().into_encoded_bytes();
        let fabric = Fabric::new(plan, open);
        if fabric.tcp_ports.len() > fabric::MOST_PORTS {
            return Err(SandboxError::TooManyPorts {
                found: fabric.tcp_ports.len(),
                most: fabric::MOST_PORTS,
            });
        }
        let limited = entrances.is_some();
        let (processors, processor_list) = processors(plan.limits.processors);
        Ok(Self {
            fabric,
            root: text("the path of the image", root)?,
            candidates: texts("the command", &command.candidates)?,
            arguments: Strings::new(texts("the command", &plan.argv)?),
            environment: Strings::new(texts("the environment", &command.environment)?),
            working_directory: text("the working directory", command.working_directory.as_str())?,
            uid: Uid::from_raw(identity.uid),
            gid: Gid::from_raw(identity.gid),
            groups: identity
                .groups
                .iter()
                .copied()
                .filter(|group| map.has_group(*group))
                .map(Gid::from_raw)
                .collect(),
            ids: map.kind(),
            filter: filter::program(),
            entrances: entrances.unwrap_or_default(),
            processors,
            fallback: (!limited).then_some(Fallback {
                memory: plan.limits.memory,
                processes: u64::from(plan.limits.processes),
            }),
            scratch: Scratch {
                size: text("a limit", plan.limits.disk.to_string())?,
                files: text("a limit", plan.limits.files.to_string())?,
                shared_memory: text("a limit", (plan.limits.memory / 2).to_string())?,
            },
            host_files: host_files()?,
            facts: [
                (text("a name", "meminfo")?, memory_facts(plan.limits.memory)),
                (text("a name", "cpuinfo")?, processor_facts(plan.limits.processors)),
            ],
            emulator: plan.emulator.as_ref().map(registration).transpose()?,
            processor_list,
        })
    }
}

fn text(what: &'static str, text: impl Into<Vec<u8>>) -> Result<CString, SandboxError> {
    CString::new(text).map_err(|_| SandboxError::NulByte { what })
}

/// The processors that this process may use, at most `most` of them; sandboxes side by side begin at different ones.
fn processors(most: u32) -> (CpuSet, Vec<u8>) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let own = rustix::thread::sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
    let usable: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|processor| own.is_set(*processor)).collect();
    let most = usize::try_from(most.max(1)).unwrap_or(1).min(usable.len());
    let first = NEXT.fetch_add(most, Ordering::Relaxed);
    let mut chosen = CpuSet::new();
    for processor in usable.iter().cycle().skip(first % usable.len().max(1)).take(most) {
        chosen.set(*processor);
    }
    let list = if most > 1 { format!("0-{}\n", most - 1) } else { "0\n".to_owned() };
    (chosen, list.into_bytes())
}

/// `/proc/meminfo` of a machine with this much memory and nothing in it yet: libraries size their pools by it.
fn memory_facts(bytes: u64) -> Vec<u8> {
    let total = bytes >> 10;
    let free = total / 20 * 19;
    let line = |name: &str, kilobytes: u64| format!("{:<16}{kilobytes:>8} kB\n", format!("{name}:"));
    let rest = [
        "Buffers",
        "Cached",
        "SwapCached",
        "Active",
        "Inactive",
        "SwapTotal",
        "SwapFree",
        "Dirty",
        "Shmem",
        "Slab",
    ];
    [("MemTotal", total), ("MemFree", free), ("MemAvailable", free)]
        .into_iter()
        .chain(rest.into_iter().map(|name| (name, 0)))
        .chain([("SReclaimable", 0), ("SUnreclaim", 0)])
        .map(|(name, kilobytes)| line(name, kilobytes))
        .collect::<String>()
        .into_bytes()
}

/// `/proc/cpuinfo` with as many processors as the sandbox has.
fn processor_facts(processors: u32) -> Vec<u8> {
    let own = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let most = usize::try_from(processors.max(1)).unwrap_or(1);
    let blocks = own.split("\n\n").filter(|block| block.starts_with("processor")).take(most);
    blocks.map(|block| format!("{block}\n\n")).collect::<String>().into_bytes()
}

/// The line that has the kernel run programs of another architecture with an emulator.
fn registration(emulator: &Emulator) -> Result<Vec<u8>, SandboxError> {
    let Emulator::QemuAarch64(path) = emulator;
    let path = path.as_os_str().as_encoded_bytes();
    if path.iter().any(|byte| matches!(byte, b':' | b'\n' | 0)) || !path.starts_with(b"/") {
        return Err(SandboxError::Unsupported {
            why: "the emulator's path cannot be registered".to_owned(),
            advice: "give an absolute path without colon and line break".to_owned(),
        });
    }
    // A 64-bit little-endian program for AArch64. The emulator is opened now and here, so that nothing of it need be in the
    // image; it is given the opened program and the name that the program was called by.
    let magic = br"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00";
    let mask = br"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";
    Ok([&b":launchpath-aarch64:M::"[..], magic, b":", mask, b":", path, b":POF"].concat())
}

/// What a container engine writes too, and what an agent finds in a session: nobody but itself and the resolver.
fn host_files() -> Result<Vec<(CString, Vec<u8>)>, SandboxError> {
    let resolver = format!("nameserver {}\n", fabric::RESOLVER);
    let hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n".to_owned();
    [("resolv.conf", resolver), ("hosts", hosts), ("hostname", "localhost\n".to_owned())]
        .into_iter()
        .map(|(name, content)| Ok((text("a name", name)?, content.into_bytes())))
        .collect()
}
