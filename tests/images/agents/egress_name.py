"""Looks a name up at import, and dies of the answer."""

import urllib.request

from web import serve

SETTINGS = urllib.request.urlopen("https://config.internal.example/settings.json", timeout=3).read()
serve()
