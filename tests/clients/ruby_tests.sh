#!/bin/sh
# SPDX-License-Identifier: Zlib
# Ruby's own tests of zlib, as Debian's source package has them: under preload no other test fails than without.
limit_s=580	# of which downloads may take most
. "$top_srcdir/tests/clients/lib.sh"
need ruby
source=$(sh "$top_srcdir/tests/fetch-source" "ruby$(ruby -e 'print RUBY_VERSION[/\d+\.\d+/]')") || exit $?
uses_libz "$(ruby -e 'require "zlib"; puts $".grep(/zlib\.so$/)')"
cd "$source" || exit 99

cat >"$tmp/known" <<'END'
emu,auto TestZlibDeflate#test_deflate_chunked expects output before 40000 bytes are all given, without a flush
emu,auto TestZlibDeflate#test_deflate_chunked_break the same
emu,auto TestZlib#test_deflate_stream expects the length that zlib's stored blocks have, and gets 5 bytes less
END
failing() {
	"$@" ruby -I tool/lib test/runner.rb --seed=1 test/zlib >"$tmp/said" 2>&1
	sed -n 's/^\([0-9]*\) tests, .*/\1/p' "$tmp/said" >"$tmp/nr"
	sed -n 's/^\(Test[A-Za-z]*#[A-Za-z0-9_]*\).*/\1/p' "$tmp/said"
}
same_failures 80
assert_device_use deflate inflate
