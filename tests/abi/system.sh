#!/bin/sh
# SPDX-License-Identifier: Zlib
# The libz.so.1 for all programs: whoever is linked with zlib has libz-wd, taken by name or not, and behind it one zlib,
# that of the system; also when it is preloaded besides.
python=/usr/bin/python3 # which has zlib from the start
ldd "$python" 2>/dev/null | grep -q 'libz\.so' || exit 77
! grep -q '__[at]san_' "$LIBZWD" || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
export LD_LIBRARY_PATH="$top_builddir/libz-wd/system:$top_builddir/libz-wd/.libs" ZWD_STATS="json:$tmp/stats"
for preload in '' libz-wd.so.1; do
	: >"$tmp/stats"
	LD_PRELOAD=$preload timeout -k 5 60 "$python" -c '
import ctypes, os, zlib
data = b"hello, world " * 70000
assert zlib.decompress(zlib.compress(data)) == data
maps = {line.split()[-1] for line in open("/proc/self/maps") if "/libz" in line}
ours = [name for name in maps if name.endswith("/libz-wd/system/libz.so.1")]
inner = [name for name in maps if "/libz-wd.so.1" in name]
real = [name for name in maps if os.path.realpath(os.environ["SOFT_ZLIB"]) == os.path.realpath(name)]
assert [len(ours), len(inner), len(real), len(maps)] == [1, 1, 1, 3], maps
library = ctypes.CDLL("libz.so.1")
library.zwd_version.restype = library.zlibVersion.restype = ctypes.c_char_p
assert library.zwd_version() and library.zlibVersion().decode() == zlib.ZLIB_RUNTIME_VERSION
assert library.crc32(0, b"123456789", 9) & 0xffffffff == 0xcbf43926' || {
		echo "preload: '$preload'"
		exit 1
	}
	case $ZWD_TEST_MODE in
	emu) grep -q '"deflate":{"hw_requests":[1-9]' "$tmp/stats" || { cat "$tmp/stats"; exit 1; } ;;
	soft) ! grep -q '"hw_requests":[1-9]' "$tmp/stats" || { cat "$tmp/stats"; exit 1; } ;;
	esac
done
