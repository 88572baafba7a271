"""Imports a native extension."""

import pydantic_core
from web import serve

print(pydantic_core.__version__)
serve()
