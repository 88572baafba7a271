//! A running sandbox, as its owner sees it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddrV4, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::cgroup::Cgroup;
use super::error::SandboxError;
use super::fabric;
use super::idmap::{IdMap, Kind};
use super::listeners;
use super::output;
use super::plan::Plan;
use super::prepared::{Command, Prepared};
use super::service::{Attempts, Names, Service};
use super::supervisor::{self, Shared, Start, timespec};
use super::users;
use super::wire::{self, Message};
use crate::subject::{Attempt, BlindSpot, Ending, Exit, Listener, Printed, StartFailure, Subject, Usage};

/// How long the keeper may take to make a socket.
const BROKER_PATIENCE: Duration = Duration::from_secs(5);

/// A process in a sandbox. Dropping it stops the process and removes everything.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
    inside: Option<Inside>,
    output: Option<Receiver<Printed>>,
    cgroup: Option<Cgroup>,
    last_usage: Usage,
    blind_spots: BTreeSet<BlindSpot>,
}

/// Ways into a sandbox that was made.
#[derive(Debug)]
struct Inside {
    broker: Mutex<OwnedFd>,
    tables: Vec<OwnedFd>,
    attempts: Arc<Mutex<Attempts>>,
    service: Option<JoinHandle<()>>,
}

/// Starts the plan's process in a sandbox of its own.
pub fn start(plan: &Plan) -> Result<Sandbox, SandboxError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let at_root = |source: Errno| SandboxError::Root { path: plan.root.clone(), source: source.into() };
    let root =
        rustix::fs::open(&plan.root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(at_root)?;

    let identity = match users::identify(&root, plan.user.as_deref()) {
        Ok(identity) => identity,
        Err(failure) => return not_started(failure),
    };
    let Some(program) = plan.argv.first().filter(|program| !program.is_empty()).cloned() else {
        return not_started(StartFailure::NoCommand);
    };
    let map =
        IdMap::choose(std::process::id().wrapping_mul(31).wrapping_add(number), identity.uid, identity.gid);
    let cgroup = Cgroup::create(number, &plan.limits);
    let mut blind_spots = BTreeSet::new();
    if cgroup.is_none() {
        blind_spots.insert(BlindSpot::Limits);
    }
    if map.kind() != Kind::Privileged {
        blind_spots.insert(BlindSpot::Owners);
    }
    if plan.emulator.is_some() {
        blind_spots.insert(BlindSpot::Timing);
    }
    let setup = |source: io::Error| SandboxError::Setup { step: "start a thread for the sandbox", source };
    let entrances = cgroup.as_ref().map(Cgroup::entrances).transpose().map_err(setup)?;
    let command = Command::new(plan, &identity);
    let names = Names::new(&plan.network);
    let open: Vec<SocketAddrV4> = names.open().collect();
    let prepared = Prepared::new(plan, &command, &identity, &map, &open, entrances)?;

    let stop = Arc::new(
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|error| setup(error.into()))?,
    );
    let shared = Arc::new(Shared::new());
    let (printed, output) = sync_channel(output::WAITING);
    let (tell, told) = sync_channel(1);
    let start = Start {
        prepared,
        command,
        program,
        map,
        unchanged: IdMap::unchanged(identity.uid, identity.gid),
        root,
        stop: Arc::clone(&stop),
        shared: Arc::clone(&shared),
        printed,
    };
    let run = move || supervisor::run(start, &tell);
    let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(run).map_err(setup)?;
    let started = match told.recv() {
        Ok(Ok(started)) => started,
        Ok(Err(error)) => {
            let _panicked = thread.join();
            return Err(error);
        }
        Err(_) => return Err(setup(io::Error::other("the thread ended before the process started"))),
    };
    let mut sandbox = Sandbox {
        shared: Arc::clone(&shared),
        stop: Arc::clone(&stop),
        thread: Some(thread),
        inside: None,
        output: Some(output),
        cgroup,
        last_usage: Usage::default(),
        blind_spots,
    };
    let attempts = Arc::new(Mutex::new(Attempts::default()));
    let credentials = plan.credentials.clone();
    // From here on an error drops the sandbox, which stops it.
    let service = Service::new(started.sockets, names, credentials, Arc::clone(&attempts), shared.started)
        .map_err(setup)?;
    let serve = move || service.run(&stop);
    let service = std::thread::Builder::new().name("sandbox-net".to_owned()).spawn(serve).map_err(setup)?;
    let broker = Mutex::new(started.broker);
    sandbox.inside = Some(Inside { broker, tables: started.tables, attempts, service: Some(service) });
    Ok(sandbox)
}

