"""Leaves behind what it can: processes out of its session that ignore every signal, sockets, a flood of output."""

import os
import signal
import sys
import time

for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        time.sleep(3600)

line = "x" * 1023 + "\n"
for _ in range(64 * 1024):
    sys.stdout.write(line)
sys.stdout.write("\x1b]0;owned\x07\x1b[2J\x1b[31mred\n")
sys.stdout.flush()

from web import serve  # noqa: E402

serve()
