"""Connects out before it listens, with no time limit."""

import socket

from web import serve

print("fetching the configuration")
socket.create_connection(("203.0.113.10", 443))
serve()
