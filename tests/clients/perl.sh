#!/bin/sh
# SPDX-License-Identifier: Zlib
# perl's Compress::Zlib and IO::Compress: the library comes late, by dlopen (see perl.pl).
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
need perl
perl -MCompress::Zlib -e 1 2>/dev/null || skip "no Compress::Zlib (package perl)"
mkdir "$tmp/mix" "$tmp/ours" "$tmp/theirs" && cd "$tmp/mix" || exit 99
mix 20000
cd "$tmp" || exit 99
script=$top_srcdir/tests/clients/perl.pl

zwd perl "$script" write mix ours || die "writing under preload: $?"
perl "$script" read mix ours || die "plain perl does not read what perl under preload wrote"
perl "$script" write mix theirs || die "plain perl: $?"
zwd perl "$script" read mix theirs || die "reading under preload: $?"
assert_device_use deflate inflate
