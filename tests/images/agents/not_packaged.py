"""Imports a package that was not installed."""

import requests
from web import serve

SESSION = requests.Session()
serve()
