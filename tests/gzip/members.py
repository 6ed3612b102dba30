# SPDX-License-Identifier: Zlib
# Files of many gzip members, for members.sh: members.py KIND, to standard output. As bgzip, pigz and cat make them.
import random
import struct
import sys
import zlib


def deflate(data, level):
    c = zlib.compressobj(level, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush()


def member(data, level=6, flags=0, fields=b""):
    body = deflate(data, level)
    return (
        b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\x03" + fields
        + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    )


def bgzf(data, level=6, other=b""):
    """A block of BGZF: its length less one is in the extra field BC. other: a field before it."""
    body = deflate(data, level)
    extra_len = 6 + len(other)
    size = 12 + extra_len + len(body) + 8
    return (
        b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", extra_len) + other + b"BC\2\0"
        + struct.pack("<H", size - 1) + body + struct.pack("<II", zlib.crc32(data), len(data))
    )


rand = random.Random(1)
words = [b"%x" % rand.getrandbits(rand.choice((8, 16, 40))) for _ in range(5000)]


def text(size):
    out = bytearray()
    while len(out) < size:
        out += b" ".join(rand.choices(words, k=200)) + b"\n"
    return bytes(out[:size])


def pieces(sizes, make=member):
    return b"".join(make(text(n)) for n in sizes)


def blocks(size, level=6):
    data = text(size)
    return b"".join(bgzf(data[i:i + 65280], level) for i in range(0, size, 65280)) + bgzf(b"")


def sizes(nr, low, high):
    return [rand.randint(low, high) for _ in range(nr)]


inner = member(text(300000))
kinds = {
    "bgzf": lambda: blocks(6000000),
    # A whole file of members inside the data, as it is: in stored blocks.
    "inside-bgzf": lambda: bgzf(b"x") + b"".join(
        bgzf((pieces([20000] * 4) + text(60000))[:65000], 0) for _ in range(40)),
    "inside": lambda: pieces([1000]) + b"".join(
        member(pieces([20000] * 40) + inner, rand.choice((0, 0, 6))) for _ in range(12)),
    "fields": lambda: b"".join(bgzf(text(60000), 6, b"XX\3\0abc") for _ in range(40)),
    "bc-lies": lambda: blocks(600000) + b"".join(
        bgzf(text(60000)).replace(b"BC\2\0", b"BC\2\0" + struct.pack("<H", n), 1)[:-2] + b"\0\0"
        for n in (3, 30000)) + blocks(600000),
    "small": lambda: pieces(sizes(10000, 0, 900)),
    "tiny": lambda: pieces([20000] * 5),
    "names": lambda: b"".join(
        member(text(9000), 6, 0x18, b"name%d\0comment\0" % i) for i in range(300)),
    "hcrc": lambda: b"".join(
        b"\x1f\x8b\x08\x02\0\0\0\0\0\x03"
        + struct.pack("<H", zlib.crc32(b"\x1f\x8b\x08\x02\0\0\0\0\0\x03") & 0xFFFF) + member(text(30000))[10:]
        for _ in range(100)),
    "sizes": lambda: pieces([10, 3000000, 0, 1, 40000, 9000000, 1000, 200000, 0, 0, 5000000, 70] + sizes(60, 1, 99999)),
    "empty": lambda: member(b"") * 30000,
    "zeros": lambda: member(bytes(65000)) * 700,
    "bombs": lambda: pieces([9]) + member(bytes(30000000)) * 3 + pieces([50000] * 40),
    "old-magic": lambda: pieces([50000] * 20) + b"\x1f\x9e" + member(text(50000))[2:] + pieces([50000] * 20),
    "noise": lambda: b"".join(member(rand.randbytes(rand.randint(1, 90000))) for _ in range(60)),
}
sys.stdout.buffer.write(kinds[sys.argv[1]]())
