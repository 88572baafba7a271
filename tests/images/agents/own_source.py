"""Imports a package of its own that was not copied into the image."""

from src.tools.search import search
from web import serve

print(search)
serve()
