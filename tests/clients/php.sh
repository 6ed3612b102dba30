#!/bin/sh
# SPDX-License-Identifier: Zlib
# PHP's zlib extension, and its memory limit, which leaves zlib's allocator by longjmp (see php.php).
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
need php
uses_libz "$(command -v php)"
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 10000
cd "$tmp" || exit 99
script=$top_srcdir/tests/clients/php.php

exchange php -n "$script"
php -n -d display_errors=0 -d log_errors=0 "$script" limit mix >limit.plain
[ $? = 255 ] && [ -s limit.plain ] || die "plain PHP does not meet its memory limit"
zwd php -n -d display_errors=0 -d log_errors=0 "$script" limit mix >limit
[ $? = 255 ] || die "PHP does not meet its memory limit under preload"
cmp limit.plain limit || die "after the memory limit PHP compresses otherwise"
assert_device_use deflate inflate
