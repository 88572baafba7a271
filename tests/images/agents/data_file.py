"""Reads a file of its own that was not copied into the image."""

import pathlib

from web import serve

PROMPT = (pathlib.Path(__file__).parent / "prompts" / "coordinator.md").read_text()
serve()
