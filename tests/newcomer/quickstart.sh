#!/bin/sh
# SPDX-License-Identifier: Zlib
# quickstart with files of any length and name, in a tree of any name: it ends well, leaves the file as it is, and
# says of the device what its counters say.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL LD_PRELOAD GZIP ZWD_STATS ZWD_CONFIG ZWD_ENGINE SOURCE_DATE_EPOCH
BUILD=$top_builddir
export BUILD
fail() {
	echo "FAIL: $*"
	cat "$tmp/out"
	exit 1
}
says() { grep -q -e "$1" "$tmp/out" || fail "$len bytes: it does not say: $1"; }

odd="$tmp/a folder, it's \"odd\" \$HOME"
mkdir "$odd" || exit 99
for len in 0 1 1000 65535 300000; do
	file="$odd/-it's $len \"bytes\""
	"$top_builddir/tests/clients/mkmix" text $len >"$file" || exit 99
	cp "$file" "$tmp/before"
	(cd "$odd" && sh "$top_srcdir/quickstart" -- "-it's $len \"bytes\"") >"$tmp/out" 2>&1 || fail "$len bytes: $?"
	cmp "$tmp/before" "$file" || fail "the file changed"
	[ "$(ls "$odd" | wc -l)" = 1 ] || fail "$len bytes: files are left"
	rm "$file"
	says "odd.*, $len bytes"
	[ "$(grep -c 'bit for bit' "$tmp/out")" = 2 ] || fail "$len bytes"
	# The last line but two of the step has seconds.
	says '^   [0-9]* s$'
	for direction in deflate inflate; do
		case $len in
		300000) says "^   $direction: [0-9]* requests* of the device took [1-9][0-9]* bytes" ;;
		65535) ;;
		*) says "^   $direction: software did it all" ;;
		esac
	done
	! grep -i 'error\|cannot' "$tmp/out" || fail "$len bytes: errors"
	if [ $len -lt 65536 ]; then
		says '^5\. .*not measured'
	else
		says 'the CPU-normalised speed'
	fi
done

# In a tree whose folder no makefile can name, all of it happens in a copy. BUILD stands for the build there.
cp "$top_srcdir/quickstart" "$odd" && mkdir "$odd/tests" && cp "$top_srcdir/tests/steps" "$odd/tests" || exit 99
len=1000
"$top_builddir/tests/clients/mkmix" text $len >"$odd/file"
(cd "$odd" && XDG_CACHE_HOME=$tmp/cache TMPDIR=$odd ./quickstart file) >"$tmp/out" 2>&1 || fail "odd tree: $?"
says "make cannot work in a folder of this name"
says "odd.*/file, 1000 bytes"
ls "$tmp"/cache/libz-wd/*/quickstart >/dev/null || fail "no copy"
exit 0
