#!/bin/sh
# SPDX-License-Identifier: Zlib
# CPython's own tests of zlib, gzip, zipfile and tarfile: under preload no other test fails than without.
limit_s=600
. "$top_srcdir/tests/clients/lib.sh"
python=/usr/bin/python3
need $python
$python -c 'import test.test_zlib' 2>/dev/null || skip "no tests of python3 (package libpython3.11-testsuite)"
mkdir "$tmp/cwd" && cd "$tmp/cwd" || exit 99

# Tests that do fail under preload and why that is right: MODE TEST REASON, one a line.
cat >"$tmp/known" <<'END'
END

# results NAME [COMMAND]: leaves NAME.bad, the tests that failed, and NAME.ran, how many ran.
results() {
	name=$1
	shift
	for module in zlib gzip zipfile tarfile; do
		"$@" $python -m test -v test_$module
	done >"$tmp/$name.log" 2>&1 </dev/null
	sed -n 's/^\(FAIL\|ERROR\): [^ ]* (\([^ )]*\)).*/\2/p' "$tmp/$name.log" | sort -u >"$tmp/$name.bad"
	sed -n 's/^Ran \([0-9]*\) tests\{0,1\} .*/\1/p' "$tmp/$name.log" >"$tmp/$name.ran"
}

results plain env
echo "cpython: plain: tests run: $(tr '\n' ' ' <"$tmp/plain.ran"), failed: $(wc -l <"$tmp/plain.bad")"
[ "$(wc -l <"$tmp/plain.ran")" = 4 ] || { tail -n 50 "$tmp/plain.log"; skip "python3 cannot run its own tests here"; }
results preload zwd
comm -13 "$tmp/plain.bad" "$tmp/preload.bad" >"$tmp/new"
sed -n "s/^$ZWD_TEST_MODE \([^ ]*\) .*/\1/p" "$tmp/known" | sort >"$tmp/known.mode"
echo "cpython: preload: tests run: $(tr '\n' ' ' <"$tmp/preload.ran"), failed too: $(wc -l <"$tmp/new")"
rc=0
if ! cmp -s "$tmp/plain.ran" "$tmp/preload.ran"; then
	tail -n 30 "$tmp/preload.log"
	echo "cpython: another number of tests ran"
	rc=1
fi
for id in $(comm -23 "$tmp/new" "$tmp/known.mode"); do
	echo "cpython: fails under preload: $id"
	grep -F -A 40 "($id)" "$tmp/preload.log" | sed -n '/^\(FAIL\|ERROR\):/,/^\(FAIL\|ERROR\|Ran\)/p' | head -n 40
	rc=1
done
for id in $(comm -13 "$tmp/new" "$tmp/known.mode"); do
	echo "cpython: listed as failing, but passes: $id"
	rc=1
done
assert_device_use deflate inflate
exit $rc
