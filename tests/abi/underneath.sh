#!/bin/sh
# SPDX-License-Identifier: Zlib
# The zlib underneath may be of another make than the system's: one without the newer table of names, one with
# functions that depend on the machine, one that lacks most of them. A program's own is found however it is bound.
limit_s=60
. "$top_srcdir/tests/clients/lib.sh"
python=/usr/bin/python3 # which has zlib from the start
ldd "$python" 2>/dev/null | grep -q 'libz\.so' || skip "no $python with zlib"
here=$top_builddir/tests/abi/.libs
failed=0
fail() { echo "$*: $(cat "$tmp/out")" >&2; failed=1; }
py() { # py PROGRAM: its answer is in $tmp/out
	zwd "$python" -c "$1" >"$tmp/out" 2>&1
}
maps='
def mapped(name): return len({line.split()[-1] for line in open("/proc/self/maps") if name in line})'
trip='
import zlib
data = b"hello, world " * 70000
assert zlib.decompress(zlib.compress(data)) == data'

export ZWD_SOFT_ZLIB="$here/old.so"
py "$trip$maps
assert mapped('/old.so') == 1" || fail "without the newer table of names"
if [ "$ZWD_TEST_MODE" = soft ]; then
	export ZWD_SOFT_ZLIB="$here/chosen.so"
	py '
import zlib
assert zlib.ZLIB_RUNTIME_VERSION == "1.2.chosen", zlib.ZLIB_RUNTIME_VERSION
assert zlib.crc32(b"123456789") == 0xcbf43926
for f in zlib.compress, zlib.decompress:
    try: f(b"x" * 100)
    except zlib.error: continue
    raise Exception(f)' || fail "with functions that depend on the machine, and few of them"
fi
unset ZWD_SOFT_ZLIB

mkdir "$tmp/lib" && cp "$SOFT_ZLIB" "$tmp/lib/libz.so.1" || exit 99
export LD_LIBRARY_PATH="$tmp/lib"
for bind in '' 1; do
	export LD_BIND_NOW=$bind
	py "$trip$maps
assert mapped('/libz.so') == 1 and mapped('$tmp/lib/libz.so.1') == 1" || fail "another beside its own${bind:+, bound at once}"
done
exit $failed
