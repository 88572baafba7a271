//! System calls that no safe library offers: the only `unsafe` code, one short function for each.
//!
//! Everything here may be called between clone and exec: no allocation, no lock, no `std` beyond plain values.

use std::ffi::{CString, c_char, c_int};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use rustix::io::Errno;

/// Which side of a clone this is.
pub(super) enum Side {
    /// The new process.
    Child,
    /// The one that made it: the child's number and a descriptor of it.
    Parent {
        /// Its number, as seen from here.
        process: u32,
        /// What it is watched and signalled by.
        descriptor: OwnedFd,
    },
}

/// Starts a process like `fork`, in the new namespaces that `flags` names.
///
/// The child has this thread only. Its caller must keep to what is allowed after a fork of a process with several threads: no
/// allocation, nothing that takes a lock, no panic; and it must end in [`execute`] or [`leave`].
#[expect(unsafe_code, reason = "no safe library offers clone3")]
pub(super) fn clone(flags: c_int) -> Result<Side, Errno> {
    let mut descriptor: RawFd = -1;
    let wide = |number: c_int| u64::from(number.cast_unsigned());
    // SAFETY: `clone_args` is plain numbers; all zero is a valid value.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = wide(flags | libc::CLONE_PIDFD);
    arguments.pidfd = (&raw mut descriptor).expose_provenance() as u64;
    arguments.exit_signal = wide(libc::SIGCHLD);
    // SAFETY: without CLONE_VM this is a fork: the child runs on a copy of this memory and stack. `arguments` outlives the call,
    // and `descriptor` is written only before it returns.
    let process =
        unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<libc::clone_args>()) };
    match u32::try_from(process) {
        Ok(0) => Ok(Side::Child),
        // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
        Ok(process) => Ok(Side::Parent { process, descriptor: unsafe { OwnedFd::from_raw_fd(descriptor) } }),
        Err(_) => Err(last_error()),
    }
}

/// Ends this process at once: no destructors, no buffers, which belong to the process it was copied from.
#[expect(unsafe_code, reason = "no safe library offers _exit")]
pub(super) fn leave(code: c_int) -> ! {
    // SAFETY: `_exit` may be called in any state.
    unsafe { libc::_exit(code) }
}

/// A list of strings as `execve` takes it.
pub(super) struct Strings {
    pointers: Vec<*const c_char>,
    _strings: Vec<CString>,
}

impl Strings {
    pub(super) fn new(strings: Vec<CString>) -> Self {
        // INVARIANT: a pointer stays valid as long as its string, which is kept beside it and never changed.
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

// INVARIANT: the pointers lead to heap memory that the value owns, so they may move to another thread with it.
#[expect(unsafe_code, reason = "raw pointers are not Send by themselves")]
// SAFETY: see the invariant.
unsafe impl Send for Strings {}

/// Executes a program; returns only when that failed.
#[expect(unsafe_code, reason = "the safe wrappers allocate, which is not allowed here")]
pub(super) fn execute(program: &std::ffi::CStr, arguments: &Strings, environment: &Strings) -> Errno {
    // SAFETY: both lists end in a null pointer and their strings are alive (see `Strings`).
    unsafe { libc::execve(program.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr()) };
    last_error()
}

/// Closes descriptors `first` to `last`, both included.
#[expect(unsafe_code, reason = "closing what others may own; no safe library offers close_range")]
pub(super) fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    if first > last {
        return Ok(());
    }
    // SAFETY: only called in a freshly cloned process, whose copies of these descriptors no value will use again: values of the
    // process it was copied from are never dropped here, because it ends in `execute` or `leave`.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0_u32) })
}

/// Has every descriptor from `first` on closed when a program is executed.
#[expect(unsafe_code, reason = "no safe library offers close_range")]
pub(super) fn close_on_execute_from(first: u32) -> Result<(), Errno> {
    // SAFETY: changes a flag of descriptors, which takes effect only in `execve`.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) })
}

/// Makes `number` (0, 1 or 2) another name of `descriptor`.
#[expect(unsafe_code, reason = "standard streams are owned by nobody")]
pub(super) fn replace_stream(descriptor: BorrowedFd<'_>, number: RawFd) -> Result<(), Errno> {
    // SAFETY: only called in a freshly cloned process, where no value owns the standard streams.
    check(unsafe { libc::dup2(descriptor.as_raw_fd(), number) }.into())
}

/// The descriptor with this number, which a value of the process we were copied from owns.
#[expect(unsafe_code, reason = "descriptors are handed over by number across a clone")]
pub(super) fn borrow(descriptor: RawFd) -> BorrowedFd<'static> {
    // SAFETY: callers name descriptors that they keep open until the process ends (see `close_range`).
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}

/// Gives every signal its default meaning and lets every signal through: what a program finds when it starts.
#[expect(unsafe_code, reason = "no safe library offers signal dispositions without a handler")]
pub(super) fn default_signals() {
    for signal in 1..=64 {
        // SAFETY: the default disposition runs no code of ours. Signals that have no other (KILL, STOP) or belong to the C
        // library refuse, which changes nothing.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: `set` is written by `sigemptyset` before it is read.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// What `mount_setattr` changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum MountChange<'a> {
    /// Nothing can be written through it any more.
    ReadOnly,
    /// Owners are translated through the map of this user namespace.
    Mapped(BorrowedFd<'a>),
}

/// Changes a mount that is attached nowhere yet.
#[expect(unsafe_code, reason = "no safe library offers mount_setattr")]
pub(super) fn change_mount(mount: BorrowedFd<'_>, change: MountChange<'_>) -> Result<(), Errno> {
    let (set, namespace) = match change {
        MountChange::ReadOnly => (libc::MOUNT_ATTR_RDONLY, 0),
        MountChange::Mapped(namespace) => {
            (libc::MOUNT_ATTR_IDMAP, u64::from(namespace.as_raw_fd().cast_unsigned()))
        }
    };
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: namespace };
    // SAFETY: the path is empty and terminated, and `attributes` outlives the call.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })
}

/// Installs a filter of system calls for this process and what comes of it.
#[expect(unsafe_code, reason = "no safe library offers seccomp filters")]
pub(super) fn filter_system_calls(program: &[libc::sock_filter]) -> Result<(), Errno> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::TOOBIG)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` describes memory that outlives the call; the kernel copies it and never writes to it.
    check(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0_u32, &raw const program)
    })
}

/// Lets a socket receive only what this program takes.
#[expect(unsafe_code, reason = "no safe library offers socket filters")]
pub(super) fn filter_socket(socket: BorrowedFd<'_>, program: &[libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::TOOBIG)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    let size = libc::socklen_t::try_from(size_of::<libc::sock_fprog>()).map_err(|_| Errno::TOOBIG)?;
    // SAFETY: `program` describes memory that outlives the call; the kernel copies it and never writes to it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size,
        )
    };
    Ok(check(result.into())?)
}

/// A socket that receives the packets of a namespace without their frames.
#[expect(unsafe_code, reason = "no safe library offers packet sockets")]
pub(super) fn packet_socket() -> Result<OwnedFd, Errno> {
    const IP: u16 = 0x0800;
    let protocol = c_int::from(IP.to_be());
    // SAFETY: makes a new descriptor and touches no memory.
    let socket = unsafe {
        libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, protocol)
    };
    check(socket.into())?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

fn check(result: libc::c_long) -> Result<(), Errno> {
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
