#!/bin/sh
# SPDX-License-Identifier: Zlib
# Tcl's zlib command, its streams, and compressing channels (see tcl.tcl).
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
need tclsh
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 10000
rm empty	# Tcl 8.6 reads nothing from a compressing channel that nothing was written to
cd "$tmp" || exit 99

exchange tclsh "$top_srcdir/tests/clients/tcl.tcl"
assert_device_use deflate inflate
