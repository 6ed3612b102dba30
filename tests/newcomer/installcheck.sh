#!/bin/sh
# SPDX-License-Identifier: Zlib
# "make installcheck" passes on what "make install" makes, and tells what is missing or of another build.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKEOVERRIDES GNUMAKEFLAGS LD_PRELOAD
tree=$dir/tree
run() { make -s -C "$top_builddir" "$1" DESTDIR="$tree" >"$dir/log" 2>&1; }
fail() {
	cat "$dir/log"
	echo "installcheck: $*"
	exit 1
}
run install || fail "make install"
run installcheck || fail "it fails on what was installed"
# missing PATTERN: without the file it fails, and names it.
missing() {
	file=$(find "$tree" -path "$1" | head -n 1)
	[ -n "$file" ] || fail "there is no $1"
	mv "$file" "$dir/kept"
	! run installcheck || fail "it does not miss $file"
	grep -qF "$file" "$dir/log" || fail "it does not name $file"
	mv "$dir/kept" "$file"
}
missing '*/zwd.h'
missing '*/man1/zwd.1'
zwd=$(find "$tree" -path '*/bin/zwd' -type f)
printf '#!/bin/sh\necho "zwd (libz-wd) 0.0.1"\n' >"$zwd"
! run installcheck || fail "it takes another version of zwd"
grep -q 'another version' "$dir/log" || fail "it does not tell that zwd is another version"
exit 0
