//! From the clone to the program: what the process does in its new namespaces before it becomes the image's.
//!
//! The order matters. Everything that needs power over the sandbox comes first, then the user changes, then the system call
//! filter closes, and last the program is executed. A copy of a process with several threads: nothing here allocates, locks or
//! panics.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::idmap::Kind;
use super::keeper::{Outer, route_socket};
use super::kernel;
use super::mounts;
use super::netlink::exchange;
use super::prepared::Prepared;
use super::step::Step;
use super::wire::{self, Message};

/// A step and what the kernel said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure(pub(super) Step, pub(super) Errno);

impl Failure {
    /// For `map_err`.
    pub(super) fn at(step: Step) -> impl Fn(Errno) -> Self {
        move |error| Self(step, error)
    }
}

/// Most descriptors that a process may open, where the system allows that many: what container engines set today.
const DESCRIPTORS: u64 = 65_536;

/// Runs in the cloned process and ends in the program, or in a report of what went wrong.
pub(super) fn run(
    prepared: &mut Prepared,
    control: BorrowedFd<'static>,
    outer: &Outer,
    files: Option<&OwnedFd>,
) -> ! {
    // Outlives the report of a failure: its end says that there is nothing more to report.
    let mut standard = None;
    if let Err(Failure(step, error)) = become_program(prepared, control, outer, files, &mut standard) {
        let _unheard = wire::send(control, Message::Failed(step, error.raw_os_error()), &[]);
    }
    kernel::leave(127)
}

fn become_program(
    prepared: &mut Prepared,
    control: BorrowedFd<'static>,
    outer: &Outer,
    files: Option<&OwnedFd>,
    standard: &mut Option<Standard>,
) -> Result<(), Failure> {
    join_groups(prepared).map_err(Failure::at(Step::Limit))?;
    network(prepared, outer).map_err(Failure::at(Step::InnerNetwork))?;
    let standard = standard.insert(pipes(prepared, control).map_err(Failure::at(Step::Pipes))?);
    mounts::enter(prepared, files)?;
    rustix::system::sethostname(b"localhost").map_err(Failure::at(Step::Host))?;
    streams(standard).map_err(Failure::at(Step::Pipes))?;
    rustix::process::setsid().map_err(Failure::at(Step::Session))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    resource_limits(prepared).map_err(Failure::at(Step::ResourceLimits))?;
    drop_bounding_set().map_err(Failure::at(Step::Capabilities))?;
    become_user(prepared).map_err(Failure::at(Step::User))?;
    drop_capabilities().map_err(Failure::at(Step::Capabilities))?;
    rustix::process::chdir(&*prepared.working_directory).map_err(Failure::at(Step::WorkingDirectory))?;
    kernel::close_on_execute_from(3).map_err(Failure::at(Step::Descriptors))?;
    kernel::filter_system_calls(&prepared.filter).map_err(Failure::at(Step::Filter))?;
    let mut error = Errno::NOENT;
    for (index, candidate) in prepared.candidates.iter().enumerate() {
        error = kernel::execute(candidate, &prepared.arguments, &prepared.environment);
        let index = u8::try_from(index).unwrap_or(u8::MAX);
        wire::send(control, Message::NotExecuted(index, error.raw_os_error()), &[])
            .map_err(Failure::at(Step::Execute))?;
        // Like a shell: the next folder, unless this file is the one and cannot be run.
        if !matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) {
            break;
        }
    }
    Err(Failure(Step::Execute, error))
}

/// Joins the groups that limit; from within, they are then the topmost ones.
#[expect(unsafe_code, reason = "unshare is unsafe for processes that share descriptors")]
fn join_groups(prepared: &Prepared) -> Result<(), Errno> {
    for entrance in &prepared.entrances {
        rustix::io::write(entrance, b"0")?;
    }
    // SAFETY: a new control group namespace changes no descriptor and no memory.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWCGROUP) }?;
    // After the groups, which may have processors of their own. An emptier machine than thought is no reason to stop.
    let _fewer = rustix::thread::sched_setaffinity(None, &prepared.processors);
    Ok(())
}

