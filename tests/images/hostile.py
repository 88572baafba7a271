"""Layers that no builder would write: paths that lead out, devices, bombs. Each is small on disk and large, or elsewhere, unpacked.

What it is: functions that write one compressed layer and give its diff id. What it is not: attacks of a running process; those
are agents (`agents/hostile_*.py`). Start with `LAYERS`.
"""

import gzip
import hashlib
import io
import struct
import tarfile
import zlib

# What must never appear on the machine that unpacks them.
OUTSIDE = "tmp/launchpath-escaped"
UP = "../" * 24


def tar_of(entries):
    """The bytes of a tar file from (name, kind, link, mode, content, device)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, link, mode, content, device in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode, entry.size = kind, link, mode, len(content)
            entry.devmajor, entry.devminor = device
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def file(name, content=b"escaped\n", mode=0o644):
    return (name, tarfile.REGTYPE, "", mode, content, (0, 0))


def symlink(name, target):
    return (name, tarfile.SYMTYPE, target, 0o777, b"", (0, 0))


def hard_link(name, target):
    return (name, tarfile.LNKTYPE, target, 0o644, b"", (0, 0))


def device(name, kind, major, minor):
    return (name, kind, "", 0o666, b"", (major, minor))


def plain(entries):
    """A layer of ordinary size."""

    def make(out):
        content = tar_of(entries)
        out.write(gzip.compress(content, compresslevel=1, mtime=0))
        return hashlib.sha256(content).hexdigest()

    return make


def deep(out):
    """A folder in a folder, 6000 times: longer than any path the kernel takes."""
    entries = []
    for depth in (1, 50, 500, 1500, 3000, 6000):
        entries.append(("d/" * depth, tarfile.DIRTYPE, "", 0o755, b"", (0, 0)))
    entries.append(file("d/" * 6000 + "bottom", b"here\n"))
    return plain(entries)(out)


def million(out):
    """10^6 files in 1000 folders."""
    digest, press = hashlib.sha256(), zlib.compressobj(1, zlib.DEFLATED, 31)

    def put(content):
        digest.update(content)
        out.write(press.compress(content))

    for folder in range(1000):
        put(header(f"many/{folder:03}/", tarfile.DIRTYPE, 0))
        put(b"".join(header(f"many/{folder:03}/{number:03}", tarfile.REGTYPE, 0) for number in range(1000)))
    put(bytes(1024))
    out.write(press.flush())
    return digest.hexdigest()


def header(name, kind, size):
    """A header block of the ustar format; larger sizes than its digits hold are written in binary."""
    digits = b"%011o\0" % size if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    block = bytearray(struct.pack(
        "100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x", name.encode(), b"0000644\0", b"0000000\0", b"0000000\0",
        digits, b"%011o\0" % 0, b" " * 8, kind, b"", b"ustar\x0000", b"", b"", b"", b"", b"",
    ))
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def bomb(size):
    """One file of zeros that compresses a thousand times: `size` must be a multiple of 1 MiB."""

    def make(out):
        mebibyte = bytes(1 << 20)
        head, tail = header("bomb", tarfile.REGTYPE, size), bytes(1024)
        # A block that was flushed in full means the same wherever it stands, so that it is compressed once.
        press = zlib.compressobj(9, zlib.DEFLATED, -15)
        first = press.compress(head) + press.flush(zlib.Z_FULL_FLUSH)
        block = press.compress(mebibyte) + press.flush(zlib.Z_FULL_FLUSH)
        last = press.compress(tail) + press.flush()
        out.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + first)
        check = zlib.crc32(head)
        for _ in range(size >> 20):
            out.write(block)
            check = zlib.crc32(mebibyte, check)
        check = zlib.crc32(tail, check)
        out.write(last + struct.pack("<II", check, (len(head) + size + len(tail)) & 0xFFFFFFFF))
        # Nobody gets so far as to compare it.
        return hashlib.sha256(b"bomb").hexdigest()

    return make


def claims(out):
    """A file that says it has 2^60 bytes, and ends after 1000."""
    content = header("huge", tarfile.REGTYPE, 1 << 60) + bytes(1000)
    out.write(gzip.compress(content, compresslevel=1, mtime=0))
    return hashlib.sha256(content).hexdigest()


LAYERS = {
    "symlinks": plain([
        symlink("out", "/"),
        file(f"out/{OUTSIDE}-through-root"),
        symlink("up", f"{UP}{OUTSIDE}-dangling"),
        file("up"),
        symlink("app/tmp", f"{UP}tmp"),
        file("app/tmp/launchpath-escaped-through-tmp"),
        symlink("loop", "loop"),
        file("loop/launchpath-escaped"),
        file(f"{UP}{OUTSIDE}-dots"),
        file(f"app/../../../../{OUTSIDE}-inner-dots"),
        file(f"/{OUTSIDE}-absolute"),
    ]),
    "hard_links": plain([
        hard_link("app/passwd", f"{UP}etc/passwd"),
        hard_link("app/shadow", "/etc/shadow"),
        symlink("app/etc", "/etc"),
        hard_link("app/hosts", "app/etc/hosts"),
        file("app/hosts", b"6.6.6.6 escaped\n"),
        hard_link("app/nothing", "no/such/file"),
    ]),
    "devices": plain([
        device("app/mem", tarfile.CHRTYPE, 1, 1),
        device("app/kmsg", tarfile.CHRTYPE, 1, 11),
        device("app/disk", tarfile.BLKTYPE, 254, 0),
        device("app/sda", tarfile.BLKTYPE, 8, 0),
        device("app/fifo", tarfile.FIFOTYPE, 0, 0),
    ]),
    "deep": deep,
    "million": million,
    "bomb": bomb(48 << 30),
    "claims": claims,
}
