#!/bin/sh
# SPDX-License-Identifier: Zlib
# The libraries export what they promise and nothing else, and need nothing but libc.
set -u
LC_ALL=C
export LC_ALL
libwdq=$top_builddir/libwd/.libs/libwdq.so
frozen=$top_srcdir/tests/abi/zlib.symbols
failed=0

fail()
{
	echo "symbols: $*" >&2
	failed=1
}

command -v nm >/dev/null && command -v readelf >/dev/null || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# name@node of each defined symbol, but for libgcov's.
defined()
{
	nm -D --defined-only --with-symbol-versions "$1" |
		awk '$2 != "A" && $3 !~ /^(mangle_path|__gcov_)/ { print $3 }' |
		sed 's/@@/@/' | sort
}

defined "$SOFT_ZLIB" >"$tmp/system"
# A zlib older than the list is no error of ours.
if ! cmp -s "$frozen" "$tmp/system"; then
	comm -13 "$frozen" "$tmp/system" | grep . && echo "symbols: the system's zlib has grown" >&2
	comm -23 "$frozen" "$tmp/system" | grep . && echo "symbols: the system's zlib lacks some" >&2
fi

defined "$LIBZWD" >"$tmp/ours"
grep -v '^zwd_' "$tmp/ours" >"$tmp/zlib"
cmp -s "$frozen" "$tmp/zlib" || {
	diff -u "$frozen" "$tmp/zlib" >&2
	fail "libz-wd.so does not export zlib's names in zlib's nodes"
}
grep '^zwd_' "$tmp/ours" | grep -v '@LIBZWD_\|@LIBZ_WD_\|@ZWD_' &&
	fail "zwd_ names outside a node of ours"
# libwd is inside: it offers none of its names to others, and takes none from them.
nm -D "$LIBZWD" | grep -w 'wd_[a-z0-9_]*' && fail "libz-wd.so shows names of libwd"
defined "$libwdq" | grep -v '^wd_.*@WDQ_' && fail "libwdq.so exports more than wd_*"

for lib in "$LIBZWD.1" "$libwdq.0"; do
	soname=$(readelf -d "$lib" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
	[ "$soname" = "$(basename "$lib")" ] || fail "$lib: soname is '$soname'"
	# The sanitizers' own libraries do not count.
	needed=$(readelf -d "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -v '^libc\.so\|^ld-linux\|^lib[a-z]*san\.so')
	[ -z "$needed" ] || fail "$lib needs $needed"
	# What the loader makes of it: libc, itself and the kernel's page.
	readelf -d "$lib" | grep -q 'NEEDED.*san\.so' || loaded=$(ldd "$lib" |
		grep -v '^[[:space:]]*\(linux-vdso\.so\|libc\.so\.\|[^ ]*/ld-linux\)')
	[ -z "${loaded-}" ] || fail "$lib loads $loaded"
	readelf -d "$lib" | grep TEXTREL && fail "$lib has text relocations"
	readelf -W -l "$lib" | grep 'GNU_STACK.*RWE' && fail "$lib wants an executable stack"
done
exit $failed
