"""Loads more than a session has."""

print("loading the index")
index = []
while True:
    block = bytearray(64 << 20)
    block[::4096] = b"x" * len(block[::4096])
    index.append(block)
