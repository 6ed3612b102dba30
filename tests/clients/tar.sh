#!/bin/sh
# SPDX-License-Identifier: Zlib
# tar starts gzip by itself: the archives of tar under preload and of plain tar are exchanged.
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
need tar gzip
mkdir "$tmp/mix" "$tmp/ours" "$tmp/theirs" && cd "$tmp/mix" || exit 99
mix 80000
cd "$tmp" || exit 99

zwd tar czf ours.tgz mix || die "tar czf: $?"
tar xzf ours.tgz -C theirs || die "plain tar does not read our archive"
diff -r mix theirs/mix || die "plain tar restores something else"
tar czf theirs.tgz mix
zwd tar xzf theirs.tgz -C ours || die "tar xzf: $?"
diff -r mix ours/mix || die "tar under preload restores something else"
zwd tar tzf ours.tgz >list || die "tar tzf: $?"
tar tzf theirs.tgz | diff list - || die "other names"
assert_device_use deflate inflate
