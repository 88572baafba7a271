"""Loads for longer than the service waits, and would be sound after that."""

import time

from web import serve

print("loading the model")
time.sleep(128)
serve()
