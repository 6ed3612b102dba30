#!/bin/sh
# SPDX-License-Identifier: Zlib
# Ruby's Zlib: its library comes late, by dlopen; threads, copies of streams and a forked child (see ruby.rb).
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
need ruby
uses_libz "$(ruby -rzlib -e 'puts $LOADED_FEATURES.grep(/zlib\.so/)')"
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 10000
cd "$tmp" || exit 99

exchange ruby "$top_srcdir/tests/clients/ruby.rb"
assert_device_use deflate inflate
