"""Waits for something that never comes, before it listens."""

import threading

print("waiting for the configuration")
threading.Event().wait()
