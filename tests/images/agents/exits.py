"""A script that does its work and ends: no server."""

print("loaded the tools, nothing else to do")
