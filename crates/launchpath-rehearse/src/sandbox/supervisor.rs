//! The thread that holds a sandbox: it starts the keeper, reads what the process prints, and learns how it ended.
//!
//! One thread for each sandbox, alive as long as the sandbox is: the keeper dies with it.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Signal, WaitId, WaitIdOptions};

use super::error::SandboxError;
use super::fabric::Fabric;
use super::idmap::{IdMap, Kind};
use super::keeper;
use super::kernel::{self, MountChange, Side};
use super::output::Pump;
use super::prepared::{Command, Prepared};
use super::program;
use super::step::Step;
use super::wire::{self, MOST_DESCRIPTORS, Message};
use crate::subject::{Ending, Exit, Printed, StartFailure, Stream};

/// How long the making of a sandbox may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often output is offered again that nobody took.
const RETRY: Duration = Duration::from_millis(20);

/// How long after the end of the process its last output may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a sandbox is started from.
pub(super) struct Start {
    pub(super) prepared: Prepared,
    pub(super) command: Command,
    pub(super) program: String,
    pub(super) map: IdMap,
    /// In its place, where the image's files cannot be shown with other owners.
    pub(super) unchanged: IdMap,
    /// The directory of the unpacked image.
    pub(super) root: OwnedFd,
    /// Becomes readable when the sandbox is no longer wanted.
    pub(super) stop: Arc<OwnedFd>,
    pub(super) shared: Arc<Shared>,
    pub(super) printed: SyncSender<Printed>,
}

/// What the thread and the handle share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) started: Instant,
    pub(super) exit: Mutex<Option<Exit>>,
    /// Bytes of output that nobody took in time.
    pub(super) lost: std::sync::atomic::AtomicU64,
}

/// What a started sandbox hands to its owner.
pub(super) struct Started {
    /// Asks the keeper for sockets.
    pub(super) broker: OwnedFd,
    /// The tables of sockets inside.
    pub(super) tables: Vec<OwnedFd>,
    pub(super) sockets: Sockets,
}

/// The service's sockets.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) packets: OwnedFd,
    pub(super) resolver: Option<OwnedFd>,
    pub(super) listening: Vec<OwnedFd>,
}

/// Runs until the sandbox is no longer wanted. What came of the start goes to `tell`.
pub(super) fn run(start: Start, tell: &SyncSender<Result<Started, SandboxError>>) {
    let Start { mut prepared, command, program, map, unchanged, root, stop, shared, printed } = start;
    let made = make(&mut prepared, &map, Owners::Translated).or_else(|error| match error {
        Trouble::Owners => make(&mut prepared, &unchanged, Owners::AsTheyAre),
        Trouble::Other(error) => Err(Trouble::Other(error)),
    });
    let mut sandbox = match made {
        Ok(sandbox) => sandbox,
        Err(trouble) => {
            let _nobody_waits = tell.send(Err(trouble.into()));
            return;
        }
    };
    let started = Started {
        broker: sandbox.broker,
        tables: std::mem::take(&mut sandbox.tables),
        sockets: sandbox.sockets,
    };
    let mut ended = None;
    let failure = match sandbox.beginning {
        Beginning::Running(already) => {
            ended = already;
            None
        }
        Beginning::NotExecuted(errors) => {
            let mut places = vec![Errno::NOENT; command.candidates.len()];
            for (candidate, error) in errors {
                if let Some(place) = places.get_mut(usize::from(candidate)) {
                    *place = error;
                }
            }
            Some(program::failure(&root, &program, &command.candidates, &command.working_directory, &places))
        }
        Beginning::NoWorkingDirectory => {
            Some(StartFailure::WorkingDirectory(command.working_directory.clone()))
        }
    };
    if let Some(failure) = failure {
        set_exit(&shared, Ending::NotStarted(failure));
    }
    if tell.send(Ok(started)).is_err() {
        return;
    }
    let pumps = [Pump::new(Stream::Out, sandbox.output), Pump::new(Stream::Error, sandbox.error)];
    watch(&sandbox.keeper, &sandbox.control, &stop, pumps, ended, &shared, &printed);
}

