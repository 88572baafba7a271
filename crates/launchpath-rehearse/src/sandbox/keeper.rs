//! The keeper: the first process of a sandbox, which stands between it and us.
//!
//! It holds the user namespace and the service's network namespace, opens the sockets there, starts the process in namespaces of
//! its own and reports how it ended. It is the first process of a process namespace that encloses the sandbox's: when it dies,
//! the kernel kills everything inside. It asks to die with the thread that started it, and nothing in the sandbox can see it.
//!
//! A copy of a process with several threads: nothing here allocates, locks or panics.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::{Gid, Signal, Uid, WaitId, WaitIdOptions};

use super::fabric;
use super::idmap::Kind;
use super::inside::{self, Failure};
use super::kernel::{self, Side};
use super::mounts;
use super::netlink::exchange;
use super::prepared::Prepared;
use super::step::Step;
use super::wire::{self, Message};

/// What the keeper is cloned into.
pub(super) const NAMESPACES: i32 =
    libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWNS | libc::CLONE_NEWIPC;

/// What the process is cloned into. Its control group namespace follows when it has joined its groups.
const INSIDE: i32 =
    libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

/// Runs in the cloned process until the sandbox is no longer wanted.
pub(super) fn run(prepared: &mut Prepared, control: RawFd, broker: RawFd) -> ! {
    let (control, broker) = (kernel::borrow(control), kernel::borrow(broker));
    if let Err(Failure(step, error)) = keep(prepared, control, broker) {
        // When nobody listens any more, the sandbox is not wanted either.
        let _unheard = wire::send(control, Message::Failed(step, error.raw_os_error()), &[]);
    }
    kernel::leave(0)
}

fn keep(
    prepared: &mut Prepared,
    control: BorrowedFd<'static>,
    broker: BorrowedFd<'static>,
) -> Result<(), Failure> {
    kernel::default_signals();
    forget_descriptors(prepared, control, broker).map_err(Failure::at(Step::Descriptors))?;

    let mut received = wire::none();
    match wire::receive(control, &mut received).map_err(Failure::at(Step::Handshake))? {
        Some(Message::Go) => {}
        _ => kernel::leave(0),
    }
    let [files, ..] = received;
    become_root(prepared.ids).map_err(Failure::at(Step::Become))?;
    // After the change of user, which clears it. Should the thread be gone already, the socket says so.
    let died = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    died.map_err(Failure::at(Step::Become))?;

    // Registered as long as this is open: as long as the sandbox is.
    let _emulator = emulator(prepared).map_err(Failure::at(Step::Emulate))?;
    let outer = outer_network(prepared).map_err(Failure::at(Step::OuterNetwork))?;
    open_sockets(prepared, control).map_err(Failure::at(Step::Listen))?;

    let process = match kernel::clone(INSIDE).map_err(Failure::at(Step::CloneInside))? {
        Side::Child => inside::run(prepared, control, &outer, files.as_ref()),
        Side::Parent { descriptor, .. } => descriptor,
    };
    drop(files);
    watch(control, broker, &process).map_err(Failure::at(Step::Watch))
}

/// Closes every descriptor but those it was started with on purpose, and lets go of the standard streams and the terminal.
fn forget_descriptors(
    prepared: &Prepared,
    control: BorrowedFd<'_>,
    broker: BorrowedFd<'_>,
) -> Result<(), Errno> {
    let nothing = rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    for stream in 0..3 {
        kernel::replace_stream(nothing.as_fd(), stream)?;
    }
    drop(nothing);
    let mut first = 3;
    loop {
        // The lowest of those that stay, from `first` on.
        let kept = prepared
            .entrances
            .iter()
            .map(OwnedFd::as_raw_fd)
            .chain([control.as_raw_fd(), broker.as_raw_fd()]);
        let next = kept.filter_map(|kept| u32::try_from(kept).ok()).filter(|kept| *kept >= first).min();
        let Some(next) = next else { break };
        kernel::close_range(first, next.saturating_sub(1))?;
        first = next.saturating_add(1);
    }
    kernel::close_range(first, u32::MAX)?;
    rustix::process::setsid()?;
    Ok(())
}