/// A process that ended before there was anything to run it in.
fn not_started(failure: StartFailure) -> Result<Sandbox, SandboxError> {
    let stop = eventfd(0, EventfdFlags::CLOEXEC)
        .map_err(|error| SandboxError::Setup { step: "make a descriptor", source: error.into() })?;
    let shared = Shared::new();
    *shared.exit.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(Exit { at: Duration::ZERO, how: Ending::NotStarted(failure) });
    let (_, output) = sync_channel(1);
    Ok(Sandbox {
        shared: Arc::new(shared),
        stop: Arc::new(stop),
        thread: None,
        inside: None,
        output: Some(output),
        cgroup: None,
        last_usage: Usage::default(),
        blind_spots: BTreeSet::new(),
    })
}

impl Shared {
    fn new() -> Self {
        Self { started: Instant::now(), exit: Mutex::new(None), lost: AtomicU64::new(0) }
    }
}

impl Inside {
    /// A socket of the service's namespace.
    fn socket(&self) -> io::Result<OwnedFd> {
        let broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        wire::send(broker.as_fd(), Message::Socket, &[])?;
        let mut watched = [PollFd::from_borrowed_fd(broker.as_fd(), PollFlags::IN)];
        if rustix::io::retry_on_intr(|| poll(&mut watched, Some(&timespec(BROKER_PATIENCE))))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut received = wire::none();
        wire::receive(broker.as_fd(), &mut received)?;
        let [socket, ..] = received;
        socket.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Subject for Sandbox {
    fn elapsed(&self) -> Duration {
        self.shared.started.elapsed()
    }

    fn address(&self) -> IpAddr {
        IpAddr::V4(fabric::INSIDE)
    }

    fn connect(&self, port: u16, timeout: Duration) -> io::Result<TcpStream> {
        let socket = self.inside.as_ref().ok_or(io::ErrorKind::NotConnected)?.socket()?;
        let until = Instant::now() + timeout;
        match rustix::net::connect(&socket, &SocketAddrV4::new(fabric::INSIDE, port)) {
            Ok(()) => {}
            Err(Errno::INPROGRESS) => {
                let mut watched = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::OUT)];
                let left = || timespec(until.saturating_duration_since(Instant::now()));
                if rustix::io::retry_on_intr(|| poll(&mut watched, Some(&left())))? == 0 {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                rustix::net::sockopt::socket_error(&socket)??;
            }
            Err(error) => return Err(error.into()),
        }
        let stream = TcpStream::from(socket);
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn listeners(&self) -> Option<Vec<Listener>> {
        listeners::read(&self.inside.as_ref()?.tables)
    }

    fn take_output(&mut self) -> Option<Receiver<Printed>> {
        self.output.take()
    }

    fn lost_output(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    fn exited(&mut self) -> Option<Exit> {
        self.shared.exit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn attempts(&self) -> Option<Vec<Attempt>> {
        let attempts = &self.inside.as_ref()?.attempts;
        Some(attempts.lock().unwrap_or_else(PoisonError::into_inner).list())
    }

    fn usage(&self) -> Usage {
        self.cgroup.as_ref().map_or(self.last_usage, Cgroup::usage)
    }

    fn blind_spots(&self) -> BTreeSet<BlindSpot> {
        self.blind_spots.clone()
    }

    fn stop(&mut self) {
        let _already = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        let service = self.inside.as_mut().and_then(|inside| inside.service.take());
        for thread in [self.thread.take(), service].into_iter().flatten() {
            let _panicked = thread.join();
        }
        if let Some(cgroup) = self.cgroup.take() {
            self.last_usage = cgroup.usage();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop();
    }
}
