"""A mistake at module level."""

from web import serve

RETRIES = int("three")
serve()
