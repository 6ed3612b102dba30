#!/bin/sh
# SPDX-License-Identifier: Zlib
# Over the zlib of Debian's stable release and of its newest one, too, streams are what that very version makes
# of them: underneath and beside is the same one.
limit_s=300
. "$top_srcdir/tests/clients/lib.sh"
failed=0 tried=0
for suite in trixie sid; do
	folder=$(sh "$top_srcdir/tests/fetch-zlib" $suite) || continue
	tried=$((tried + 1))
	export SOFT_ZLIB="$folder/libz.so.1" ZWD_SOFT_ZLIB="$folder/libz.so.1"
	for program in diff/diff stream/small stream/damaged stream/inflate_sync stream/deflate_header \
		"fuzz/fuzz_api --mode $ZWD_TEST_MODE --seconds 10"; do
		"$top_builddir/tests/"$program >"$tmp/log" 2>&1 || {
			echo "$suite, $program: $?"
			tail -n 20 "$tmp/log"
			failed=1
		}
	done
done
[ $failed = 0 ] || exit 1
[ $tried != 0 ] || skip "only the system's own zlib could be tried"
