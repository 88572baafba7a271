/* Tries every way out of a sandbox that takes one system call, and prints what the kernel said. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void call(const char *name, long number, long a, long b, long c, long d, long e)
{
    errno = 0;
    long result = syscall(number, a, b, c, d, e);
    printf("%s %s\n", name, result < 0 ? strerrorname_np(errno) : "allowed");
    fflush(stdout);
}

int main(void)
{
    char handle[64] = {0};
    call("ptrace", SYS_ptrace, 0, 0, 0, 0, 0);
    call("process_vm_readv", SYS_process_vm_readv, 1, 0, 0, 0, 0);
    call("add_key", SYS_add_key, (long)"user", (long)"k", (long)"v", 1, -3);
    call("request_key", SYS_request_key, (long)"user", (long)"k", 0, -3, 0);
    call("keyctl", SYS_keyctl, 0, -3, 1, 0, 0);
    call("mount", SYS_mount, (long)"none", (long)"/tmp", (long)"tmpfs", 0, 0);
    call("umount2", SYS_umount2, (long)"/proc", 2, 0, 0, 0);
    call("pivot_root", SYS_pivot_root, (long)"/", (long)"/", 0, 0, 0);
    call("chroot", SYS_chroot, (long)"/", 0, 0, 0, 0);
    call("fsopen", SYS_fsopen, (long)"tmpfs", 0, 0, 0, 0);
    call("open_tree", SYS_open_tree, AT_FDCWD, (long)"/", 1, 0, 0);
    call("move_mount", SYS_move_mount, 0, (long)"", 0, (long)"", 0);
    call("unshare", SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0);
    call("setns", SYS_setns, 0, 0, 0, 0, 0);
    call("clone_user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    call("clone_net", SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0);
    call("bpf", SYS_bpf, 0, (long)handle, 64, 0, 0);
    call("perf_event_open", SYS_perf_event_open, (long)handle, 0, -1, -1, 0);
    call("kexec_load", SYS_kexec_load, 0, 0, 0, 0, 0);
    call("init_module", SYS_init_module, (long)handle, 64, (long)"", 0, 0);
    call("finit_module", SYS_finit_module, 0, (long)"", 0, 0, 0);
    call("delete_module", SYS_delete_module, (long)"x", 0, 0, 0, 0);
    call("userfaultfd", SYS_userfaultfd, 1, 0, 0, 0, 0);
    call("io_uring_setup", SYS_io_uring_setup, 1, (long)handle, 0, 0, 0);
    call("reboot", SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, 0, 0);
    call("swapon", SYS_swapon, (long)"/tmp/x", 0, 0, 0, 0);
    call("open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, (long)handle, 0, 0, 0);
    call("personality", SYS_personality, 0x0040000, 0, 0, 0, 0);
    call("sethostname", SYS_sethostname, (long)"x", 1, 0, 0, 0);
    call("settimeofday", SYS_settimeofday, (long)handle, 0, 0, 0, 0);
    call("syslog", SYS_syslog, 2, (long)handle, 64, 0, 0);
    call("socket_packet", SYS_socket, AF_PACKET, SOCK_RAW, 0, 0, 0);
    call("socket_raw", SYS_socket, AF_INET, SOCK_RAW, 1, 0, 0);
    call("socket_vsock", SYS_socket, 40, SOCK_STREAM, 0, 0, 0);
    call("socket_alg", SYS_socket, 38, SOCK_SEQPACKET, 0, 0, 0);
    call("type_into_terminal", SYS_ioctl, 0, 0x5412, (long)"x", 0, 0);
    /* Lets no flags be seen by a filter: must be taken for a kernel that does not have it. */
    call("clone3", SYS_clone3, (long)handle, 64, 0, 0, 0);
    return 0;
}