/// Becomes root of the user namespace, who is nobody outside.
fn become_root(ids: Kind) -> Result<(), Errno> {
    if ids == Kind::Single {
        return Ok(());
    }
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)
}

/// Registers the emulator in the user namespace, where nobody outside is concerned.
fn emulator(prepared: &Prepared) -> Result<Option<OwnedFd>, Errno> {
    let Some(line) = &prepared.emulator else { return Ok(None) };
    let formats = mounts::file_system(c"binfmt_misc", &[], MountAttrFlags::MOUNT_ATTR_NOEXEC)?;
    let register =
        rustix::fs::openat(&formats, c"register", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&register, line)?;
    Ok(Some(formats))
}

/// What the process-to-be needs to lay the wire between the namespaces.
pub(super) struct Outer {
    /// The configuration of the outer namespace.
    pub(super) netlink: OwnedFd,
    /// The outer namespace itself.
    pub(super) namespace: OwnedFd,
}

fn outer_network(prepared: &mut Prepared) -> Result<Outer, Errno> {
    let netlink = route_socket()?;
    let namespace = rustix::fs::open(c"/proc/self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    // With forwarding on, which new namespaces inherit, the kernel would answer packets without a route.
    if let Ok(file) =
        rustix::fs::open(c"/proc/sys/net/ipv4/ip_forward", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
    {
        let _read_only_in_some_containers = rustix::io::write(&file, b"0");
    }
    exchange(netlink.as_fd(), &mut prepared.fabric.outer, None)?;
    Ok(Outer { netlink, namespace })
}

/// A socket to configure the network of this process's namespace.
pub(super) fn route_socket() -> Result<OwnedFd, Errno> {
    // Protocol 0 is NETLINK_ROUTE.
    socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)
}

/// Opens the service's sockets and hands them over: packets, name server, then one for each TCP port.
fn open_sockets(prepared: &Prepared, control: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut opened = wire::none();
    let mut places = opened.iter_mut();
    let mut keep = |socket| places.next().map(|place| *place = Some(socket)).ok_or(Errno::TOOBIG);
    keep(kernel::packet_socket()?)?;
    if prepared.fabric.resolves {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
        bind(&socket, &SocketAddrV4::new(fabric::RESOLVER, fabric::DNS))?;
        keep(socket)?;
    }
    for port in &prepared.fabric.tcp_ports {
        let socket = tcp_socket()?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, *port))?;
        listen(&socket, 128)?;
        keep(socket)?;
    }
    let nothing = kernel::borrow(0);
    let mut borrowed = [nothing; wire::MOST_DESCRIPTORS];
    let mut count = 0;
    for (place, socket) in borrowed.iter_mut().zip(opened.iter().flatten()) {
        *place = socket.as_fd();
        count += 1;
    }
    wire::send(control, Message::Sockets, borrowed.get(..count).unwrap_or(&[]))
}

fn tcp_socket() -> Result<OwnedFd, Errno> {
    socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

/// Hands out sockets and waits for the process to end; returns when the supervisor is gone.
fn watch(control: BorrowedFd<'_>, broker: BorrowedFd<'_>, process: &OwnedFd) -> Result<(), Errno> {
    let mut running = true;
    loop {
        let mut watched = [
            PollFd::from_borrowed_fd(control, PollFlags::IN),
            PollFd::from_borrowed_fd(broker, PollFlags::IN),
            PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN),
        ];
        let count = if running { 3 } else { 2 };
        match poll(watched.get_mut(..count).unwrap_or(&mut []), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let [from_control, from_broker, from_process] = watched;
        if !from_broker.revents().is_empty() {
            match wire::receive(broker, &mut wire::none())? {
                Some(Message::Socket) => wire::send(broker, Message::Socket, &[tcp_socket()?.as_fd()])?,
                _ => return Ok(()),
            }
        }
        if running && !from_process.revents().is_empty() {
            let status = rustix::process::waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED)?;
            if let Some(status) = status {
                running = false;
                let ending = match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Message::Exited(code),
                    (None, signal) => Message::Signalled(signal.unwrap_or(0)),
                };
                wire::send(control, ending, &[])?;
            }
        }
        if !from_control.revents().is_empty() && wire::receive(control, &mut wire::none())?.is_none() {
            return Ok(());
        }
    }
}
