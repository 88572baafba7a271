"""Imports a name that the installed release does not export."""

from starlette.status import HTTP_999_NO_SUCH_STATUS
from web import serve

print(HTTP_999_NO_SUCH_STATUS)
serve()
