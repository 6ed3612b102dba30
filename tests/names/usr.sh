#!/bin/sh
# SPDX-License-Identifier: Zlib
# install.sh on a build for the folders of a distribution.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKEOVERRIDES GNUMAKEFLAGS
cd "$dir" || exit 99
{
	"$top_srcdir/configure" -q --prefix=/usr --libdir=/usr/lib/x86_64-linux-gnu --sysconfdir=/etc \
		--mandir=/usr/share/man CFLAGS='-g0 -O0' && make -s -j2
} >log 2>&1 || {
	tail -n 30 log
	exit 1
}
top_builddir=$dir
export top_builddir
sh "$top_srcdir/tests/names/install.sh"