fn set_exit(shared: &Shared, how: Ending) {
    let mut exit = shared.exit.lock().unwrap_or_else(PoisonError::into_inner);
    exit.get_or_insert(Exit { at: shared.started.elapsed(), how });
}

/// The keeper; its end is the end of everything inside.
struct Keeper(OwnedFd);

impl Drop for Keeper {
    fn drop(&mut self) {
        let _dead_already = rustix::process::pidfd_send_signal(&self.0, Signal::KILL);
        // Returns when the kernel has killed every process inside.
        let _waited = rustix::io::retry_on_intr(|| {
            rustix::process::waitid(WaitId::PidFd(self.0.as_fd()), WaitIdOptions::EXITED)
        });
    }
}

struct Made {
    keeper: Keeper,
    control: OwnedFd,
    broker: OwnedFd,
    sockets: Sockets,
    output: OwnedFd,
    error: OwnedFd,
    tables: Vec<OwnedFd>,
    beginning: Beginning,
}

enum Beginning {
    /// It runs, or has even ended since.
    Running(Option<Ending>),
    /// What the kernel said to each candidate that was tried.
    NotExecuted(Vec<(u8, Errno)>),
    NoWorkingDirectory,
}

/// How the image's files are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owners {
    /// Through a mount that translates their owners, where root makes the sandbox.
    Translated,
    /// Without.
    AsTheyAre,
}

/// Why it could not be made.
enum Trouble {
    /// The file system of the image cannot show other owners.
    Owners,
    Other(SandboxError),
}

impl From<SandboxError> for Trouble {
    fn from(error: SandboxError) -> Self {
        Self::Other(error)
    }
}

impl From<Trouble> for SandboxError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Owners => unsupported(Step::Files, Errno::OPNOTSUPP),
            Trouble::Other(error) => error,
        }
    }
}

fn make(prepared: &mut Prepared, map: &IdMap, owners: Owners) -> Result<Made, Trouble> {
    let setup = |step: Step| move |source: io::Error| SandboxError::Setup { step: step.text(), source };
    let pair = || {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(io::Error::from)
    };
    let (control, control_there) = pair().map_err(setup(Step::Handshake))?;
    let (broker, broker_there) = pair().map_err(setup(Step::Handshake))?;
    let (process, descriptor) = match kernel::clone(keeper::NAMESPACES) {
        Ok(Side::Child) => keeper::run(prepared, control_there.as_raw_fd(), broker_there.as_raw_fd()),
        Ok(Side::Parent { process, descriptor }) => (process, descriptor),
        Err(error) => return Err(unsupported(Step::Clone, error).into()),
    };
    let keeper = Keeper(descriptor);
    drop((control_there, broker_there));
    map.write(process).map_err(|error| match Errno::from_io_error(&error) {
        Some(error) => unsupported(Step::Identity, error),
        None => SandboxError::Setup { step: Step::Identity.text(), source: error },
    })?;
    let files = if map.kind() == Kind::Privileged && owners == Owners::Translated {
        Some(mapped(prepared, process).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::INVAL | Errno::OPNOTSUPP | Errno::PERM | Errno::NOSYS) => Trouble::Owners,
            _ => setup(Step::Files)(error).into(),
        })?)
    } else {
        None
    };
    let handed: Vec<_> = files.iter().map(OwnedFd::as_fd).collect();
    wire::send(control.as_fd(), Message::Go, &handed)
        .map_err(|error| setup(Step::Handshake)(error.into()))?;
    drop(handed);
    drop(files);

    let until = Instant::now() + PATIENCE;
    let mut sockets = None;
    let (output, error, report, tables) = loop {
        let mut received = wire::none();
        match next(&control, &mut received, until).map_err(setup(Step::Handshake))? {
            Message::Sockets => sockets = take_sockets(received, &prepared.fabric),
            Message::Inside => {
                let mut received = received.into_iter().flatten();
                match (received.next(), received.next(), received.next()) {
                    (Some(output), Some(error), Some(report)) => {
                        break (output, error, report, received.collect());
                    }
                    _ => return Err(setup(Step::Pipes)(Errno::PROTO.into()).into()),
                }
            }
            Message::Failed(step, error) => return Err(failed(step, error).into()),
            _ => return Err(setup(Step::Handshake)(Errno::PROTO.into()).into()),
        }
    };
    let sockets = sockets.ok_or_else(|| setup(Step::Listen)(Errno::PROTO.into()))?;
    let beginning = beginning(&control, &report, until)?;
    Ok(Made { keeper, control, broker, sockets, output, error, tables, beginning })
}

