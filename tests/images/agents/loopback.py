"""Binds loopback, as many a development server does."""

from web import serve

serve(host="127.0.0.1")
