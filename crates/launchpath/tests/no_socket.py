"""Runs a program that is killed (SIGSYS) at its first system call for a socket: python3 no_socket.py PROGRAM ARGUMENT...

A seccomp filter needs no privilege and, unlike a namespace without interfaces, also sees a socket that was opened and never used.
"""

import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
# socket, connect, socketpair, sendto, sendmsg
CALLS = {"x86_64": (41, 42, 53, 44, 46), "aarch64": (198, 203, 199, 206, 211)}[platform.machine()]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def instruction(code, true, false, value):
    return struct.pack("HBBI", code, true, false, value)


# Load the number of the system call; each number that is listed jumps to the kill at the end.
code = instruction(0x20, 0, 0, 0)
for place, number in enumerate(CALLS):
    code += instruction(0x15, len(CALLS) - place, 0, number)
code += instruction(0x06, 0, 0, ALLOW) + instruction(0x06, 0, 0, KILL_PROCESS)

libc = ctypes.CDLL(None, use_errno=True)
program = Program(len(code) // 8, code)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
    sys.exit(f"no filter can be set here: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[1], sys.argv[1:])
