"""Listens on the port of another framework."""

from web import serve

serve(port=3000)
