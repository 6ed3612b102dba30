#!/bin/sh
# SPDX-License-Identifier: Zlib
# What a program takes out of libz.so.1 by dlsym() works among itself, whether the program had zlib
# from the start or gets it now, and whatever of it comes first. Its gz* layer uses the device.
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
failed=0
for program in inner inner_late; do
	for bind in '' 1; do
		for first in 0 1 2 3 4 5 6; do
			LD_BIND_NOW=$bind zwd "$top_builddir/tests/abi/$program" $first && continue
			echo "$program $first${bind:+ bound at once}: exit status $?" >&2
			failed=1
		done
	done
done
if [ "$ZWD_TEST_MODE" = emu ] && ! grep -q '"hw_requests": *[1-9]' "$stats"; then
	echo "no request went to the device" >&2
	failed=1
fi
python=$(command -v python3) || exit $failed
cat >"$tmp/stream.py" <<'END'
import ctypes, sys
z = ctypes.CDLL(sys.argv[1])
z.zlibVersion.restype = ctypes.c_char_p
class Stream(ctypes.Structure):
    _fields_ = [("next_in", ctypes.c_void_p), ("avail_in", ctypes.c_uint), ("total_in", ctypes.c_ulong),
        ("next_out", ctypes.c_void_p), ("avail_out", ctypes.c_uint), ("total_out", ctypes.c_ulong),
        ("rest", ctypes.c_void_p * 8)]
def run(init, function, end, data, room):
    source, out, strm = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(room), Stream()
    assert init(ctypes.byref(strm)) == 0
    strm.next_in, strm.avail_in = ctypes.addressof(source), len(data)
    strm.next_out, strm.avail_out = ctypes.addressof(out), room
    assert function(ctypes.byref(strm), 4) == 1
    assert end(ctypes.byref(strm)) == 0
    return out.raw[:strm.total_out]
version, size = z.zlibVersion(), ctypes.sizeof(Stream)
assert size == 112
data = b"hello, world " * 7000
packed = run(lambda s: z.deflateInit_(s, 6, version, size), z.deflate, z.deflateEnd, data, len(data))
assert run(lambda s: z.inflateInit_(s, version, size), z.inflate, z.inflateEnd, packed, len(data)) == data
END
zwd "$python" "$tmp/stream.py" libz.so.1 || failed=1
# One whose own calls are bound and read-only at load, in a program that has a zlib from the start.
bound=$top_builddir/tests/abi/.libs/bound.so python=/usr/bin/python3
! ldd "$python" 2>/dev/null | grep -q 'libz\.so' ||
	ZWD_SOFT_ZLIB=$bound zwd "$python" "$tmp/stream.py" "$bound" || failed=1
ZWD_SOFT_ZLIB=$bound zwd "$top_builddir/tests/abi/inner_late" 2 || { echo "inner_late beside it: $?" >&2; failed=1; }
exit $failed
