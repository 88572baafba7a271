"""Tries what a process of a session may not do, one thing after the other, prints what came of each, and is sound after that.

One line `TRIED {"mount": "EPERM", …}`; an attempt that succeeded says `done`.
"""

import ctypes
import errno
import json
import os
import socket
import subprocess

from web import serve

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
NEW_USER, NEW_NAMESPACES, NEW_NET = 0x10000000, 0x00020000, 0x40000000
# x86-64.
NUMBERS = {
    "ptrace": 101, "syslog": 103, "pivot_root": 155, "chroot": 161, "settimeofday": 164, "mount": 165, "umount2": 166,
    "swapon": 167, "reboot": 169, "sethostname": 170, "iopl": 172, "init_module": 175, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "finit_module": 313, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "fsopen": 430,
    "move_mount": 429, "open_tree": 428, "mknod": 133,
}


def call(name, *arguments):
    wide = [ctypes.c_void_p(value) if isinstance(value, int) else ctypes.c_char_p(value) for value in arguments]
    if LIBC.syscall(ctypes.c_long(NUMBERS[name]), *wide) < 0:
        raise OSError(ctypes.get_errno(), name)


def write(path, content=b"1"):
    with open(path, "wb", buffering=0) as file:
        file.write(content)


def read(path):
    with open(path, "rb", buffering=0) as file:
        file.read(64)


def raw(family, kind, protocol):
    socket.socket(family, kind, protocol).close()


def ptrace():
    child = os.fork()
    if child == 0:
        try:
            call("ptrace", 0, 0, 0, 0)  # PTRACE_TRACEME: harmless, and the filter's to refuse.
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise OSError(abs(status), "ptrace")


def set_user():
    done = subprocess.run(["/app/setuid"], capture_output=True, check=False)
    if done.returncode:
        raise OSError(errno.EPERM, f"its effective user is not root: {done.stdout}")


ATTEMPTS = {
    "mount": lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, 0),
    "mount_proc": lambda: call("mount", b"proc", b"/mnt", b"proc", 0, 0),
    "remount_root": lambda: call("mount", b"none", b"/", b"", 0x20 | 0x1000, 0),
    "umount_proc": lambda: call("umount2", b"/proc", 2),
    "open_tree": lambda: call("open_tree", 0, b"/", 1),
    "fsopen": lambda: call("fsopen", b"tmpfs", 0),
    "pivot_root": lambda: call("pivot_root", b"/", b"/"),
    "unshare_user": lambda: call("unshare", NEW_USER),
    "unshare_mount": lambda: call("unshare", NEW_NAMESPACES),
    "unshare_net": lambda: call("unshare", NEW_NET),
    "set_namespace": lambda: call("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0),
    "ptrace_memory": lambda: write("/proc/1/mem", b"") if os.getpid() != 1 else call("process_vm_readv", 2, 0, 0, 0, 0, 0),
    "add_key": lambda: call("add_key", b"user", b"launchpath", b"x", 1, ctypes.c_size_t(-3 & 0xFFFFFFFF).value),
    "keyctl": lambda: call("keyctl", 0, 0, 0),
    "request_key": lambda: call("request_key", b"user", b"launchpath", 0, 0),
    "raw_socket": lambda: raw(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "packet_socket": lambda: raw(socket.AF_PACKET, socket.SOCK_RAW, 0x0300),
    "vsock": lambda: raw(40, socket.SOCK_STREAM, 0),
    "make_device": lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(254, 0)),
    "make_memory_device": lambda: os.mknod("/tmp/mem", 0o20666, os.makedev(1, 1)),
    "set_user_id": set_user,
    "sysrq": lambda: write("/proc/sysrq-trigger", b"h"),
    "core_pattern": lambda: write("/proc/sys/kernel/core_pattern", b"|/app/escape"),
    "modprobe_path": lambda: write("/proc/sys/kernel/modprobe", b"/app/escape"),
    "binfmt": lambda: write("/proc/sys/fs/binfmt_misc/register", b":x:M::\\x00::/app/x:"),
    "kernel_memory": lambda: read("/proc/kcore"),
    "kernel_log": lambda: call("syslog", 3, ctypes.addressof(ctypes.create_string_buffer(64)), 64),
    "kernel_messages": lambda: read("/dev/kmsg"),
    "physical_memory": lambda: read("/dev/mem"),
    "host_disk": lambda: read("/dev/vda"),
    "uevent": lambda: write("/sys/kernel/uevent_helper", b"/app/escape"),
    "release_agent": lambda: write("/sys/fs/cgroup/release_agent", b"/app/escape"),
    "other_root": lambda: read("/proc/2/root/etc/shadow"),
    "load_module": lambda: call("init_module", 0, 0, b""),
    "kexec": lambda: call("kexec_load", 0, 0, 0, 0),
    "bpf": lambda: call("bpf", 0, 0, 0),
    "perf": lambda: call("perf_event_open", 0, 0, -1 & 0xFFFFFFFF, -1 & 0xFFFFFFFF, 0),
    "userfaultfd": lambda: call("userfaultfd", 0),
    "io_uring": lambda: call("io_uring_setup", 1, 0),
    "open_by_handle": lambda: call("open_by_handle_at", 3, 0, 0),
    "ports": lambda: call("iopl", 3),
    "clock": lambda: call("settimeofday", 0, 0),
    "host_name": lambda: call("sethostname", b"escaped", 7),
    "reboot": lambda: call("reboot", 0xFEE1DEAD, 672274793, 0, 0),
    "swap": lambda: call("swapon", b"/tmp/x", 0),
    "low_oom_score": lambda: write("/proc/self/oom_score_adj", b"-1000"),
    "more_files": lambda: __import__("resource").setrlimit(7, (1 << 30, 1 << 30)),
    "real_time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)),
}


def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    except (ValueError, OverflowError) as error:
        return type(error).__name__
    return "done"


print("SEES", json.dumps({
    "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
    "interfaces": sorted(os.listdir("/sys/class/net")) if os.path.isdir("/sys/class/net") else None,
    "host_name": socket.gethostname(),
    "environment": sorted(os.environ),
    "docker": os.path.exists("/.dockerenv"),
    "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd")),
    "pid": os.getpid(),
    "capabilities": next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")),
    "no_new_privileges": next(line.split()[1] for line in open("/proc/self/status") if line.startswith("NoNewPrivs")),
}))
results = {"ptrace": "done"}
try:
    ptrace()
except OSError as refused:
    results["ptrace"] = errno.errorcode.get(refused.errno, str(refused.errno))
for name, attempt in ATTEMPTS.items():
    results[name] = outcome(attempt)
print("TRIED", json.dumps(results))
serve()