/// Waits until the program is executed, or could not be.
fn beginning(control: &OwnedFd, report: &OwnedFd, until: Instant) -> Result<Beginning, SandboxError> {
    let setup = |source: io::Error| SandboxError::Setup { step: Step::Execute.text(), source };
    if !readable(report, until).map_err(setup)? {
        return Err(setup(io::ErrorKind::TimedOut.into()));
    }
    let mut errors = Vec::new();
    // Whatever was to be said was said before the end of the report.
    while readable(control, Instant::now()).map_err(setup)? {
        let mut received = wire::none();
        match wire::receive(control.as_fd(), &mut received).map_err(|error| setup(error.into()))? {
            Some(Message::NotExecuted(candidate, error)) => {
                errors.push((candidate, Errno::from_raw_os_error(error)));
            }
            Some(Message::Failed(Step::Execute, _)) => return Ok(Beginning::NotExecuted(errors)),
            Some(Message::Failed(Step::WorkingDirectory, _)) => return Ok(Beginning::NoWorkingDirectory),
            Some(Message::Failed(step, error)) => return Err(failed(step, error)),
            Some(Message::Exited(code)) => return Ok(Beginning::Running(Some(Ending::Code(code)))),
            Some(Message::Signalled(signal)) => return Ok(Beginning::Running(Some(Ending::Signal(signal)))),
            _ => break,
        }
    }
    Ok(Beginning::Running(None))
}

/// The image's files, with their owners translated into the sandbox's range of ids.
fn mapped(prepared: &Prepared, process: u32) -> io::Result<OwnedFd> {
    let namespace = std::fs::File::open(format!("/proc/{process}/ns/user"))?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let files = rustix::mount::open_tree(rustix::fs::CWD, &*prepared.root, flags)?;
    kernel::change_mount(files.as_fd(), MountChange::Mapped(namespace.as_fd()))?;
    Ok(files)
}

fn take_sockets(received: [Option<OwnedFd>; MOST_DESCRIPTORS], fabric: &Fabric) -> Option<Sockets> {
    let mut received = received.into_iter().flatten();
    let packets = received.next()?;
    let resolver = if fabric.resolves { Some(received.next()?) } else { None };
    Some(Sockets { packets, resolver, listening: received.collect() })
}

fn next(
    control: &OwnedFd,
    received: &mut [Option<OwnedFd>; MOST_DESCRIPTORS],
    until: Instant,
) -> io::Result<Message> {
    if !readable(control, until)? {
        return Err(io::ErrorKind::TimedOut.into());
    }
    wire::receive(control.as_fd(), received)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Whether a descriptor has something to read, or its other side is gone, before `until`.
fn readable(descriptor: &OwnedFd, until: Instant) -> io::Result<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let mut watched = [PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN)];
        match poll(&mut watched, Some(&timespec(left))) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

fn failed(step: Step, error: i32) -> SandboxError {
    unsupported(step, Errno::from_raw_os_error(error))
}

