#!/bin/sh
# SPDX-License-Identifier: Zlib
# bench/programs.py measures programs on the device, has a line for each, and refuses names it does not know.
command -v gzip >/dev/null && [ -x /usr/bin/python3 ] && command -v git >/dev/null || { echo "no gzip, git or python3"; exit 77; }
out=$(mktemp) || exit 99
trap 'rm -f "$out"' EXIT
fail() {
	echo "FAIL: $*"
	cat "$out"
	exit 1
}
cd "$top_builddir" || exit 99
run() { timeout 200 /usr/bin/python3 "$top_srcdir/bench/programs.py" "$@" >"$out" 2>&1; }
run --trials 1 --mb 2 gzip 'python gzip'
[ $? -le 1 ] || fail "it ends with $?" # that one takes more is no fault of the script
[ "$(grep -c '^gzip .* device$' "$out")" = 1 ] || fail "gzip is not the device's"
[ "$(grep -c '^python gzip .* level 9 .* software' "$out")" = 1 ] || fail "level 9 is not software's"
run nonsense
[ $? = 2 ] || fail "an unknown name is not refused"
exit 0