fn network(prepared: &mut Prepared, outer: &Outer) -> Result<(), Errno> {
    let inner = route_socket()?;
    exchange(inner.as_fd(), &mut prepared.fabric.inner, Some(outer.namespace.as_raw_fd()))?;
    exchange(outer.netlink.as_fd(), &mut prepared.fabric.wired, None)?;
    // Any user may listen on any port, as under a container engine.
    let ports = c"/proc/sys/net/ipv4/ip_unprivileged_port_start";
    if let Ok(file) = rustix::fs::open(ports, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _read_only_in_some_containers = rustix::io::write(&file, b"0");
    }
    Ok(())
}

/// The process's ends of its output.
struct Standard {
    output: OwnedFd,
    error: OwnedFd,
    /// Closes when the program is executed.
    _report: OwnedFd,
}

/// Makes the pipes here, so that the image's user owns them and may open them again by name.
fn pipes(prepared: &Prepared, control: BorrowedFd<'_>) -> Result<Standard, Errno> {
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let ((output, output_here), (error, error_here), (report, report_here)) = (pipe()?, pipe()?, pipe()?);
    if prepared.ids != Kind::Single {
        for end in [&output_here, &error_here] {
            rustix::fs::fchown(end, Some(prepared.uid), Some(prepared.gid))?;
        }
    }
    let table = |path| rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let tables = (table(c"/proc/thread-self/net/tcp")?, table(c"/proc/thread-self/net/tcp6"));
    let mut handed = [output.as_fd(), error.as_fd(), report.as_fd(), tables.0.as_fd(), tables.0.as_fd()];
    let mut count = 4;
    if let Ok(six) = &tables.1 {
        handed[4] = six.as_fd();
        count = 5;
    }
    wire::send(control, Message::Inside, handed.get(..count).unwrap_or(&[]))?;
    Ok(Standard { output: output_here, error: error_here, _report: report_here })
}

fn streams(standard: &Standard) -> Result<(), Errno> {
    let nothing = rustix::fs::open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    kernel::replace_stream(nothing.as_fd(), 0)?;
    kernel::replace_stream(standard.output.as_fd(), 1)?;
    kernel::replace_stream(standard.error.as_fd(), 2)
}

fn resource_limits(prepared: &Prepared) -> Result<(), Errno> {
    let set = |resource, value: u64| {
        // Never above what we may give.
        let highest = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX).min(value);
        rustix::process::setrlimit(resource, Rlimit { current: Some(highest), maximum: Some(highest) })
    };
    set(Resource::Nofile, DESCRIPTORS)?;
    set(Resource::Core, 0)?;
    set(Resource::Memlock, 8 << 20)?;
    if let Some(fallback) = prepared.fallback {
        set(Resource::Nproc, fallback.processes)?;
        set(Resource::Data, fallback.memory)?;
    }
    Ok(())
}

/// Without these, no program can ever give the process a capability again.
fn drop_bounding_set() -> Result<(), Errno> {
    for bit in 0..63 {
        match rustix::thread::remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << bit)) {
            Ok(()) => {}
            // One more than the kernel knows.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    rustix::thread::clear_ambient_capability_set()
}

fn become_user(prepared: &Prepared) -> Result<(), Errno> {
    if prepared.ids == Kind::Single {
        return Ok(());
    }
    rustix::thread::set_thread_groups(&prepared.groups)?;
    rustix::thread::set_thread_res_gid(prepared.gid, prepared.gid, prepared.gid)?;
    rustix::thread::set_thread_res_uid(prepared.uid, prepared.uid, prepared.uid)
}

fn drop_capabilities() -> Result<(), Errno> {
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(
        None,
        CapabilitySets { effective: none, permitted: none, inheritable: none },
    )?;
    rustix::thread::set_no_new_privs(true)
}
