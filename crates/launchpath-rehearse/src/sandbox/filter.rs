//! The system calls that a process in the sandbox may not make: those with which container engines keep a process from the
//! kernel's rarely trodden parts and from other namespaces.
//!
//! A list of what is refused, not of what is allowed: an agent may use anything that a session offers, and nothing here is the
//! only wall. Refused calls answer EPERM, as under a container engine. `clone3`, whose flags a filter cannot read, answers
//! ENOSYS, so that every C library falls back to `clone`.

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter,
};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32
    | 0x80; // CLONE_NEWTIME

const REFUSED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_get_mempolicy,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_set_mempolicy,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
];

const NUMBER: u32 = 0;
const ARCH: u32 = 4;

/// Where the low half of an argument stands: both architectures are little-endian.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

/// The program of the filter.
pub(super) fn program() -> Vec<sock_filter> {
    const TIOCSTI: u32 = 0x5412;
    const TIOCLINUX: u32 = 0x541c;
    let refuse = || vec![answer(libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned())];
    let missing = || vec![answer(libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned())];
    let allow = || vec![answer(libc::SECCOMP_RET_ALLOW)];
    let call = |number: libc::c_long| u32::try_from(number).unwrap_or(u32::MAX);

    let mut code = vec![load(ARCH)];
    code.extend(unless(ARCHITECTURE, missing()));
    code.push(load(NUMBER));
    if cfg!(target_arch = "x86_64") {
        // The 32-bit variant of this architecture numbers its calls from here on.
        code.extend([sock_filter { jf: 1, ..statement(BPF_JMP | BPF_JGE | BPF_K, 0x4000_0000) }]);
        code.extend(missing());
    }
    for refused in REFUSED {
        code.extend(when(call(*refused), refuse()));
    }
    code.extend(when(call(libc::SYS_clone3), missing()));
    let new_namespaces = [vec![load(argument(0)), and(NAMESPACES)], unless(0, refuse()), allow()];
    code.extend(when(call(libc::SYS_clone), new_namespaces.concat()));
    // Another execution domain: only the usual one, and the question which it is.
    let domain = [vec![load(argument(0))], when(0, allow()), when(u32::MAX, allow()), refuse()];
    code.extend(when(call(libc::SYS_personality), domain.concat()));
    // Typing into a terminal on behalf of its user.
    let typing = [vec![load(argument(1))], when(TIOCSTI, refuse()), when(TIOCLINUX, refuse()), allow()];
    code.extend(when(call(libc::SYS_ioctl), typing.concat()));
    // Raw sockets see and make packets that are none of the process's business. Those of netlink are raw by nature.
    let cooked = || {
        [vec![load(argument(1)), and(0xf)], when(libc::SOCK_RAW.cast_unsigned(), refuse()), allow()].concat()
    };
    let family = |family: libc::c_int, body| when(family.cast_unsigned(), body);
    let sockets = [
        vec![load(argument(0))],
        family(libc::AF_UNIX, allow()),
        family(libc::AF_NETLINK, allow()),
        family(libc::AF_INET, cooked()),
        family(libc::AF_INET6, cooked()),
        // The other families reach the kernel's rarely trodden parts or the machine below (AF_VSOCK).
        refuse(),
    ];
    code.extend(when(call(libc::SYS_socket), sockets.concat()));
    code.extend(allow());
    code
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: u16::try_from(code).unwrap_or(0), jt: 0, jf: 0, k }
}

fn load(offset: u32) -> sock_filter {
    statement(BPF_LD | BPF_W | BPF_ABS, offset)
}

fn and(mask: u32) -> sock_filter {
    statement(BPF_ALU | BPF_AND | BPF_K, mask)
}

fn answer(action: u32) -> sock_filter {
    statement(BPF_RET | BPF_K, action)
}

/// Runs `body` when the loaded value is `value`.
fn when(value: u32, body: Vec<sock_filter>) -> Vec<sock_filter> {
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    [vec![sock_filter { jf: length, ..statement(BPF_JMP | BPF_JEQ | BPF_K, value) }], body].concat()
}

