# SPDX-License-Identifier: Zlib
"""Writes a folder of files in every way Python knows, reads it back, or forks while streams are open."""
import gzip
import io
import multiprocessing
import os
import sys
import tarfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

WBITS = {"zlib": 15, "raw": -15, "gzip": 31, "window9": 9}


def load(folder):
    return {name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))}


def pieces(data, size):
    return (data[at:at + size] for at in range(0, len(data), size))


def deflate(data, wbits, level=6, size=50021, flush=zlib.Z_NO_FLUSH):
    stream = zlib.compressobj(level, zlib.DEFLATED, wbits)
    out = []
    for piece in pieces(data, size):
        out.append(stream.compress(piece))
        if flush != zlib.Z_NO_FLUSH:
            out.append(stream.flush(flush))
    return b"".join(out) + stream.flush()


def inflate(data, wbits, size=10007, max_length=0):
    stream = zlib.decompressobj(wbits)
    out = []
    for piece in pieces(data, size):
        out.append(stream.decompress(piece, max_length))
        while stream.unconsumed_tail:
            out.append(stream.decompress(stream.unconsumed_tail, max_length))
    out.append(stream.flush())
    assert stream.eof and not stream.unused_data
    return b"".join(out)


def write(files, out):
    os.mkdir(out)
    for name, data in files.items():
        path = os.path.join(out, name)
        for kind, wbits in WBITS.items():
            for level in (1, 6, 9):
                with open(f"{path}.{kind}.{level}", "wb") as file:
                    file.write(deflate(data, wbits, level))
        with open(path + ".zlib.sync", "wb") as file:
            file.write(deflate(data, 15, flush=zlib.Z_SYNC_FLUSH))
        with open(path + ".zlib.full", "wb") as file:
            file.write(deflate(data, 15, flush=zlib.Z_FULL_FLUSH))
        with open(path + ".zlib.once", "wb") as file:
            file.write(zlib.compress(data))
        with gzip.open(path + ".gzip.file", "wb") as file:
            for piece in pieces(data, 8191):
                file.write(piece)
    with zipfile.ZipFile(os.path.join(out, "zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with tarfile.open(os.path.join(out, "tgz"), "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def read(files, out):
    for entry in sorted(os.listdir(out)):
        path = os.path.join(out, entry)
        if entry == "zip":
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                assert {name: archive.read(name) for name in archive.namelist()} == files
        elif entry == "tgz":
            with tarfile.open(path, "r:gz") as archive:
                assert {member.name: archive.extractfile(member).read() for member in archive} == files
        else:
            name, kind, _ = entry.split(".")
            with open(path, "rb") as file:
                data = file.read()
            assert inflate(data, WBITS[kind]) == files[name], entry
            assert inflate(data, WBITS[kind], 100003, 4096) == files[name], entry
            if kind == "gzip":
                assert gzip.decompress(data) == files[name], entry
            if kind == "zlib":
                assert zlib.decompress(data) == files[name], entry
                tail = zlib.decompressobj()
                assert tail.decompress(data + b"tail") == files[name] and tail.unused_data == b"tail", entry


def round_trip(data):
    return zlib.decompress(zlib.compress(data)) == data and inflate(deflate(data, 31), 31) == data


def fork(files):
    """Streams that are open when the process forks go on in parent and child."""
    for name, data in files.items():
        half = len(data) // 2
        packed = zlib.compress(data)
        out, back = zlib.compressobj(), zlib.decompressobj()
        head = out.compress(data[:half])
        plain = back.decompress(packed[:len(packed) // 2])
        child = os.fork()
        rest = head + out.compress(data[half:]) + out.flush()
        good = zlib.decompress(rest) == data
        good = good and plain + back.decompress(packed[len(packed) // 2:]) + back.flush() == data
        if not child:
            os._exit(0 if good else 1)
        status = os.waitpid(child, 0)[1]
        assert good, f"parent, {name}"
        assert status == 0, f"child, {name}: status {status}"
    chunks = [piece for data in files.values() for piece in pieces(data, 150000)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(round_trip, chunks)), "threads"
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert all(pool.map(round_trip, chunks)), "processes"
        pool.close()
        pool.join()
    assert round_trip(b"".join(chunks)), "after the processes"


if __name__ == "__main__":
    {"write": write, "read": read, "fork": fork}[sys.argv[1]](load(sys.argv[2]), *sys.argv[3:])
