#!/bin/sh
# SPDX-License-Identifier: Zlib
# libpng's own tests, as Debian's source package has them, but for those of colours and the longest.
limit_s=580	# of which downloads may take most
. "$top_srcdir/tests/clients/lib.sh"
need gcc make
source=$(sh "$top_srcdir/tests/fetch-source" libpng1.6) || exit $?
mkdir "$tmp/build"
cd "$tmp/build" || exit 99
{ "$source/configure" -q --disable-static --disable-dependency-tracking CFLAGS=-O1 && make -s -j2 check TESTS=; } \
	>"$tmp/said" 2>&1 || { tail -n 20 "$tmp/said"; skip "libpng cannot be built (package zlib1g-dev)"; }
uses_libz .libs/libpng16.so
tests=$(sed -n '/^TESTS = /,/[^\\]$/p' Makefile | grep -o 'tests/[^ \\]*' |
	grep -v 'gamma\|progressive\|transform\|full\|sRGB\|none-alpha\|linear-alpha\|1.8$')

: >"$tmp/known"
failing() {
	"$@" make -s check TESTS="$(echo $tests)" >"$tmp/said" 2>&1
	sed -n 's/^# TOTAL: *//p' "$tmp/said" >"$tmp/nr"
	cat tests/*.log >>"$tmp/said"
	sed -n 's/^FAIL: //p' "$tmp/said"
}
same_failures 10
assert_device_use deflate inflate
