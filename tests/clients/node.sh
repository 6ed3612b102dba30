#!/bin/sh
# SPDX-License-Identifier: Zlib
# node's zlib module, at once, in its thread pool, as streams and under HTTP (see node.js).
# Debian's node: others carry a zlib of their own, which no preload takes the place of.
limit_s=300	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
node_of_debian
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 4000
cd "$tmp" || exit 99

exchange node "$top_srcdir/tests/clients/node.js"
assert_device_use deflate inflate
