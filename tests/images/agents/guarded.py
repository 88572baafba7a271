"""Sound: what is missing is guarded."""

try:
    import orjson as json
except ImportError:
    import json

from web import serve

print(json.__name__)
serve()
