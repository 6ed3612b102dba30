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

# Tests that do fail under preload and why that is right: MODE TEST REASON, one a line.
cat >"$tmp/known" <<'END'
END

# results NAME [COMMAND]: leaves NAME.bad, the tests that failed, and what they said in NAME.log.
results() {
	name=$1
	shift
	for file in $tests; do
		NODE_TEST_DIR=$tmp "$@" timeout -k 5 60 node $(sed -n 's,^// Flags: ,,p' "$file") "$file" \
			>"$tmp/out" 2>&1 </dev/null && continue
		echo "$file"
		{ echo "node_tests: fails: $file"; tail -n 40 "$tmp/out"; } >>"$tmp/$name.log"
	done >"$tmp/$name.bad"
	echo "node_tests: $name: $(echo "$tests" | wc -l) tests, failed: $(wc -l <"$tmp/$name.bad")"
}

results plain
results preload zwd
sed -n "s/^$ZWD_TEST_MODE \([^ ]*\) .*/\1/p" "$tmp/known" | sort >"$tmp/known.mode"
comm -13 "$tmp/plain.bad" "$tmp/preload.bad" >"$tmp/new"
comm -13 "$tmp/new" "$tmp/known.mode" >"$tmp/passes"
[ ! -s "$tmp/passes" ] || die "listed as failing, but passes: $(cat "$tmp/passes")"
if [ -n "$(comm -23 "$tmp/new" "$tmp/known.mode")" ]; then
	cat "$tmp/preload.log"
	die "under preload these fail: $(comm -23 "$tmp/new" "$tmp/known.mode" | tr '\n' ' ')"
fi
assert_device_use deflate inflate
