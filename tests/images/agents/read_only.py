"""Writes where nobody may."""

from web import serve

with open("/proc/sys/net/core/somaxconn", "w") as setting:
    setting.write("4096")
serve()