/// Runs `body` when the loaded value is not `value`.
fn unless(value: u32, body: Vec<sock_filter>) -> Vec<sock_filter> {
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    [vec![sock_filter { jt: length, ..statement(BPF_JMP | BPF_JEQ | BPF_K, value) }], body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
    const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    const MISSING: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

    /// What the kernel would answer: the few instructions that the filter is made of.
    fn verdict(architecture: u32, call: u32, arguments: [u32; 2]) -> u32 {
        let program = program();
        let (mut at, mut value) = (0, 0);
        loop {
            let instruction = program[at];
            at += 1;
            let jump = |holds: bool| usize::from(if holds { instruction.jt } else { instruction.jf });
            match u32::from(instruction.code) {
                code if code == BPF_LD | BPF_W | BPF_ABS => {
                    value = match instruction.k {
                        NUMBER => call,
                        ARCH => architecture,
                        offset => arguments[(offset as usize - 16) / 8],
                    };
                }
                code if code == BPF_ALU | BPF_AND | BPF_K => value &= instruction.k,
                code if code == BPF_JMP | BPF_JEQ | BPF_K => at += jump(value == instruction.k),
                code if code == BPF_JMP | BPF_JGE | BPF_K => at += jump(value >= instruction.k),
                code if code == BPF_RET | BPF_K => return instruction.k,
                other => panic!("instruction {other}"),
            }
        }
    }

    fn of(call: libc::c_long, arguments: [libc::c_int; 2]) -> u32 {
        verdict(ARCHITECTURE, u32::try_from(call).unwrap(), arguments.map(libc::c_int::cast_unsigned))
    }

    #[test]
    fn usual_calls_are_allowed() {
        for call in [
            libc::SYS_read,
            libc::SYS_openat,
            libc::SYS_execve,
            libc::SYS_futex,
            libc::SYS_prctl,
            libc::SYS_bind,
        ] {
            assert_eq!(of(call, [1, 2]), ALLOW);
        }
        assert_eq!(of(libc::SYS_socket, [libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC]), ALLOW);
        assert_eq!(of(libc::SYS_socket, [libc::AF_NETLINK, libc::SOCK_RAW]), ALLOW);
        assert_eq!(of(libc::SYS_socket, [libc::AF_UNIX, libc::SOCK_DGRAM]), ALLOW);
        assert_eq!(of(libc::SYS_clone, [libc::SIGCHLD | libc::CLONE_VM, 0]), ALLOW);
        assert_eq!(of(libc::SYS_personality, [-1, 0]), ALLOW);
        assert_eq!(of(libc::SYS_ioctl, [0, 0x5401]), ALLOW);
    }

    #[test]
    fn what_reaches_beyond_is_refused() {
        for call in REFUSED {
            assert_eq!(of(*call, [0, 0]), REFUSE);
        }
        for family in [libc::AF_PACKET, libc::AF_VSOCK, libc::AF_ALG, libc::AF_BLUETOOTH] {
            assert_eq!(of(libc::SYS_socket, [family, libc::SOCK_STREAM]), REFUSE);
        }
        assert_eq!(of(libc::SYS_socket, [libc::AF_INET, libc::SOCK_RAW | libc::SOCK_CLOEXEC]), REFUSE);
        assert_eq!(of(libc::SYS_socket, [libc::AF_INET6, libc::SOCK_RAW]), REFUSE);
        assert_eq!(of(libc::SYS_clone, [libc::SIGCHLD | libc::CLONE_NEWUSER, 0]), REFUSE);
        assert_eq!(of(libc::SYS_ioctl, [0, 0x5412]), REFUSE);
        assert_eq!(of(libc::SYS_personality, [0x0040_0000, 0]), REFUSE);
        assert_eq!(of(libc::SYS_clone3, [0, 0]), MISSING);
        assert_eq!(verdict(0x4000_0003, 11, [0, 0]), MISSING, "of another architecture");
    }
}
