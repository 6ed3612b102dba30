#!/bin/sh
# SPDX-License-Identifier: Zlib
# A standard output that does not block and is read late, by whoever shares it, gets all that is written.
[ -n "$limited" ] || limited=1 exec timeout 120 sh "$0"
. "$top_srcdir/tests/gzip/common"
cd "$tmp" || exit 99
head -c 3000000 /dev/zero | tr '\0' x >data
with_plain gzip -k data
with_ours perl -e 'use Fcntl; fcntl STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK; exec @ARGV' \
	gzip -dc data.gz 2>err | { sleep 1; cat; } >out
cmp out data && [ ! -s err ] || { cat err; exit 1; }
