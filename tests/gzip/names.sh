#!/bin/sh
# SPDX-License-Identifier: Zlib
# The library takes the place of programs named gzip, gunzip and zcat, wherever they lie, and of no other.
[ -n "$limited" ] || limited=1 exec timeout 60 sh "$0"
. "$top_srcdir/tests/gzip/common"
[ -n "$preload" ] || { echo "the library is not preloaded here"; exit 77; }
cd "$tmp" || exit 99
failed=0
echo=$(command -v /bin/echo) || exit 77
run() { # run NAME: what a program of that name says
	LD_PRELOAD=$preload ZWD_GZIP=$WD_GZIP LD_LIBRARY_PATH=$top_builddir/libz-wd/.libs "./$1" --version 2>&1
}
for name in gzip gunzip zcat; do
	mkdir -p "in $name/gzip" && ln -s "$echo" "in $name/gzip/$name" || exit 99
	run "in $name/gzip/$name" | grep -q wd-gzip || { echo "$name was left alone"; failed=1; }
done
mkdir gzip || exit 99
for name in lzip bzip xzip zip gzi gzipp gunzi gungip unzip zca zcata xcat bcat Gzip .gzip gzip.1 gzip/true; do
	ln -s "$echo" "$name" || exit 99
	run "$name" | grep -q wd-gzip && { echo "$name was taken for gzip"; failed=1; }
done
# Where there is none to take its place, it is itself, and its children know nothing of that.
env=$(command -v env) || exit 77
mkdir env && ln -s "$env" env/gzip && : >none && chmod +x none || exit 99
for none in 1 "$tmp/nowhere" "$tmp/none"; do
	LD_PRELOAD=$preload ZWD_GZIP=$none LD_LIBRARY_PATH=$top_builddir/libz-wd/.libs env/gzip >out 2>err ||
		{ echo "ZWD_GZIP=$none: exit status $?"; failed=1; }
	grep -q ZWD_GZIP_TAKEN out && { echo "ZWD_GZIP=$none: a variable is left"; failed=1; }
	[ -s err ] && { cat err; failed=1; }
done
exit $failed
