"""Dies by a signal, as a broken native extension makes it."""

import os

print("loading the native extension")
os.abort()
