# SPDX-License-Identifier: Zlib
# Takes the kernel out of its self-extracting image: vmlinux.py VMLINUZ VMLINUX
# QEMU starts that one directly, which saves decompressing it on an emulated CPU.
import lzma
import sys

image = open(sys.argv[1], "rb").read()
at = image.find(b"\xfd7zXZ\x00")
while at >= 0:
    try:
        kernel = lzma.LZMADecompressor().decompress(image[at:])
    except lzma.LZMAError:
        kernel = b""
    if kernel[:4] == b"\x7fELF":
        open(sys.argv[2], "wb").write(kernel)
        sys.exit(0)
    at = image.find(b"\xfd7zXZ\x00", at + 1)
sys.exit("vmlinux.py: no xz-compressed kernel in " + sys.argv[1])
