"""Nothing wrong."""

from web import serve

serve()
