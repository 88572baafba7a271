"""Reads a variable that nobody set."""

import os

from web import serve

TABLE = os.environ["MEMORY_TABLE"]
serve()
