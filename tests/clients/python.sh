#!/bin/sh
# SPDX-License-Identifier: Zlib
# python3's zlib, gzip, zipfile and tarfile modules, threads, and forks in mid-stream (see python.py).
limit_s=240
. "$top_srcdir/tests/clients/lib.sh"
python=/usr/bin/python3
need $python
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 20000
cd "$tmp" || exit 99
script=$top_srcdir/tests/clients/python.py

zwd $python "$script" write mix ours || die "writing under preload: $?"
$python "$script" read mix ours || die "plain python does not read what python under preload wrote"
$python "$script" write mix theirs || die "plain python: $?"
zwd $python "$script" read mix theirs || die "reading under preload: $?"
zwd $python "$script" fork mix || die "forks: $?"
assert_device_use deflate inflate
