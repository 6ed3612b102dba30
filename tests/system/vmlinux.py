# SPDX-License-Identifier: Zlib
# Takes the kernel out of its self-extracting image: vmlinux.py VMLINUZ VMLINUX
# QEMU starts that one directly, which saves decompressing it on an emulated CPU.
import lzma
import subprocess
import sys


def unxz(data):
    try:
        return lzma.LZMADecompressor().decompress(data)
    except lzma.LZMAError:
        return b""


def unzstd(data):
    # What follows the kernel is an error, after all of it was printed.
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


image = open(sys.argv[1], "rb").read()
for magic, decompress in ((b"\xfd7zXZ\x00", unxz), (b"\x28\xb5\x2f\xfd", unzstd)):
    at = image.find(magic)
    while at >= 0:
        kernel = decompress(image[at:])
        if kernel[:4] == b"\x7fELF":
            open(sys.argv[2], "wb").write(kernel)
            sys.exit(0)
        at = image.find(magic, at + 1)
sys.exit("vmlinux.py: no kernel compressed by xz or zstd in " + sys.argv[1])
