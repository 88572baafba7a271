"""Makes a folder where only root may."""

import pathlib

from web import serve

pathlib.Path("/app/cache").mkdir()
serve()