/// What a refusal means: mostly that this machine, or this user on it, may not make sandboxes.
fn unsupported(step: Step, error: Errno) -> SandboxError {
    let source = io::Error::from(error);
    let advice = match error {
        Errno::PERM | Errno::NODEV | Errno::NOENT | Errno::INVAL if step == Step::Emulate => {
            "to emulate another architecture, use a kernel of 6.7 or later with binfmt_misc, and give a static emulator \
             (Debian: qemu-user-static)"
        }
        Errno::PERM | Errno::ACCESS => {
            "run it as root, or allow unprivileged user namespaces (kernel.unprivileged_userns_clone, \
             kernel.apparmor_restrict_unprivileged_userns, a container's seccomp profile), or use a container engine"
        }
        Errno::NOSPC | Errno::USERS => "raise user.max_user_namespaces, or use a container engine",
        Errno::NOSYS | Errno::INVAL | Errno::NODEV | Errno::OPNOTSUPP => {
            "use a kernel of 5.19 or later with user namespaces, overlayfs and veth, or use a container engine"
        }
        _ => return SandboxError::Setup { step: step.text(), source },
    };
    SandboxError::Unsupported {
        why: format!("failed to {}: {source}", step.text()),
        advice: advice.to_owned(),
    }
}

/// Reads what the process prints and learns how it ended, until the sandbox is no longer wanted.
fn watch(
    keeper: &Keeper,
    control: &OwnedFd,
    stop: &OwnedFd,
    mut pumps: [Pump; 2],
    already: Option<Ending>,
    shared: &Shared,
    printed: &SyncSender<Printed>,
) {
    let mut keeper_lives = true;
    let mut ending: Option<(Instant, Ending)> = already.map(|how| (Instant::now(), how));
    loop {
        let mut watched = vec![PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
        let mut sources = vec![Source::Stop];
        if keeper_lives {
            watched.push(PollFd::from_borrowed_fd(control.as_fd(), PollFlags::IN));
            sources.push(Source::Control);
            watched.push(PollFd::from_borrowed_fd(keeper.0.as_fd(), PollFlags::IN));
            sources.push(Source::Keeper);
        }
        for (index, pump) in pumps.iter().enumerate() {
            if let Some(pipe) = pump.pipe() {
                watched.push(PollFd::from_borrowed_fd(pipe, PollFlags::IN));
                sources.push(Source::Pump(index));
            }
        }
        let retry = ending.is_some() || pumps.iter().any(Pump::has_pending);
        match poll(&mut watched, retry.then(|| timespec(RETRY)).as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let ready: Vec<Source> = watched
            .iter()
            .zip(&sources)
            .filter(|(watched, _)| !watched.revents().is_empty())
            .map(|(_, source)| *source)
            .collect();
        drop(watched);
        for source in ready {
            match source {
                Source::Stop => return,
                Source::Control => match wire::receive(control.as_fd(), &mut wire::none()) {
                    Ok(Some(Message::Exited(code))) => ending = Some((Instant::now(), Ending::Code(code))),
                    Ok(Some(Message::Signalled(signal))) => {
                        ending = Some((Instant::now(), Ending::Signal(signal)));
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => keeper_lives = false,
                },
                // Somebody killed the keeper, and the kernel everything inside.
                Source::Keeper => {
                    keeper_lives = false;
                    ending.get_or_insert((Instant::now(), Ending::Signal(Signal::KILL.as_raw())));
                }
                Source::Pump(index) => {
                    if let Some(pump) = pumps.get_mut(index) {
                        pump.read(shared);
                    }
                }
            }
        }
        for pump in &mut pumps {
            pump.deliver(printed);
        }
        let silent = pumps.iter().all(|pump| pump.pipe().is_none());
        if let Some((at, how)) = &ending
            && (silent || at.elapsed() > LAST_WORDS)
        {
            let mut exit = shared.exit.lock().unwrap_or_else(PoisonError::into_inner);
            exit.get_or_insert_with(|| Exit {
                at: at.saturating_duration_since(shared.started),
                how: how.clone(),
            });
            drop(exit);
            ending = None;
        }
    }
}

#[derive(Clone, Copy)]
enum Source {
    Stop,
    Control,
    Keeper,
    Pump(usize),
}
