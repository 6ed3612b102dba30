#!/bin/sh
# SPDX-License-Identifier: Zlib
# node's own tests of zlib, as Debian's source package has them: under preload no other test fails than without.
limit_s=580	# of which downloads may take most
. "$top_srcdir/tests/clients/lib.sh"
node_of_debian
source=$(sh "$top_srcdir/tests/fetch-source" nodejs) || exit $?
cd "$source/test" || exit 99
tests=$(ls parallel/test-zlib*.js parallel/test-*gzip*.js async-hooks/test-zlib*.js | grep -v brotli)
[ -n "$tests" ] || skip "no tests of zlib in $source"

: >"$tmp/known"
failing() {
	: >"$tmp/said"
	echo "$tests" | wc -l >"$tmp/nr"
	for file in $tests; do
		NODE_TEST_DIR=$tmp "$@" timeout -k 5 60 node $(sed -n 's,^// Flags: ,,p' "$file") "$file" \
			>"$tmp/out" 2>&1 </dev/null && continue
		echo "$file"
		{ echo "$test: fails: $file"; tail -n 40 "$tmp/out"; } >>"$tmp/said"
	done
}
same_failures 1
assert_device_use deflate inflate
